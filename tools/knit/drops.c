// SPDX-License-Identifier: BSD-3-Clause
#include "kni/drops.h"
#include "client.h"
#include "knit.h"
#include "objects.h"
#include "system/process/exit.h"
#include "table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <abi/knit_desc.h>

/* What a counter means and what helps; from the tables that the programs count with. */
struct reason {
	const char *name;
	const char *meaning;
	const char *advice;
};

static const struct reason iface_reasons[] = {
#define X(id, name, text, advice) { "drop_" #name, text, advice },
	KNIT_USER_DROP_TABLE(X) KNIT_ENGINE_DROP_TABLE(X)
#undef X
#define X(id, name, text) { "reject_" #name, text, KNIT_REJECT_ADVICE },
		KNIT_REJECT_TABLE(X)
#undef X
};

static const struct reason worker_reasons[] = {
#define X(id, name, text, advice) { "drop_" #name, text, advice },
	KNIT_WORKER_DROP_TABLE(X)
#undef X
};

/* Something that counts. */
struct place {
	const char *word; /* in JSON */
	enum object_kind kind;
	const struct reason *reasons;
	size_t n_reasons;
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
	const struct place iface = { .word = "interface",
				     .kind = OBJECT_INTERFACE,
				     .reasons = iface_reasons,
				     .n_reasons =
					     sizeof(iface_reasons) / sizeof(iface_reasons[0]) };
	const struct place worker = { .word = "worker",
				      .kind = OBJECT_WORKER,
				      .reasons = worker_reasons,
				      .n_reasons =
					      sizeof(worker_reasons) / sizeof(worker_reasons[0]) };

	places_add(p, c, &iface);
	places_add(p, c, &worker);
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

static struct json_object *drop_new(const struct place *place, const struct reason *r,
				    uint64_t packets)
{
	struct json_object *drop = json_object_new_object();

	json_object_object_add(drop, place->word, json_object_new_string(place->name));
	json_object_object_add(drop, "counter", json_object_new_string(r->name));
	json_object_object_add(drop, "packets", json_object_new_uint64(packets));
	json_object_object_add(drop, "meaning", json_object_new_string(r->meaning));
	json_object_object_add(drop, "advice", json_object_new_string(r->advice));
	return drop;
}

/* Those of a place to the array; all: also with 0. seconds 0: there was one look. */
static void collect(const struct place *place, bool all, double seconds, struct json_object *drops)
{
	struct json_object *last = place->after ? place->after : place->before, *drop;
	const struct reason *r;
	uint64_t n, before;
	size_t i;

	for (i = 0; i < place->n_reasons; i++) {
		r = &place->reasons[i];
		n = field_uint(last, r->name);
		if (n == 0 && !all)
			continue;
		drop = drop_new(place, r, n);
		before = field_uint(place->before, r->name);
		if (seconds > 0)
			json_object_object_add(
				drop, "per_second",
				json_object_new_double(n > before ? (n - before) / seconds : 0.0));
		json_object_array_add(drops, drop);
	}
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
		if (field_text(drop, "interface")[0])
			table_cell(t, "interface %s", field_text(drop, "interface"));
		else
			table_cell(t, "worker %s", field_text(drop, "worker"));
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
		puts("knit counted no lost packet; what a NIC lost itself is in its statistics");
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
