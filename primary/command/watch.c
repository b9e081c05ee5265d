// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "watch.h"

#include "kni/base/doorbell.h"
#include "kni/base/log.h"
#include "system/process/exit.h"
#include "system/topology/watch.h"
#include "system/topology/watch_program.h"

#include <rte_cycles.h>

#include <string.h>
#include <time.h>

#define POLL_MS 5
#define BEGIN_MS 200  /* how long the first answer waits for workers */
#define COUNTS_MS 200 /* how often counts are sent while there are no records */
#define BATCH (64 << 10)
/* Messages of each worker in one poll; then other commands have their turn. */
#define ROUNDS 8
#define RECORDS_MAX 4096 /* that one message is made of */
#define CLOCK_TRIES 5

_Static_assert(KNIT_MAX_PORTS <= KNIT_WATCH_PORTS, "there is a name for each");
_Static_assert(KNIT_MAX_CONF_IFACES <= KNIT_WATCH_IFACES, "there is a name for each");
_Static_assert(KNIT_MAX_WORKERS <= KNIT_WATCH_WORKERS, "there is an id for each");
_Static_assert(KNIT_WATCH_RECORD_MAX < KNIT_COMMAND_MAX - sizeof(struct knit_watch_records),
	       "the longest record fits into a message");

static struct {
	struct command_client *client; /* NULL: nothing is watched */
	struct knit_watch *watch;
	uint32_t serial; /* of the last watch */
	bool begun;
	uint64_t limit;		    /* UINT64_MAX: none */
	uint64_t sent;		    /* records */
	uint64_t asked_at, told_at; /* timer cycles */
	uint64_t damaged;
	unsigned int turn; /* the worker that comes first */
	uint32_t bytes;	   /* of a ring */
	uint64_t tail[KNIT_MAX_WORKERS];
} state;

static uint64_t ms_since(uint64_t then)
{
	return (rte_get_timer_cycles() - then) / (rte_get_timer_hz() / 1000);
}

static int find_name(const char *base, size_t step, unsigned int n, const char *name, size_t size)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (strncmp(base + i * step, name, size) == 0)
			return i;
	return -1;
}

/* False: there is no such object, and the command was ended. */
static bool add_object(const struct primary *p, struct command_client *c,
		       const struct knit_watch_object *o, struct knit_watch_spec *spec)
{
	const struct knit_topo *t = p->topo;
	const struct knit_topo_worker *w = NULL;
	uint64_t *sets = o->end == KNIT_WATCH_PORT ? spec->ports : spec->ifaces;
	const char *kind = o->end == KNIT_WATCH_PORT ? "port" : "interface";
	int i = -1;

	if (o->end == KNIT_WATCH_NOWHERE) {
		w = knit_topo_worker(p->topo, o->worker);
		if (w)
			spec->workers |= UINT64_C(1) << (w - t->workers);
		else
			command_end(c, KNIT_EXIT_USAGE, "there is no worker %u", o->worker);
		return w != NULL;
	}
	if (o->end == KNIT_WATCH_PORT)
		i = find_name(t->ports[0].name, sizeof(t->ports[0]), t->n_ports, o->name,
			      sizeof(o->name));
	else if (o->end == KNIT_WATCH_IFACE)
		i = find_name(t->ifaces[0].name, sizeof(t->ifaces[0]), t->n_ifaces, o->name,
			      sizeof(o->name));
	if (i < 0) {
		command_end(c, KNIT_EXIT_USAGE, "there is no %s %.32s", kind, o->name);
		return false;
	}
	if (o->directions & KNIT_WATCH_RX)
		sets[0] |= UINT64_C(1) << i;
	if (o->directions & KNIT_WATCH_TX)
		sets[1] |= UINT64_C(1) << i;
	return true;
}

static void add_all(uint32_t directions, struct knit_watch_spec *spec)
{
	if (directions & KNIT_WATCH_RX)
		spec->ports[0] = spec->ifaces[0] = UINT64_MAX;
	if (directions & KNIT_WATCH_TX)
		spec->ports[1] = spec->ifaces[1] = UINT64_MAX;
}

static bool make_spec(const struct primary *p, struct command_client *c,
		      const struct knit_watch_request *r, struct knit_watch_spec *spec)
{
	bool places = false;
	uint32_t i;

	*spec = (struct knit_watch_spec){ .limit = r->limit,
					  .snaplen = r->snaplen,
					  .share = r->share,
					  .journeys = r->journeys,
					  .n_insns = r->n_insns };
	for (i = 0; i < r->n_objects; i++) {
		if (!add_object(p, c, &r->objects[i], spec))
			return false;
		places |= r->objects[i].end != KNIT_WATCH_NOWHERE;
	}
	if (spec->workers == 0)
		spec->workers = UINT64_MAX;
	if (!places)
		add_all(r->directions, spec);
	memcpy(spec->insns, r->insns, r->n_insns * sizeof(r->insns[0]));
	return true;
}

/* False: the command was ended. */
static bool request_is_good(struct command_client *c, const struct knit_watch_request *r,
			    size_t len)
{
	if (r->n_insns > KNIT_WATCH_INSNS)
		command_end(c, KNIT_EXIT_USAGE,
			    "the filter has %u instructions: at most %d are possible", r->n_insns,
			    KNIT_WATCH_INSNS);
	else if (r->n_objects > KNIT_WATCH_OBJECTS)
		command_end(c, KNIT_EXIT_USAGE, "%u objects: at most %d are possible", r->n_objects,
			    KNIT_WATCH_OBJECTS);
	else if (len != sizeof(*r) + r->n_insns * sizeof(r->insns[0]) ||
		 !knit_watch_program_valid(r->insns, r->n_insns))
		command_end(c, KNIT_EXIT_USAGE,
			    "the filter is no program that workers run: it jumps back, as "
			    "protochain does, or out of itself");
	else if (r->directions < 1 || r->directions > (KNIT_WATCH_RX | KNIT_WATCH_TX))
		command_end(c, KNIT_EXIT_USAGE, "directions %u: 1 to 3 are possible",
			    r->directions);
	else if (r->snaplen < KNIT_WATCH_SNAP_MIN || r->snaplen > KNIT_WATCH_SNAP_MAX)
		command_end(c, KNIT_EXIT_USAGE, "length %u: %d to %d bytes are possible",
			    r->snaplen, KNIT_WATCH_SNAP_MIN, KNIT_WATCH_SNAP_MAX);
	else if (r->share < 1 || r->share > 100)
		command_end(c, KNIT_EXIT_USAGE, "share %u: 1 to 100 percent are possible",
			    r->share);
	else
		return true;
	return false;
}

/* They sleep, maybe; awake, they look within KNIT_WATCH_LOOK_MS. */
static void wake_workers(const struct primary *p)
{
	unsigned int i;

	for (i = 0; i < p->topo->n_workers; i++)
		knit_doorbell_ring(p->topo->workers[i].doorbell);
}

static void take_until(unsigned int worker, uint64_t tail)
{
	state.tail[worker] = tail;
	__atomic_store_n(&state.watch->ring[worker]->tail, tail, __ATOMIC_RELEASE);
}

static void watch_begin(const struct primary *p, struct command_client *c,
			const struct knit_watch_request *r, const struct knit_watch_spec *spec)
{
	struct knit_watch *watch = p->topo->watch;
	unsigned int i;

	state.client = c;
	state.watch = watch;
	state.serial = state.serial == UINT32_MAX ? 1 : state.serial + 1;
	state.begun = false;
	state.limit = r->limit ? r->limit : UINT64_MAX;
	state.sent = 0;
	state.asked_at = state.told_at = rte_get_timer_cycles();
	state.damaged = 0;
	state.bytes = knit_watch_ring_bytes(p->conf);
	/* What an earlier watch left would take room. */
	for (i = 0; i < p->topo->n_workers; i++)
		if (watch->ring[i])
			take_until(i, __atomic_load_n(&watch->ring[i]->head, __ATOMIC_ACQUIRE));
	/* A worker that copies the last spec at this moment sees that serial is 0. */
	knit_mb();
	watch->spec = *spec;
	__atomic_store_n(&watch->serial, state.serial, __ATOMIC_RELEASE);
	wake_workers(p);
}

static void watch_start(struct primary *p, struct command_client *c, const void *request,
			size_t len)
{
	static struct knit_watch_spec spec;
	const struct knit_watch_request *r = request;

	if (p->topo->watch == NULL) {
		command_end(c, KNIT_EXIT_RESOURCES,
			    "packets can't be watched: watch.buffer is 0 in the configuration");
	} else if (state.client) {
		command_end(c, KNIT_EXIT_RESOURCES,
			    "process %d watches packets already, and one can at a time",
			    (int)command_pid(state.client));
	} else if (request_is_good(c, r, len) && make_spec(p, c, r, &spec)) {
		log_info("process %d watches packets", (int)command_pid(c));
		watch_begin(p, c, r, &spec);
	}
}

/* Attached workers that do not watch yet. */
static uint32_t count_late(const struct primary *p)
{
	const struct knit_watch *watch = state.watch;
	const struct knit_topo *t = p->topo;
	uint32_t i, n = 0;

	for (i = 0; i < t->n_workers; i++)
		n += watch->ring[i] && t->workers[i].state == KNIT_PROCESS_ATTACHED &&
		     __atomic_load_n(&watch->ring[i]->following, __ATOMIC_ACQUIRE) != state.serial;
	return n;
}

static bool tell_begin(const struct primary *p, struct command_client *c, uint32_t late)
{
	static struct knit_watch_begin b;
	const struct knit_topo *t = p->topo;
	struct command_part part = { &b.tsc_hz, sizeof(b) - sizeof(b.head) };
	uint32_t i;

	b = (struct knit_watch_begin){ .tsc_hz = rte_get_tsc_hz(),
				       .serial = state.serial,
				       .late = late,
				       .n_ports = t->n_ports,
				       .n_ifaces = t->n_ifaces,
				       .n_workers = t->n_workers };
	for (i = 0; i < t->n_workers; i++)
		b.worker[i] = t->workers[i].id;
	for (i = 0; i < t->n_ports; i++)
		snprintf(b.port[i], sizeof(b.port[i]), "%s", t->ports[i].name);
	for (i = 0; i < t->n_ifaces; i++)
		snprintf(b.iface[i], sizeof(b.iface[i]), "%s", t->ifaces[i].name);
	return command_send(c, KNIT_COMMAND_WATCHING, &part, 1);
}

static void sum_counts(const struct primary *p, struct knit_watch_counts *sum)
{
	const struct knit_watch_ring *ring;
	unsigned int i;

	for (i = 0; i < p->topo->n_workers; i++) {
		ring = state.watch->ring[i];
		if (ring == NULL ||
		    __atomic_load_n(&ring->counted, __ATOMIC_ACQUIRE) != state.serial)
			continue;
		sum->seen += __atomic_load_n(&ring->counts.seen, __ATOMIC_RELAXED);
		sum->skipped += __atomic_load_n(&ring->counts.skipped, __ATOMIC_RELAXED);
		sum->matched += __atomic_load_n(&ring->counts.matched, __ATOMIC_RELAXED);
		sum->lost += __atomic_load_n(&ring->counts.lost, __ATOMIC_RELAXED);
	}
	sum->damaged = state.damaged;
}

/* What a message holds of the records from *tail on. */
struct batch {
	size_t used;
	uint64_t n;
	uint64_t damaged;
};

static struct batch take_records(const struct primary *p, unsigned int worker, uint64_t *tail,
				 uint8_t *to)
{
	const struct knit_watch_ring *ring = state.watch->ring[worker];
	const struct knit_watch_record *r;
	struct batch b = { 0 };
	uint32_t size;

	while (state.sent + b.n < state.limit && b.n + b.damaged < RECORDS_MAX) {
		r = knit_watch_next(ring, state.bytes, tail, state.serial, &size);
		if (r == NULL || (b.used && b.used + size > BATCH))
			break;
		memcpy(to + b.used, r, size);
		*tail += size;
		if (!knit_watch_valid((const struct knit_watch_record *)(const void *)(to + b.used),
				      size, p->topo->n_ports, p->topo->n_ifaces)) {
			b.damaged++;
			continue;
		}
		b.used += size;
		b.n++;
	}
	return b;
}

/* The same moment on both clocks, as far as nobody takes the CPU away in between. */
static void read_clocks(uint64_t *tsc, uint64_t *ns)
{
	uint64_t before, after, best = UINT64_MAX;
	struct timespec now;
	unsigned int i;

	for (i = 0; i < CLOCK_TRIES; i++) {
		before = rte_rdtsc();
		clock_gettime(CLOCK_REALTIME, &now);
		after = rte_rdtsc();
		if (after - before >= best)
			continue;
		best = after - before;
		*tsc = before + best / 2;
		*ns = now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
	}
}

enum sending {
	SENT,
	NOTHING,
	FULL
};

/* One message of a worker's records; always: also without any, for the counts. */
static enum sending send_records(const struct primary *p, struct command_client *c,
				 unsigned int worker, bool always)
{
	static _Alignas(8) uint8_t batch[KNIT_COMMAND_MAX];
	struct knit_watch_records head = { .worker = worker };
	uint64_t tail = state.tail[worker];
	struct command_part parts[2];
	struct batch b = take_records(p, worker, &tail, batch);

	if (b.used || always) {
		read_clocks(&head.tsc, &head.ns);
		sum_counts(p, &head.counts);
		parts[0] = (struct command_part){ &head.worker, sizeof(head) - sizeof(head.head) };
		parts[1] = (struct command_part){ batch, b.used };
		if (!command_send(c, KNIT_COMMAND_WATCHED, parts, 2))
			return FULL;
		state.told_at = rte_get_timer_cycles();
	}
	state.sent += b.n;
	state.damaged += b.damaged;
	take_until(worker, tail);
	return b.used ? SENT : NOTHING;
}

/* A message of each worker in turn. False: the socket is full; then who had no turn comes first. */
static bool send_all(const struct primary *p, struct command_client *c)
{
	unsigned int round, i, n = p->topo->n_workers;
	enum sending one;
	bool more = true;

	for (round = 0; more && round < ROUNDS; round++) {
		more = false;
		for (i = 0; i < n; i++) {
			one = state.watch->ring[state.turn] ? send_records(p, c, state.turn, false)
							    : NOTHING;
			if (one == FULL)
				return false;
			more |= one == SENT;
			state.turn = (state.turn + 1) % n;
		}
	}
	return true;
}

static void watch_poll(struct primary *p, struct command_client *c)
{
	uint32_t late = state.begun ? 0 : count_late(p);

	if (late && ms_since(state.asked_at) < BEGIN_MS)
		return;
	if (!state.begun && !tell_begin(p, c, late))
		return;
	state.begun = true;
	if (!send_all(p, c))
		return;
	if ((ms_since(state.told_at) >= COUNTS_MS || state.sent >= state.limit) &&
	    send_records(p, c, state.turn, true) == FULL)
		return;
	if (state.sent >= state.limit)
		command_end(c, KNIT_EXIT_OK, NULL);
}

static void watch_stop(struct primary *p, struct command_client *c)
{
	if (state.client != c)
		return;
	__atomic_store_n(&state.watch->serial, 0, __ATOMIC_RELEASE);
	wake_workers(p);
	log_info("process %d watches no packets any more: it got %llu", (int)command_pid(c),
		 (unsigned long long)state.sent);
	state.client = NULL;
}

const struct command watch_command = {
	.type = KNIT_COMMAND_WATCH,
	.min = sizeof(struct knit_watch_request),
	.max = sizeof(struct knit_watch_request) +
	       KNIT_WATCH_INSNS * sizeof(struct knit_watch_insn),
	.every_ms = POLL_MS,
	.start = watch_start,
	.poll = watch_poll,
	.stop = watch_stop,
};
