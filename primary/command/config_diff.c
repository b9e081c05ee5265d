// SPDX-License-Identifier: BSD-3-Clause
#include "config_diff.h"

#include "config_json.h"
#include "system/bind/bind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A walk through both configurations at once. */
struct walk {
	const struct knit_config *running, *wanted;
	struct config_diff *diff;
};

/* Which list the group is an element of. */
enum list {
	KNIT_LIST_NONE,
	KNIT_LIST_PORTS,
	KNIT_LIST_IFACES,
	KNIT_LIST_WORKERS,
};

/* The same group in both; NULL: it is not there. */
struct both {
	const struct knit_group *group;
	const void *running, *wanted;
	enum list list;
	char name[64]; /* "eal", "port left" */
};

static void add_change(struct config_diff *d, const char *object, const char *change,
		       enum knit_needs needs)
{
	static const char *const names[] = {
		[KNIT_NEEDS_START] = "start",
		[KNIT_NEEDS_NOTHING] = "nothing",
		[KNIT_NEEDS_PAUSE] = "pause",
		[KNIT_NEEDS_RESTART] = "restart",
	};
	struct json_object *one = json_object_new_object();

	json_object_object_add(one, "object", json_object_new_string(object));
	json_object_object_add(one, "change", json_object_new_string(change));
	json_object_object_add(one, "needs", json_object_new_string(names[needs]));
	json_object_array_add(d->changes, one);
	d->n++;
	d->n_start += needs == KNIT_NEEDS_START;
}

/* A NIC is bound and given to all processes at a start. */
static bool is_nic(const struct both *b)
{
	const struct knit_conf_port *running = b->running, *wanted = b->wanted;
	char name[KNIT_PCI_NAME];

	return b->list == KNIT_LIST_PORTS &&
	       ((running && knit_pci_of_device(running->device, name)) ||
		(wanted && knit_pci_of_device(wanted->device, name)));
}

static enum knit_needs needs_of(const struct both *b, const struct knit_key *key)
{
	return key->needs == KNIT_NEEDS_RESTART && is_nic(b) ? KNIT_NEEDS_START : key->needs;
}

/* It has to be made anew. A worker ends and comes back by itself. */
static void mark_again(struct walk *w, const struct both *b)
{
	if (b->list == KNIT_LIST_PORTS)
		w->diff->ports_again |= UINT64_C(1) << ((const struct knit_conf_port *)b->running -
							w->running->ports);
	else if (b->list == KNIT_LIST_IFACES)
		w->diff->ifaces_again |=
			UINT64_C(1)
			<< ((const struct knit_conf_iface *)b->running - w->running->ifaces);
}

static void add_value(struct config_diff *d, const struct both *b, const struct knit_key *key,
		      struct json_object *from, struct json_object *to)
{
	struct json_object *one;

	add_change(d, b->name, "changed", needs_of(b, key));
	one = json_object_array_get_idx(d->changes, d->n - 1);
	json_object_object_add(one, "key", json_object_new_string(key->name));
	json_object_object_add(one, "from", json_object_get(from));
	json_object_object_add(one, "to", json_object_get(to));
}

static void walk_value(struct walk *w, const struct both *b, const struct knit_key *key)
{
	struct json_object *from = config_json_value(w->running, key, b->running);
	struct json_object *to = config_json_value(w->wanted, key, b->wanted);

	if (!json_object_equal(from, to)) {
		add_value(w->diff, b, key, from, to);
		if (key->needs == KNIT_NEEDS_RESTART)
			mark_again(w, b);
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

static enum list list_of(const struct knit_key *list)
{
	if (list->offset == offsetof(struct knit_config, ports))
		return KNIT_LIST_PORTS;
	return list->offset == offsetof(struct knit_config, ifaces) ? KNIT_LIST_IFACES
								    : KNIT_LIST_WORKERS;
}

static void walk_list(struct walk *w, const struct both *outer, const struct knit_key *list)
{
	struct both b = { .group = list->sub, .list = list_of(list) };
	unsigned int i;

	for (i = 0; i < list_length(list, outer->running); i++) {
		b.running = element(list, outer->running, i);
		if (!config_json_there(list, b.running))
			continue;
		b.wanted = find_element(list, outer->wanted, b.running);
		element_name(list, w->running, b.running, b.name, sizeof(b.name));
		if (b.wanted)
			walk_group(w, &b);
		else
			add_change(w->diff, b.name, "removed",
				   is_nic(&b) ? KNIT_NEEDS_START : KNIT_NEEDS_PAUSE);
	}
	b.running = NULL;
	for (i = 0; i < list_length(list, outer->wanted); i++) {
		b.wanted = element(list, outer->wanted, i);
		if (!config_json_there(list, b.wanted) ||
		    find_element(list, outer->running, b.wanted))
			continue;
		element_name(list, w->wanted, b.wanted, b.name, sizeof(b.name));
		add_change(w->diff, b.name, "added",
			   is_nic(&b) ? KNIT_NEEDS_START : KNIT_NEEDS_PAUSE);
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

void config_diff_again(struct config_diff *d, const char *iface, unsigned int place)
{
	char object[64];

	d->ifaces_again |= UINT64_C(1) << place;
	snprintf(object, sizeof(object), "interface %s", iface);
	add_change(d, object, "more workers", KNIT_NEEDS_RESTART);
}

/* Whether the rule is about one of them. */
static bool rule_names(const struct knit_conf_rule *r, uint64_t ports, uint64_t ifaces)
{
	uint64_t set = r->ifaces ? ifaces : ports;

	return set >> r->a & 1 || (r->b >= 0 && set >> r->b & 1);
}

/* A port without its interface can't be punted. */
static bool rule_is_void(const struct knit_config *c, const struct knit_conf_rule *r)
{
	unsigned int i;

	if (r->mode != KNIT_FORWARD_PUNT)
		return false;
	for (i = 0; i < c->n_ifaces; i++)
		if (c->ifaces[i].there && c->ifaces[i].port == r->a)
			return false;
	return true;
}

static void drop_rules(const struct knit_config *c, struct knit_conf_worker *w, uint64_t ports,
		       uint64_t ifaces)
{
	unsigned int i, n = 0;

	for (i = 0; i < w->n_rules; i++)
		if (!rule_names(&w->rules[i], ports, ifaces) && !rule_is_void(c, &w->rules[i]))
			w->rules[n++] = w->rules[i];
	w->n_rules = n;
}

struct knit_config *config_without(const struct knit_config *c, uint64_t ports, uint64_t ifaces)
{
	struct knit_config *less = malloc(sizeof(*less));
	unsigned int i;

	if (less == NULL)
		return NULL;
	*less = *c;
	for (i = 0; i < c->n_ifaces; i++) {
		if (ifaces >> i & 1)
			less->ifaces[i] = (struct knit_conf_iface){ .port = -1 };
		else if (less->ifaces[i].port >= 0 && ports >> less->ifaces[i].port & 1)
			less->ifaces[i].port = -1;
	}
	for (i = 0; i < c->n_ports; i++)
		if (ports >> i & 1)
			less->ports[i] = (struct knit_conf_port){ 0 };
	for (i = 0; i < c->n_workers; i++)
		drop_rules(less, &less->workers[i], ports, ifaces);
	return less;
}
