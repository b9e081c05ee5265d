// SPDX-License-Identifier: BSD-3-Clause
#include "objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As enum knit_process_state in topo.h, which only programs with DPDK can include. */
static const char *const states[] = { "none", "attaching", "attached", "leaving", "dead" };
#define ATTACHED 2

static const struct {
	const char *names; /* the telemetry command that lists them */
	const char *one;   /* and the one that tells about one of them */
	const char *key;
} kinds[OBJECT_KINDS] = {
	[OBJECT_PORT] = { "/knit/ports", "/knit/port", "name" },
	[OBJECT_INTERFACE] = { "/knit/interfaces", "/knit/interface", "name" },
	[OBJECT_WORKER] = { "/knit/workers", "/knit/worker", "id" },
};

const char *objects_key(enum object_kind kind)
{
	return kinds[kind].key;
}

uint64_t objects_drops(struct json_object *object, struct json_object *like)
{
	uint64_t n = 0;

	json_object_object_foreach(object, name, value)
	{
		if (like && !json_object_object_get_ex(like, name, NULL))
			continue;
		if (strncmp(name, "drop_", 5) == 0 || strncmp(name, "reject_", 7) == 0)
			n += json_object_get_uint64(value);
	}
	return n;
}

void objects_name_state(struct json_object *object)
{
	const char *text = "unknown";
	struct json_object *state;
	uint64_t n;

	if (!json_object_object_get_ex(object, "state", &state))
		return;
	n = json_object_get_uint64(state);
	if (n < sizeof(states) / sizeof(states[0]))
		text = states[n];
	if (n == ATTACHED && field_uint(object, "parked"))
		text = "parked";
	json_object_object_add(object, "state", json_object_new_string(text));
}

struct json_object *objects_one(struct client *c, enum object_kind kind, const char *name)
{
	struct json_object *told = client_ask(c, kinds[kind].one, name, json_type_object);
	struct json_object *object;

	if (told == NULL)
		return NULL;
	object = json_object_new_object();
	json_object_object_add(object, kinds[kind].key,
			       kind == OBJECT_WORKER ? json_object_new_int64(atoll(name))
						     : json_object_new_string(name));
	json_object_object_foreach(told, field, value)
	{
		json_object_object_add(object, field, json_object_get(value));
	}
	json_object_put(told);
	objects_name_state(object);
	return object;
}

/* Neither a name nor a number: no name that could be asked for. */
const char *objects_name(struct json_object *names, size_t i)
{
	struct json_object *name = json_object_array_get_idx(names, i);

	if (json_object_is_type(name, json_type_string) || json_object_is_type(name, json_type_int))
		return json_object_get_string(name);
	return NULL;
}

struct json_object *objects_names(struct client *c, enum object_kind kind)
{
	return client_need(c, kinds[kind].names, json_type_array);
}

struct json_object *objects_all(struct client *c, enum object_kind kind)
{
	struct json_object *names = objects_names(c, kind);
	struct json_object *all = json_object_new_array(), *object;
	const char *name;
	size_t i;

	for (i = 0; names && i < json_object_array_length(names); i++) {
		name = objects_name(names, i);
		object = name ? objects_one(c, kind, name) : NULL;
		if (object)
			json_object_array_add(all, object);
	}
	json_object_put(names);
	return all;
}
