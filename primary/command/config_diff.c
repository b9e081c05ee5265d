// SPDX-License-Identifier: BSD-3-Clause
#include "config_diff.h"

#include "config_json.h"

#include <stdio.h>
#include <string.h>

/* A walk through both configurations at once. */
struct walk {
	const struct knit_config *running, *wanted;
	struct config_diff *diff; /* NULL: what is live is taken over */
};

/* The same group in both; NULL: it is not there. */
struct both {
	const struct knit_group *group;
	const void *running, *wanted;
	char name[64]; /* "eal", "port left" */
};

static void add_change(struct config_diff *d, const char *object, const char *change, bool live)
{
	struct json_object *one = json_object_new_object();

	json_object_object_add(one, "object", json_object_new_string(object));
	json_object_object_add(one, "change", json_object_new_string(change));
	json_object_object_add(one, "needs", json_object_new_string(live ? "nothing" : "start"));
	json_object_array_add(d->changes, one);
	d->n++;
	d->n_start += !live;
}

static void add_value(struct config_diff *d, const struct both *b, const struct knit_key *key,
		      struct json_object *from, struct json_object *to)
{
	struct json_object *one;

	add_change(d, b->name, "changed", key->live);
	one = json_object_array_get_idx(d->changes, d->n - 1);
	json_object_object_add(one, "key", json_object_new_string(key->name));
	json_object_object_add(one, "from", json_object_get(from));
	json_object_object_add(one, "to", json_object_get(to));
}

/* Other threads read the value meanwhile. */
static void take_over(const struct knit_key *key, const struct both *b)
{
	char *to = (char *)b->running + key->offset;
	const char *from = (const char *)b->wanted + key->offset;

	if (key->size == sizeof(uint32_t))
		__atomic_store_n((uint32_t *)(void *)to, *(const uint32_t *)(const void *)from,
				 __ATOMIC_RELAXED);
	else
		memcpy(to, from, key->size);
}

static void walk_value(struct walk *w, const struct both *b, const struct knit_key *key)
{
	struct json_object *from = config_json_value(w->running, key, b->running);
	struct json_object *to = config_json_value(w->wanted, key, b->wanted);

	if (!json_object_equal(from, to)) {
		if (w->diff)
			add_value(w->diff, b, key, from, to);
		else if (key->live)
			take_over(key, b);
	}
	json_object_put(from);
	json_object_put(to);
}

static unsigned int list_length(const struct knit_key *list, const void *base)
{
	return *(const unsigned int *)(const void *)((const char *)base + list->count);
}

static const void *element(const struct knit_key *list, const void *base, unsigned int i)
{
	return (const char *)base + list->offset + i * list->size;
}

/* Members are filled up with zeroes. */
static const void *find_element(const struct knit_key *list, const void *base, const void *like)
{
	const struct knit_key *id = config_json_identity(list);
	unsigned int i, n = list_length(list, base);

	for (i = 0; i < n; i++)
		if (config_json_there(list, element(list, base, i)) &&
		    memcmp((const char *)element(list, base, i) + id->offset,
			   (const char *)like + id->offset, id->size) == 0)
			return element(list, base, i);
	return NULL;
}

/* "port left" of "ports" */
static void element_name(const struct knit_key *list, const struct knit_config *c, const void *at,
			 char *name, size_t size)
{
	struct json_object *id = config_json_value(c, config_json_identity(list), at);

	snprintf(name, size, "%.*s %s", (int)strlen(list->name) - 1, list->name,
		 json_object_get_string(id));
	json_object_put(id);
}

static void walk_group(struct walk *w, const struct both *b);

static void walk_list(struct walk *w, const struct both *outer, const struct knit_key *list)
{
	struct both b = { .group = list->sub };
	unsigned int i;

	for (i = 0; i < list_length(list, outer->running); i++) {
		b.running = element(list, outer->running, i);
		if (!config_json_there(list, b.running))
			continue;
		b.wanted = find_element(list, outer->wanted, b.running);
		element_name(list, w->running, b.running, b.name, sizeof(b.name));
		if (b.wanted)
			walk_group(w, &b);
		else if (w->diff)
			add_change(w->diff, b.name, "removed", false);
	}
	for (i = 0; w->diff && i < list_length(list, outer->wanted); i++) {
		b.wanted = element(list, outer->wanted, i);
		if (!config_json_there(list, b.wanted) ||
		    find_element(list, outer->running, b.wanted))
			continue;
		element_name(list, w->wanted, b.wanted, b.name, sizeof(b.name));
		add_change(w->diff, b.name, "added", false);
	}
}

static void walk_group(struct walk *w, const struct both *b)
{
	const struct knit_key *key;
	struct both inner;

	for (key = b->group->keys; key->name; key++) {
		if (key->type == KNIT_KEY_LIST && config_json_identity(key)) {
			walk_list(w, b, key);
		} else if (key->type == KNIT_KEY_GROUP) {
			inner = (struct both){ .group = key->sub,
					       .running = (const char *)b->running + key->offset,
					       .wanted = (const char *)b->wanted + key->offset };
			snprintf(inner.name, sizeof(inner.name), "%s", key->name);
			walk_group(w, &inner);
		} else {
			walk_value(w, b, key);
		}
	}
}

struct config_diff config_diff(const struct knit_config *running, const struct knit_config *wanted)
{
	struct config_diff diff = { .changes = json_object_new_array() };
	struct walk w = { .running = running, .wanted = wanted, .diff = &diff };
	struct both all = { .group = &knit_conf_root, .running = running, .wanted = wanted };

	walk_group(&w, &all);
	return diff;
}

void config_apply_live(struct knit_config *running, const struct knit_config *wanted)
{
	struct walk w = { .running = running, .wanted = wanted };
	struct both all = { .group = &knit_conf_root, .running = running, .wanted = wanted };

	walk_group(&w, &all);
}
