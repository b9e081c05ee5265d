// SPDX-License-Identifier: BSD-3-Clause
#include "summary.h"
#include "watch.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>
#include <time.h>

/* knit trace: the journeys of packets through the workers, as text or as JSON. */

#define LENGTH 128
#define NUMBER 10

static const char *const step_names[] = {
#define X(id, name) #name,
	KNIT_WATCH_STEP_TABLE(X)
#undef X
};

static const char *const why_names[] = {
#define X(id, name, text) #name,
	KNIT_WATCH_WHY_TABLE(X)
#undef X
};

struct trace {
	uint64_t n;
};

static void print_time(uint64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000);
	char text[32];
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%H:%M:%S", &tm);
	printf("%s.%09" PRIu64, text, ns % 1000000000);
}

static void print_text(struct watch *w, const struct knit_watch_record *r)
{
	struct trace *t = w->user;
	uint64_t first = r->n_steps ? watch_time(w, r->steps[0].tsc) : 0, ns;
	char text[256];
	uint32_t i;

	printf("%s%" PRIu64 "  ", t->n ? "\n" : "", t->n + 1);
	print_time(first);
	printf("  worker %u  %u bytes\n", w->with.worker[w->head->worker], r->len);
	summary(r->data, r->captured, text, sizeof(text));
	if (text[0])
		printf("    %s\n", text);
	for (i = 0; i < r->n_steps; i++) {
		ns = watch_time(w, r->steps[i].tsc) - first;
		watch_step(w, &r->steps[i], text, sizeof(text));
		printf("    %8.2f us  %s\n", ns / 1000.0, text);
	}
}

static void add_text(struct json_object *o, const char *name, const char *text)
{
	json_object_object_add(o, name, json_object_new_string(text));
}

static void add_place(const struct watch *w, struct json_object *o, uint8_t end, uint16_t index)
{
	if (end == KNIT_WATCH_PORT && index < w->with.n_ports)
		add_text(o, "port", w->with.port[index]);
	else if (end == KNIT_WATCH_IFACE && index < w->with.n_ifaces)
		add_text(o, "interface", w->with.iface[index]);
}

static struct json_object *step_json(const struct watch *w, const struct knit_watch_step *s,
				     uint64_t first)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "after_ns",
			       json_object_new_int64((int64_t)(watch_time(w, s->tsc) - first)));
	add_text(o, "step", s->what < KNIT_WATCH_WHATS ? step_names[s->what] : "?");
	switch (s->what) {
	case KNIT_WATCH_RECEIVED:
	case KNIT_WATCH_HANDED:
		add_place(w, o, s->end, s->index);
		if (s->end == KNIT_WATCH_HANDOFF && s->index < w->with.n_workers)
			json_object_object_add(o, "other_worker",
					       json_object_new_int64(w->with.worker[s->index]));
		else
			json_object_object_add(o, s->end == KNIT_WATCH_PORT ? "queue" : "pair",
					       json_object_new_int64(s->value));
		break;
	case KNIT_WATCH_DECIDED:
		add_text(o, "why", s->index < KNIT_WATCH_WHYS ? why_names[s->index] : "?");
		break;
	case KNIT_WATCH_DROPPED:
		add_text(o, "counter", watch_drop_name(s->index));
		json_object_object_add(o, "frames", json_object_new_int64(s->value));
		break;
	case KNIT_WATCH_CHANGED:
		json_object_object_add(o, "frames", json_object_new_int64(s->value));
		break;
	}
	return o;
}

static void add_data(struct json_object *o, const struct knit_watch_record *r)
{
	char hex[2 * KNIT_WATCH_SNAP_MAX + 1];
	uint32_t i;

	for (i = 0; i < r->captured && i < KNIT_WATCH_SNAP_MAX; i++)
		snprintf(hex + (size_t)2 * i, 3, "%02x", r->data[i]);
	json_object_object_add(o, "data", json_object_new_string_len(hex, (int)(2 * i)));
}

static void print_record(struct watch *w, const struct knit_watch_record *r)
{
	struct json_object *o = json_object_new_object(), *steps = json_object_new_array();
	uint64_t first = r->n_steps ? watch_time(w, r->steps[0].tsc) : 0;
	char text[256];
	uint32_t i;

	json_object_object_add(o, "time_ns", json_object_new_int64((int64_t)first));
	json_object_object_add(o, "worker", json_object_new_int64(w->with.worker[w->head->worker]));
	add_place(w, o, r->end, r->index);
	add_text(o, "direction", r->direction == KNIT_WATCH_RX ? "rx" : "tx");
	json_object_object_add(o, "length", json_object_new_int64(r->len));
	summary(r->data, r->captured, text, sizeof(text));
	add_text(o, "packet", text);
	add_data(o, r);
	for (i = 0; i < r->n_steps; i++)
		json_object_array_add(steps, step_json(w, &r->steps[i], first));
	json_object_object_add(o, "steps", steps);
	print_json(w->o, o);
}

static bool trace_record(struct watch *w, const struct knit_watch_record *r)
{
	struct trace *t = w->user;

	if (w->o->json)
		print_record(w, r);
	else
		print_text(w, r);
	t->n++;
	return true;
}

static bool trace_pause(struct watch *w)
{
	(void)w;
	if (fflush(stdout) == 0)
		return true;
	fail(0, "standard output: %s", strerror(errno));
	return false;
}

int trace_main(const struct options *o, int argc, char **argv)
{
	struct options own = *o;
	struct trace t = { 0 };
	struct watch w = { .o = &own,
			   .journeys = true,
			   .length = LENGTH,
			   .user = &t,
			   .record = trace_record,
			   .pause = trace_pause };

	if (!own.number)
		own.number = NUMBER;
	return watch_run(&w, argc, argv);
}
