// SPDX-License-Identifier: BSD-3-Clause
#include "client.h"
#include "objects.h"
#include "show.h"
#include "table.h"

#include <inttypes.h>

/* What the lists of a command name, as objects with that name first. */
static struct json_object *ask_all(struct client *c, const char *list, const char *one,
				   const char *key)
{
	struct json_object *names = client_need(c, list, json_type_array);
	struct json_object *all = json_object_new_array(), *told, *object;
	const char *name;
	size_t i;

	for (i = 0; names && i < json_object_array_length(names); i++) {
		name = objects_name(names, i);
		told = name ? client_ask(c, one, name, json_type_object) : NULL;
		if (told == NULL)
			continue;
		object = json_object_new_object();
		json_object_object_add(object, key,
				       json_object_get(json_object_array_get_idx(names, i)));
		json_object_object_foreach(told, field, value)
		{
			json_object_object_add(object, field, json_object_get(value));
		}
		json_object_put(told);
		json_object_array_add(all, object);
	}
	json_object_put(names);
	return all;
}

static void mib(struct table *t, struct json_object *object, const char *name)
{
	table_cell(t, "%" PRIu64, field_uint(object, name) >> 20);
}

static void print_nodes(struct json_object *nodes)
{
	static const char *const heads[] = {
		">NODE",     ">NEEDED MIB",   ">HUGEPAGES MIB", ">FREE MIB", ">HEAP MIB",
		">FREE MIB", ">LARGEST FREE", ">ALLOCATIONS",	">MEMZONES", ">MEMZONES MIB",
		NULL
	};
	struct table *t = table_new(heads);
	struct json_object *node;
	size_t i;

	for (i = 0; i < json_object_array_length(nodes); i++) {
		node = json_object_array_get_idx(nodes, i);
		table_cell(t, "%" PRIu64, field_uint(node, "node"));
		mib(t, node, "needed_bytes");
		mib(t, node, "hugepage_bytes");
		mib(t, node, "hugepage_free_bytes");
		mib(t, node, "heap_bytes");
		mib(t, node, "heap_free_bytes");
		mib(t, node, "heap_largest_free_bytes");
		table_cell(t, "%" PRIu64, field_uint(node, "heap_allocations"));
		table_cell(t, "%" PRIu64, field_uint(node, "memzones"));
		mib(t, node, "memzone_bytes");
	}
	table_print(t, stdout);
}

static void print_pools(struct json_object *pools)
{
	static const char *const heads[] = { "POOL",  ">NODE",	     "OF",   ">BUFFERS",
					     ">FREE", ">BYTES EACH", ">MIB", NULL };
	struct table *t = table_new(heads);
	struct json_object *pool, *worker;
	size_t i;

	for (i = 0; i < json_object_array_length(pools); i++) {
		pool = json_object_array_get_idx(pools, i);
		table_cell(t, "%s", field_text(pool, "name"));
		table_cell(t, "%" PRIu64, field_uint(pool, "node"));
		if (json_object_object_get_ex(pool, "worker", &worker) &&
		    json_object_get_int(worker) >= 0)
			table_cell(t, "worker %d", json_object_get_int(worker));
		else
			table_cell(t, "spare");
		table_cell(t, "%" PRIu64, field_uint(pool, "buffers"));
		table_cell(t, "%" PRIu64, field_uint(pool, "free_buffers"));
		table_cell(t, "%" PRIu64, field_uint(pool, "buffer_bytes"));
		table_cell(t, "%" PRIu64,
			   field_uint(pool, "buffers") * field_uint(pool, "buffer_bytes") >> 20);
	}
	table_print(t, stdout);
}

int show_memory(const struct options *o, struct client *c)
{
	struct json_object *nodes = ask_all(c, "/knit/memory", "/knit/memory", "node");
	struct json_object *pools = ask_all(c, "/knit/pools", "/knit/pool", "name"), *whole;

	if (client_code(c) == 0 && o->json) {
		whole = json_object_new_object();
		json_object_object_add(whole, "memory", json_object_get(nodes));
		json_object_object_add(whole, "pools", json_object_get(pools));
		print_json(o, whole);
	} else if (client_code(c) == 0) {
		print_nodes(nodes);
		printf("\n");
		print_pools(pools);
	}
	json_object_put(nodes);
	json_object_put(pools);
	return client_code(c);
}
