// SPDX-License-Identifier: BSD-3-Clause
#include "rates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BYTE 8

/* A rate, and the counter that it comes from. */
struct rate {
	const char *name;
	const char *counter;
	unsigned int unit;
};

static const struct rate port_rates[] = {
	{ "rx_pps", "rx_packets", 1 },
	{ "tx_pps", "tx_packets", 1 },
	{ "rx_bps", "rx_bytes", BYTE },
	{ "tx_bps", "tx_bytes", BYTE },
	{ NULL },
};

static const struct rate iface_rates[] = {
	{ "to_kernel_pps", "to_kernel", 1 },
	{ "from_kernel_pps", "from_kernel", 1 },
	{ NULL },
};

static const struct rate worker_rates[] = {
	{ "rx_pps", "rx_packets", 1 },	  { "tx_pps", "tx_packets", 1 },
	{ "to_kernel_pps", "punted", 1 }, { "from_kernel_pps", "injected", 1 },
	{ "between_pps", "xconnect", 1 }, { NULL },
};

/* By enum object_kind. */
static const struct {
	const char *plural;
	const struct rate *rates;
} kinds[OBJECT_KINDS] = {
	[OBJECT_PORT] = { "ports", port_rates },
	[OBJECT_INTERFACE] = { "interfaces", iface_rates },
	[OBJECT_WORKER] = { "workers", worker_rates },
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

bool look_take(struct look *l, struct client *c)
{
	unsigned int i;

	memset(l, 0, sizeof(*l));
	l->info = client_need(c, "/knit/info", json_type_object);
	for (i = 0; i < OBJECT_KINDS; i++) {
		l->at[i] = now();
		l->objects[i] = objects_all(c, i);
		l->at[i] = (l->at[i] + now()) / 2;
	}
	if (client_code(c) == 0)
		return true;
	look_free(l);
	return false;
}

void look_free(struct look *l)
{
	unsigned int i;

	json_object_put(l->info);
	for (i = 0; i < OBJECT_KINDS; i++)
		json_object_put(l->objects[i]);
	memset(l, 0, sizeof(*l));
}

static struct json_object *find(struct json_object *objects, const char *key, const char *name)
{
	struct json_object *object;
	size_t i;

	for (i = 0; i < json_object_array_length(objects); i++) {
		object = json_object_array_get_idx(objects, i);
		if (strcmp(field_text(object, key), name) == 0)
			return object;
	}
	return NULL;
}

struct json_object *look_find(const struct look *l, enum object_kind kind, const char *name)
{
	return find(l->objects[kind], objects_key(kind), name);
}

static void add_rate(struct json_object *to, const char *name, uint64_t before, uint64_t after,
		     double scale)
{
	double rate = after > before ? (after - before) * scale : 0;

	if (strcmp(name, "busy") == 0 && rate > 1) /* looks and clocks are not exact */
		rate = 1;
	json_object_object_add(to, name, json_object_new_double(rate));
}

/* speed: Mbit/s; 0, and UINT32_MAX as ethdev says it: not known. */
static void add_load(struct json_object *rates, uint64_t speed)
{
	struct json_object *rx, *tx;
	double load;

	if (speed == 0 || speed == UINT32_MAX)
		return;
	json_object_object_get_ex(rates, "rx_bps", &rx);
	json_object_object_get_ex(rates, "tx_bps", &tx);
	load = fmax(json_object_get_double(rx), json_object_get_double(tx)) / (speed * 1e6);
	json_object_object_add(rates, "load", json_object_new_double(fmin(load, 1)));
}

static struct json_object *rates_of(enum object_kind kind, struct json_object *before,
				    struct json_object *after, double seconds, uint64_t tsc_hz)
{
	struct json_object *rates = json_object_new_object(), *name;
	const struct rate *r;

	json_object_object_get_ex(after, objects_key(kind), &name);
	json_object_object_add(rates, objects_key(kind), json_object_get(name));
	for (r = kinds[kind].rates; r->name; r++)
		add_rate(rates, r->name, field_uint(before, r->counter),
			 field_uint(after, r->counter), r->unit / seconds);
	if (kind == OBJECT_PORT)
		add_load(rates, field_uint(after, "link_speed"));
	add_rate(rates, "drops_pps", objects_drops(before, after), objects_drops(after, before),
		 1 / seconds);
	if (kind == OBJECT_WORKER && tsc_hz)
		add_rate(rates, "busy", field_uint(before, "cycles_busy"),
			 field_uint(after, "cycles_busy"), 1 / (seconds * tsc_hz));
	return rates;
}

struct json_object *rates_between(const struct look *before, const struct look *after)
{
	struct json_object *all = json_object_new_object(), *array, *new, *old;
	double seconds;
	unsigned int kind;
	size_t i;

	json_object_object_add(all, "seconds",
			       json_object_new_double(after->at[0] - before->at[0]));
	for (kind = 0; kind < OBJECT_KINDS; kind++) {
		seconds = after->at[kind] - before->at[kind];
		array = json_object_new_array();
		for (i = 0; i < json_object_array_length(after->objects[kind]); i++) {
			new = json_object_array_get_idx(after->objects[kind], i);
			old = find(before->objects[kind], objects_key(kind),
				   field_text(new, objects_key(kind)));
			if (old)
				json_object_array_add(array,
						      rates_of(kind, old, new, seconds,
							       field_uint(after->info, "tsc_hz")));
		}
		json_object_object_add(all, kinds[kind].plural, array);
	}
	return all;
}

static double traffic(struct json_object *rates)
{
	double sum = 0;

	json_object_object_foreach(rates, name, value)
	{
		if (strlen(name) > 4 && strcmp(name + strlen(name) - 4, "_pps") == 0)
			sum += json_object_get_double(value);
	}
	return sum;
}

static int by_traffic(const void *a, const void *b)
{
	double x = traffic(*(struct json_object *const *)a);
	double y = traffic(*(struct json_object *const *)b);

	return (x < y) - (x > y);
}

static int by_name(const void *a, const void *b)
{
	struct json_object *x = *(struct json_object *const *)a;
	struct json_object *y = *(struct json_object *const *)b;

	if (field_text(x, "id")[0])
		return (int)field_uint(x, "id") - (int)field_uint(y, "id");
	return strcmp(field_text(x, "name"), field_text(y, "name"));
}

void rates_sort(struct json_object *rates, bool traffic_first)
{
	struct json_object *array;
	unsigned int kind;

	for (kind = 0; kind < OBJECT_KINDS; kind++)
		if (json_object_object_get_ex(rates, kinds[kind].plural, &array))
			json_object_array_sort(array, traffic_first ? by_traffic : by_name);
}
