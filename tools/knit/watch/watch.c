// SPDX-License-Identifier: BSD-3-Clause
#include "watch.h"

#include "kni/drops.h"
#include "knit/command.h"
#include "knit/objects.h"
#include "system/process/exit.h"

#include <errno.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FILTER_MAX 4096
#define PATIENCE_NS 1000000000u

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

/*
 * poll returns, which is never restarted; a write that waits for a reader goes on. The second
 * signal ends the program at once.
 */
static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal,
				    .sa_flags = SA_RESTART | SA_RESETHAND };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* Whether there is such an object, by what the primary says. */
static bool object_exists(struct client *c, enum object_kind kind, const char *name)
{
	struct json_object *names = objects_names(c, kind);
	bool found = false;
	size_t i, n = names ? json_object_array_length(names) : 0;

	for (i = 0; i < n && !found; i++)
		found = objects_name(names, i) && strcmp(objects_name(names, i), name) == 0;
	json_object_put(names);
	return found;
}

static const struct {
	const char *word;
	enum object_kind kind;
	uint32_t end;
} objects[] = {
	{ "port", OBJECT_PORT, KNIT_WATCH_PORT },
	{ "interface", OBJECT_INTERFACE, KNIT_WATCH_IFACE },
	{ "worker", OBJECT_WORKER, KNIT_WATCH_NOWHERE },
};
#define KINDS (sizeof(objects) / sizeof(objects[0]))

/* The words at argv that name an object become one: true. */
static bool take_object(struct client *c, struct knit_watch_request *r, int argc, char **argv)
{
	struct knit_watch_object *o = &r->objects[r->n_objects];
	size_t i;

	for (i = 0; i < KINDS; i++)
		if (argc >= 2 && strcmp(argv[0], objects[i].word) == 0)
			break;
	if (i == KINDS || !object_exists(c, objects[i].kind, argv[1]))
		return false;
	if (r->n_objects == KNIT_WATCH_OBJECTS) {
		r->n_objects++; /* too many: make_request says so */
		return false;
	}
	o->end = objects[i].end;
	o->directions = r->directions;
	if (objects[i].kind == OBJECT_WORKER)
		o->worker = (uint32_t)strtoul(argv[1], NULL, 10);
	else
		snprintf(o->name, sizeof(o->name), "%s", argv[1]);
	r->n_objects++;
	return true;
}

/* The filter of these words, compiled behind r. An exit code. */
static int compile(struct knit_watch_request *r, int argc, char **argv)
{
	char text[FILTER_MAX] = "";
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, KNIT_WATCH_SNAP_MAX);
	struct bpf_program program;
	size_t at = 0;
	int i, code = KNIT_EXIT_OK;

	for (i = 0; i < argc && at < sizeof(text); i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", i ? " " : "", argv[i]);
	if (pcap == NULL)
		return fail(KNIT_EXIT_FAILURE, "no memory");
	if (at >= sizeof(text)) {
		code = fail(KNIT_EXIT_USAGE, "the filter is longer than %d characters", FILTER_MAX);
	} else if (pcap_compile(pcap, &program, text, 1, PCAP_NETMASK_UNKNOWN) < 0) {
		code = fail(KNIT_EXIT_USAGE,
			    "\"%s\" is neither an object of the system nor a filter as of "
			    "pcap-filter(7): %s",
			    text, pcap_geterr(pcap));
	} else {
		if (program.bf_len > KNIT_WATCH_INSNS)
			code = fail(KNIT_EXIT_USAGE,
				    "the filter has %u instructions: at most %d are possible",
				    program.bf_len, KNIT_WATCH_INSNS);
		else
			memcpy(r->insns, program.bf_insns, program.bf_len * sizeof(r->insns[0]));
		r->n_insns = program.bf_len;
		pcap_freecode(&program);
	}
	pcap_close(pcap);
	return code;
}

static int parse_direction(const char *text, uint32_t *directions)
{
	*directions = KNIT_WATCH_RX | KNIT_WATCH_TX;
	if (text == NULL)
		return KNIT_EXIT_OK;
	if (strcmp(text, "rx") == 0)
		*directions = KNIT_WATCH_RX;
	else if (strcmp(text, "tx") == 0)
		*directions = KNIT_WATCH_TX;
	else
		return fail(KNIT_EXIT_USAGE, "--direction: found \"%s\": rx or tx is expected",
			    text);
	return KNIT_EXIT_OK;
}

static int make_request(const struct watch *w, struct client *c, struct knit_watch_request *r,
			int argc, char **argv)
{
	int at = 1, code = parse_direction(w->o->direction, &r->directions);

	r->snaplen = w->o->length ? w->o->length : w->length;
	r->share = w->o->share;
	r->journeys = w->journeys;
	r->limit = w->o->number;
	while (code == KNIT_EXIT_OK && take_object(c, r, argc - at, argv + at))
		at += 2;
	if (code == KNIT_EXIT_OK && r->n_objects > KNIT_WATCH_OBJECTS)
		code = fail(KNIT_EXIT_USAGE, "found more than %d objects: at most %d are possible",
			    KNIT_WATCH_OBJECTS, KNIT_WATCH_OBJECTS);
	if (code == KNIT_EXIT_OK)
		code = client_code(c);
	if (code == KNIT_EXIT_OK && at < argc && strcmp(argv[at], "where") == 0)
		at++;
	if (code == KNIT_EXIT_OK && at < argc)
		code = compile(r, argc - at, argv + at);
	return code;
}

/* Each record of a message. False: there was an error. */
static bool take_records(struct watch *w, const struct knit_watch_records *m, size_t len)
{
	const uint8_t *at = m->records, *end = (const uint8_t *)m + len;
	const struct knit_watch_record *r;

	w->head = m;
	while ((size_t)(end - at) >= sizeof(*r)) {
		r = (const struct knit_watch_record *)(const void *)at;
		if (r->size < sizeof(*r) || r->size > (size_t)(end - at) ||
		    r->n_steps > KNIT_WATCH_STEPS || r->captured > r->size - sizeof(*r)) {
			fail(0, "the primary sent a record that is damaged");
			return false;
		}
		if (!w->record(w, r))
			return false;
		at += r->size;
	}
	return true;
}

static bool take_message(struct watch *w, const struct knit_command_head *head, size_t len,
			 struct knit_watch_counts *counts)
{
	const struct knit_watch_records *m = (const struct knit_watch_records *)(const void *)head;

	if (head->type == KNIT_COMMAND_WATCHING && len == sizeof(w->with)) {
		memcpy(&w->with, head, len);
		if (w->begin && !w->begin(w))
			return false;
		if (w->with.late)
			fprintf(stderr,
				"knit: %u workers stand still and watch as soon as they go on\n",
				w->with.late);
		fprintf(stderr, "knit: watching; ^C ends it\n");
		return true;
	}
	if (head->type == KNIT_COMMAND_WATCHED && len >= sizeof(*m) && w->with.tsc_hz &&
	    m->worker < KNIT_WATCH_WORKERS) {
		*counts = m->counts;
		return take_records(w, m, len);
	}
	fail(0, "the primary sent what no command expects");
	return false;
}

static void print_counts(const struct knit_watch_counts *counts)
{
	fprintf(stderr, "knit: %" PRIu64 " passed, %" PRIu64 " chosen", counts->seen,
		counts->matched);
	if (counts->skipped)
		fprintf(stderr, ", %" PRIu64 " not looked at (--share)", counts->skipped);
	if (counts->lost)
		fprintf(stderr, ", %" PRIu64 " lost: this end is too slow (watch.buffer)",
			counts->lost);
	if (counts->damaged)
		fprintf(stderr, ", %" PRIu64 " damaged: a worker has a fault", counts->damaged);
	fprintf(stderr, "\n");
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/*
 * A signal came. What passed until then still arrives: the primary tells how far it is several
 * times a second, unless it stands still.
 */
static bool is_over(const struct watch *w, const struct knit_command_head *head)
{
	static uint64_t end;

	if (!stop)
		return false;
	if (end == 0)
		end = now_ns();
	return (head && w->head && w->head->ns >= end) || now_ns() - end > PATIENCE_NS;
}

static int follow(struct watch *w, struct command_call *call)
{
	struct knit_watch_counts counts = { 0 };
	struct pollfd fd = { .fd = command_fd(call), .events = POLLIN };
	const struct knit_command_head *head;
	int code = -1;
	size_t len;

	do {
		head = command_next(call, false, &len, &code);
		if (head && !take_message(w, head, len, &counts))
			code = KNIT_EXIT_FAILURE;
		else if (head == NULL && w->pause && !w->pause(w))
			code = KNIT_EXIT_FAILURE;
		else if (head == NULL && code == -1)
			poll(&fd, 1, 1000);
	} while (code == -1 && !is_over(w, head));
	if (w->with.tsc_hz)
		print_counts(&counts);
	return code == -1 ? KNIT_EXIT_OK : code;
}

int watch_run(struct watch *w, int argc, char **argv)
{
	struct knit_watch_request *r =
		calloc(1, sizeof(*r) + KNIT_WATCH_INSNS * sizeof(r->insns[0]));
	struct command_call *call = NULL;
	struct client *c;
	int code;

	if (r == NULL)
		return fail(KNIT_EXIT_FAILURE, "no memory");
	catch_signals();
	c = client_open(w->o->prefix, &code);
	if (c)
		code = make_request(w, c, r, argc, argv);
	if (c && code == KNIT_EXIT_OK)
		call = command_call(c, KNIT_COMMAND_WATCH, r,
				    sizeof(*r) + r->n_insns * sizeof(r->insns[0]), &code);
	if (call) {
		code = follow(w, call);
		command_close(call);
	}
	if (c)
		client_close(c);
	free(r);
	return code;
}

uint64_t watch_time(const struct watch *w, uint64_t tsc)
{
	int64_t ticks = (int64_t)(tsc - w->head->tsc);
	/* in two parts, since ticks * 10^9 has no room */
	int64_t hz = (int64_t)w->with.tsc_hz;

	return w->head->ns + ticks / hz * 1000000000 + ticks % hz * 1000000000 / hz;
}

void watch_place(const struct watch *w, uint8_t end, uint16_t index, char *text, size_t size)
{
	if (end == KNIT_WATCH_PORT && index < w->with.n_ports && index < KNIT_WATCH_PORTS)
		snprintf(text, size, "port %.32s", w->with.port[index]);
	else if (end == KNIT_WATCH_IFACE && index < w->with.n_ifaces && index < KNIT_WATCH_IFACES)
		snprintf(text, size, "interface %.32s", w->with.iface[index]);
	else if (end == KNIT_WATCH_HANDOFF && index < w->with.n_workers &&
		 index < KNIT_WATCH_WORKERS)
		snprintf(text, size, "worker %u", w->with.worker[index]);
	else
		snprintf(text, size, "nobody");
}

static const char *const why_texts[] = {
#define X(id, name, text) text,
	KNIT_WATCH_WHY_TABLE(X)
#undef X
};

static const char *const drop_names[] = {
#define X(id, name, level, text, advice) "drop_" #name,
	KNIT_WORKER_DROP_TABLE(X)
#undef X
};

static const char *const drop_texts[] = {
#define X(id, name, level, text, advice) text,
	KNIT_WORKER_DROP_TABLE(X)
#undef X
};

const char *watch_drop_name(uint16_t index)
{
	return index < KNIT_WORKER_DROPS ? drop_names[index] : "?";
}

void watch_step(const struct watch *w, const struct knit_watch_step *s, char *text, size_t size)
{
	char place[64];

	watch_place(w, s->end, s->index, place, sizeof(place));
	switch (s->what) {
	case KNIT_WATCH_RECEIVED:
		if (s->end == KNIT_WATCH_HANDOFF)
			snprintf(text, size, "taken over from %s", place);
		else
			snprintf(text, size, "received from %s, %s %u", place,
				 s->end == KNIT_WATCH_PORT ? "queue" : "pair", s->value);
		break;
	case KNIT_WATCH_DECIDED:
		snprintf(text, size, "%s", s->index < KNIT_WATCH_WHYS ? why_texts[s->index] : "?");
		break;
	case KNIT_WATCH_CHANGED:
		snprintf(text, size, "offloads done in software: %u frame%s", s->value,
			 s->value == 1 ? "" : "s");
		break;
	case KNIT_WATCH_HANDED:
		if (s->end == KNIT_WATCH_HANDOFF)
			snprintf(text, size, "handed over to %s, which has the transmit queue",
				 place);
		else
			snprintf(text, size, "handed to %s, %s %u", place,
				 s->end == KNIT_WATCH_PORT ? "queue" : "pair", s->value);
		break;
	case KNIT_WATCH_DROPPED:
		snprintf(text, size, "%u frame%s dropped: %s: %s", s->value,
			 s->value == 1 ? "" : "s", watch_drop_name(s->index),
			 s->index < KNIT_WORKER_DROPS ? drop_texts[s->index] : "?");
		break;
	default:
		snprintf(text, size, "?");
	}
}
