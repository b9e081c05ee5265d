// SPDX-License-Identifier: BSD-3-Clause
#include "client.h"
#include "knit.h"
#include "objects.h"
#include "system/metrics/metrics.h"
#include "system/process/exit.h"
#include "table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Something that counts. */
struct place {
	const struct knit_metrics *metrics;
	enum object_kind kind;
	char name[64];
	struct json_object *before, *after; /* what it told at the two looks */
};

struct places {
	struct place *place;
	size_t n;
};

static void places_add(struct places *p, struct client *c, const struct place *like)
{
	struct json_object *names = objects_names(c, like->kind);
	size_t i, n = names ? json_object_array_length(names) : 0;
	struct place *new;

	p->place = realloc(p->place, (p->n + n + 1) * sizeof(*p->place));
	if (p->place == NULL)
		exit(fail(KNIT_EXIT_FAILURE, "no memory"));
	for (i = 0; i < n; i++) {
		if (objects_name(names, i) == NULL)
			continue;
		new = &p->place[p->n++];
		*new = *like;
		snprintf(new->name, sizeof(new->name), "%s", objects_name(names, i));
	}
	json_object_put(names);
}

static void places_find(struct places *p, struct client *c)
{
	static const struct place kinds[] = {
		{ .metrics = &knit_metrics[KNIT_METRICS_PORT], .kind = OBJECT_PORT },
		{ .metrics = &knit_metrics[KNIT_METRICS_INTERFACE], .kind = OBJECT_INTERFACE },
		{ .metrics = &knit_metrics[KNIT_METRICS_WORKER], .kind = OBJECT_WORKER },
	};
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		places_add(p, c, &kinds[i]);
}

/* seconds later, all at about the same time. */
static double look_again(struct places *p, struct client *c, double seconds)
{
	struct timespec t = { .tv_sec = (time_t)seconds }, start, end;
	size_t i;

	t.tv_nsec = (seconds - t.tv_sec) * 1e9;
	clock_gettime(CLOCK_MONOTONIC, &start);
	nanosleep(&t, NULL);
	for (i = 0; i < p->n; i++)
		p->place[i].after = objects_one(c, p->place[i].kind, p->place[i].name);
	clock_gettime(CLOCK_MONOTONIC, &end);
	return end.tv_sec - start.tv_sec + (end.tv_nsec - start.tv_nsec) / 1e9;
}

static struct json_object *drop_new(const struct place *place, const struct knit_metric *m,
				    uint64_t packets)
{
	struct json_object *drop = json_object_new_object();

	json_object_object_add(drop, place->metrics->word, json_object_new_string(place->name));
	json_object_object_add(drop, "counter", json_object_new_string(m->name));
	json_object_object_add(drop, "packets", json_object_new_uint64(packets));
	json_object_object_add(drop, "meaning", json_object_new_string(m->help));
	json_object_object_add(drop, "advice", json_object_new_string(m->advice));
	return drop;
}

/* Those of a place to the array; all: also with 0. seconds 0: there was one look. */
static void collect(const struct place *place, bool all, double seconds, struct json_object *drops)
{
	struct json_object *last = place->after ? place->after : place->before, *drop;
	const struct knit_metric *m;
	uint64_t n, before;
	size_t i;

	for (i = 0; i < place->metrics->n; i++) {
		m = &place->metrics->row[i];
		if (m->reason == NULL)
			continue;
		n = field_uint(last, m->name);
		if (n == 0 && !all)
			continue;
		drop = drop_new(place, m, n);
		before = field_uint(place->before, m->name);
		if (seconds > 0)
			json_object_object_add(
				drop, "per_second",
				json_object_new_double(n > before ? (n - before) / seconds : 0.0));
		json_object_array_add(drops, drop);
	}
}

static void table_place(struct table *t, struct json_object *drop)
{
	static const char *const words[] = { "port", "interface", "worker" };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (field_text(drop, words[i])[0])
			table_cell(t, "%s %s", words[i], field_text(drop, words[i]));
}

/* A table, and below it what each counter in it means, once. */
static void print_drops(struct json_object *drops, bool rates)
{
	static const char *const with_rate[] = { "WHERE", "COUNTER", ">PACKETS", ">PER SECOND",
						 NULL };
	static const char *const without[] = { "WHERE", "COUNTER", ">PACKETS", NULL };
	struct table *t = table_new(rates ? with_rate : without);
	struct json_object *told = json_object_new_object(), *drop, *rate;
	size_t i, n = json_object_array_length(drops);
	const char *counter;

	for (i = 0; i < n; i++) {
		drop = json_object_array_get_idx(drops, i);
		table_place(t, drop);
		table_cell(t, "%s", field_text(drop, "counter"));
		table_cell(t, "%" PRIu64, field_uint(drop, "packets"));
		if (json_object_object_get_ex(drop, "per_second", &rate))
			table_cell(t, "%.1f", json_object_get_double(rate));
	}
	table_print(t, stdout);
	for (i = 0; i < n; i++) {
		drop = json_object_array_get_idx(drops, i);
		counter = field_text(drop, "counter");
		if (json_object_object_get_ex(told, counter, NULL))
			continue;
		json_object_object_add(told, counter, NULL);
		printf("\n%s: %s\n    %s\n", counter, field_text(drop, "meaning"),
		       field_text(drop, "advice"));
	}
	puts("\ndocs/METRICS.md lists all reasons.");
	json_object_put(told);
}

static int drops_of_system(const struct options *o, struct client *c, struct places *p)
{
	struct json_object *drops = json_object_new_array(), *whole;
	double seconds = 0;
	size_t i;

	for (i = 0; i < p->n; i++)
		p->place[i].before = objects_one(c, p->place[i].kind, p->place[i].name);
	if (o->seconds > 0 && client_code(c) == 0)
		seconds = look_again(p, c, o->seconds);
	for (i = 0; i < p->n; i++) {
		collect(&p->place[i], o->all, seconds, drops);
		json_object_put(p->place[i].before);
		json_object_put(p->place[i].after);
	}
	if (client_code(c) == 0 && o->json) {
		whole = json_object_new_object();
		json_object_object_add(whole, "drops", json_object_get(drops));
		print_json(o, whole);
	} else if (client_code(c) == 0 && json_object_array_length(drops) == 0) {
		puts("no packet was lost");
	} else if (client_code(c) == 0) {
		print_drops(drops, seconds > 0);
	}
	json_object_put(drops);
	return client_code(c);
}

int drops_main(const struct options *o, int argc, char **argv)
{
	struct places places = { NULL, 0 };
	struct client *c;
	int code;

	if (argc > 1)
		return fail(KNIT_EXIT_USAGE, "drops: found \"%s\": it has no arguments", argv[1]);
	c = client_open(o->prefix, &code);
	if (c == NULL)
		return code;
	places_find(&places, c);
	code = drops_of_system(o, c, &places);
	free(places.place);
	client_close(c);
	return code;
}
