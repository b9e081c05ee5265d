// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_tap
#include "tap_owner.h"

#include "kni/base/handover.h"
#include "kni/base/log.h"
#include "kni/kick.h"
#include "tap.h"

#include <rte_branch_prediction.h>
#include <rte_cycles.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define FEW 8	  /* frames that the owner writes itself; more are worth a wake-up */
#define ROUNDS 16 /* polls of rx_q in one burst, at most */
#define PAUSE_MIN_US 8
#define PAUSE_MAX_US 64
#define AWAKE_US 100  /* after a frame; then the queue is watched */
#define GAP_MAX_US 48 /* between two reads that bring nothing */
#define UNANSWERED \
	4 /* times that nobody answered what was sent; then an answer is not waited for */
#define WINDOW_US 100
#define WINDOW_FRAMES 16

/* One pair as its owner has it. */
struct owner {
	struct knit_tap_scratch *scratch;
	struct knit_tap_io *io;
	struct knit_region_reader reader;
	uint64_t us;	      /* TSC cycles */
	uint64_t next_read;   /* TSC: not before */
	uint64_t awake_until; /* TSC; of use while awake */
	uint64_t gap;	      /* TSC cycles between two reads that bring nothing */
	uint64_t window_start;
	uint64_t window_packets; /* at its start */
	uint64_t last_packets;
	uint32_t pause_us; /* between two reads of a busy queue */
	uint32_t unanswered;
	bool busy;
	bool awake;
	bool started;
	bool heard;		      /* the kernel sent something while it is awake */
	struct knit_tap_iface *iface; /* with one pair */
};

static struct owner *owners[KNIT_MAX_IFACES][KNIT_MAX_PAIRS];
static pthread_once_t at_fork = PTHREAD_ONCE_INIT;
static uint32_t n_awake; /* owners; the worker's thread */

/* What the engine's watch says at present. */
static void merging_update(struct knit_tap_iface *t, const struct rte_kni *kni)
{
	t->gro = __atomic_load_n(&kni->merge_tcp, __ATOMIC_RELAXED);
	t->merge_to = __atomic_load_n(&kni->merge_udp_to, __ATOMIC_RELAXED);
}

/* Frames, not segments: one of 64 KiB has many. */
static bool few_frames_wait(const struct knit_tap_pair *p)
{
	uint32_t i, cons = knit_load(&p->rx_q.shm->consumer), frames = 0;
	uint32_t n = knit_load(&p->rx_q.shm->producer) - cons;
	const struct knit_desc *d;

	n = RTE_MIN(n, p->rx_q.size); /* whatever others wrote there */
	for (i = 0; i < n && frames <= FEW; i++) {
		d = knit_ring_entry(&p->rx_q, cons + i);
		frames += !(knit_load(&d->flags) & KNIT_DESC_MORE);
	}
	return frames <= FEW;
}

static void stay_awake(struct owner *o, uint64_t now)
{
	n_awake += !o->awake;
	o->awake = true;
	o->awake_until = now + AWAKE_US * o->us;
}

static void doze_off(struct owner *o)
{
	n_awake -= o->awake;
	o->unanswered = o->heard ? 0 : RTE_MIN(o->unanswered + 1, (uint32_t)UNANSWERED);
	o->awake = false;
	o->heard = false;
}

static bool serve_rx(const struct rte_kni *kni, uint16_t pair, void *arg, bool wanted_space)
{
	struct owner *o = arg;
	struct knit_tap_pair *p = &o->iface->pair[0];
	unsigned int i;
	bool more = true;

	if (wanted_space || (kni->handover == KNIT_HANDOVER_AUTO && !few_frames_wait(p)))
		return false;
	if (!knit_tap_rx_begin(p, KNIT_SERVER_OWNER))
		return false;
	merging_update(o->iface, kni);
	knit_region_enter(&o->reader);
	for (i = 0; more && i < ROUNDS; i++)
		more = knit_tap_rx(p, o->scratch, o->io, o->reader.table);
	knit_region_leave(&o->reader);
	knit_tap_rx_end(p);
	p->stats->kicks++;
	p->stats->kicks_over += more;
	if (p->given && o->unanswered < UNANSWERED)
		stay_awake(o, rte_rdtsc());
	return !more;
}

/* The engine's thread reads the device until the owner does. */
static bool tx_take_over(struct knit_tap_pair *p)
{
	if (__atomic_load_n(&p->server->tx_given, __ATOMIC_ACQUIRE) != 1 ||
	    !knit_ring_claim_consumer(&p->alloc_q) || !knit_ring_claim_producer(&p->tx_q))
		return false;
	p->given = true;
	return true;
}

static bool holds(void *arg)
{
	const struct owner *o = arg;

	return knit_tap_tx_holds(&o->iface->pair[0]);
}

/* Without a ring there is no watch: the thread reads from now on, which can wait for frames. */
static void tx_give_back(const struct rte_kni *kni, struct owner *o)
{
	struct knit_tap_pair *p = &o->iface->pair[0];

	doze_off(o);
	knit_tap_tx_forget(p);
	p->given = false;
	knit_kick_set(
		kni, p->index,
		&(struct knit_kick){ .to_kernel = serve_rx, .holds = holds, .arg = o, .fd = -1 });
	__atomic_store_n(&p->server->tx_wanted, 0, __ATOMIC_RELEASE);
	knit_doorbell_ring(kni->pair[p->index].engine_doorbell);
}

/* More than one frame in KNIT_TAP_BUSY_US; the engine's thread has windows of its own. */
static bool is_busy(struct owner *o, uint64_t now, uint64_t packets)
{
	uint64_t since = now - o->window_start, frames = packets - o->window_packets;

	if (frames >= WINDOW_FRAMES || since > WINDOW_US * o->us) {
		o->busy = frames * KNIT_TAP_BUSY_US * o->us >= since;
		o->window_start = now;
		o->window_packets = packets;
	}
	return o->busy;
}

/*
 * When to read again, after a read that began at start and left nothing.
 *
 * A frame that comes while the queue is watched costs its sender an interrupt to this CPU, and that
 * takes longer than a read. So for AWAKE_US after a frame, either way, the queue is not watched but
 * read. Reads that bring nothing take less than a quarter of the thread's time, as long as a look
 * at all pairs that are awake takes less than 12 us. While the kernel sends fast, a pause lets a
 * batch gather.
 */
static void tx_pace(struct owner *o, uint64_t start, uint64_t packets)
{
	uint64_t now = rte_rdtsc(), frames = packets - o->last_packets;

	o->last_packets = packets;
	if (frames) {
		stay_awake(o, now);
		o->heard = true;
	} else {
		o->gap = RTE_MIN(4 * n_awake * (now - start), GAP_MAX_US * o->us);
	}
	if (is_busy(o, now, packets) && frames) {
		o->pause_us = knit_tap_pause_next(o->pause_us, frames, PAUSE_MIN_US, PAUSE_MAX_US);
		o->next_read = now + o->pause_us * o->us;
	} else {
		o->pause_us = PAUSE_MIN_US;
		o->next_read = now + o->gap;
	}
	if (o->awake && now >= o->awake_until)
		doze_off(o);
}

static void serve_tx(const struct rte_kni *kni, uint16_t pair, void *arg)
{
	struct owner *o = arg;
	struct knit_tap_pair *p = &o->iface->pair[0];
	uint64_t now;

	if (likely(!knit_tap_tx_holds(p) && !o->awake) && knit_tap_io_is_quiet(o->io))
		return;
	if (unlikely(p->dead)) {
		if (o->awake)
			doze_off(o);
		return;
	}
	if (unlikely(!p->given && !tx_take_over(p)))
		return;
	now = rte_rdtsc();
	if (now < o->next_read && !knit_tap_tx_holds(p))
		return;
	p->readable = true;
	o->io->watch_next = o->awake && now >= o->awake_until ? p->fd : -1;
	knit_region_enter(&o->reader);
	knit_tap_tx(p, o->io, o->reader.table);
	knit_region_leave(&o->reader);
	o->io->watch_next = -1;
	if (p->readable) /* there is more, or it waits for buffers */
		return;
	tx_pace(o, now, p->stats->tx_packets);
	if (unlikely(o->io->ring == NULL))
		tx_give_back(kni, o);
	else if (!o->awake && !o->io->watching)
		knit_tap_io_watch(o->io, p->fd, &p->stats->calls);
}

static void owner_free(struct owner *o)
{
	if (o == NULL)
		return;
	if (o->iface)
		free(o->iface->pair[0].bounce);
	free(o->iface);
	free(o->scratch);
	knit_tap_io_free(o->io);
	free(o);
}

static int iface_init(struct rte_kni *kni, uint16_t pair, struct knit_tap_iface *t)
{
	t->kni = kni;
	t->n_pairs = 1;
	t->ring_size = kni->ring_size;
	t->features = kni->features;
	t->max_segs = kni->max_segs;
	if (knit_tap_pair_init(t, &t->pair[0], pair) < 0)
		return -ENOMEM;
	t->pair[0].bound = true;
	t->pair[0].stats = &kni->pair[pair].by_owner;
	return 0;
}

static struct owner *owner_new(struct rte_kni *kni, uint16_t pair)
{
	size_t bytes = sizeof(struct knit_tap_iface) + sizeof(struct knit_tap_pair);
	struct owner *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	bytes = RTE_ALIGN_CEIL(bytes, KNIT_CACHE_LINE);
	o->iface = aligned_alloc(KNIT_CACHE_LINE, bytes);
	o->scratch = knit_tap_scratch_new();
	o->io = knit_tap_io_new(kni->io_uring);
	if (o->iface)
		memset(o->iface, 0, bytes);
	if (!o->iface || !o->scratch || !o->io || iface_init(kni, pair, o->iface) < 0) {
		owner_free(o);
		return NULL;
	}
	o->us = rte_get_tsc_hz() / 1000000;
	o->pause_us = PAUSE_MIN_US;
	o->gap = o->us;
	return o;
}

/* A child has neither a thread of its own for the ring of io_uring nor the state of the parent. */
static void forget_in_child(void)
{
	uint16_t i, k;

	n_awake = 0;
	for (i = 0; i < KNIT_MAX_IFACES; i++) {
		for (k = 0; k < KNIT_MAX_PAIRS; k++) {
			if (owners[i][k])
				knit_kick_clear(i, k);
			owners[i][k] = NULL;
		}
	}
}

static void at_fork_set(void)
{
	pthread_atfork(NULL, NULL, forget_in_child);
}

static int owner_prepare(struct rte_kni *kni, uint16_t pair, int fd)
{
	struct owner *o = owner_new(kni, pair);
	int ret;

	if (o == NULL)
		return -ENOMEM;
	ret = knit_region_init();
	if (ret < 0) {
		owner_free(o);
		return ret;
	}
	pthread_once(&at_fork, at_fork_set);
	o->iface->pair[0].fd = fd;
	knit_region_register(&o->reader);
	owners[kni->index][pair] = o;
	return 0;
}

static struct owner *owner_of(const struct rte_kni *kni, uint16_t pair)
{
	struct owner *o = owners[kni->index][pair];

	return o && o->iface->kni == kni ? o : NULL;
}

void knit_tap_owner_prepare(struct rte_kni *kni, uint16_t pair, int fd)
{
	int ret = fd < 0 ? fd : owner_prepare(kni, pair, fd);

	if (ret < 0)
		log_notice("%s: pair %u: the engine's thread serves it alone: %s", kni->name, pair,
			   strerror(-ret));
	if (ret < 0 && fd >= 0)
		close(fd);
}

bool knit_tap_owner_start(struct rte_kni *kni, uint16_t pair)
{
	struct knit_kick kick = { .to_kernel = serve_rx, .holds = holds, .fd = -1 };
	struct owner *o = owner_of(kni, pair);
	bool reads;

	if (o == NULL)
		return false;
	kick.arg = o;
	reads = !kni->legacy && o->io->ring;
	if (reads) {
		kick.from_kernel = serve_tx;
		kick.fd = o->iface->pair[0].fd;
	}
	o->started = true;
	knit_kick_set(kni, pair, &kick);
	__atomic_store_n(&kni->pair[pair].server.tx_wanted, reads, __ATOMIC_RELEASE);
	knit_doorbell_ring(kni->pair[pair].engine_doorbell);
	return true;
}

void knit_tap_owner_open(struct rte_kni *kni, uint16_t pair, int fd)
{
	knit_tap_owner_prepare(kni, pair, fd);
	knit_tap_owner_start(kni, pair);
}

/* What was read and found no buffer is dropped. */
void knit_tap_owner_stop(struct rte_kni *kni, uint16_t pair)
{
	struct owner *o = owner_of(kni, pair);

	if (o == NULL || !o->started)
		return;
	o->started = false;
	doze_off(o);
	knit_kick_clear(kni->index, pair);
	if (o->iface->pair[0].given)
		knit_tap_tx_forget(&o->iface->pair[0]);
	__atomic_store_n(&kni->pair[pair].server.tx_wanted, 0, __ATOMIC_RELEASE);
	knit_doorbell_ring(kni->pair[pair].engine_doorbell);
}

void knit_tap_owner_close(struct rte_kni *kni, uint16_t pair)
{
	struct owner *o = owner_of(kni, pair);

	if (o == NULL)
		return;
	knit_tap_owner_stop(kni, pair);
	owners[kni->index][pair] = NULL;
	knit_region_unregister(&o->reader);
	knit_region_fini();
	close(o->iface->pair[0].fd);
	owner_free(o);
}
