// SPDX-License-Identifier: BSD-3-Clause
#include "config_json.h"

#include <stdio.h>
#include <string.h>

static struct json_object *port_name(const struct knit_config *c, int port)
{
	return json_object_new_string(c->ports[port].name);
}

static struct json_object *pair(const struct knit_config *c, const struct knit_conf_rule *r)
{
	struct json_object *names = json_object_new_array();
	int ends[2] = { r->a, r->b }, i;

	for (i = 0; i < 2; i++)
		json_object_array_add(names,
				      r->ifaces ? json_object_new_string(c->ifaces[ends[i]].name)
						: port_name(c, ends[i]));
	return names;
}

/* A rule has one of three keys for what it forwards, and all of them are one member. */
static struct json_object *rule_value(const struct knit_config *c, const struct knit_conf_rule *r,
				      enum knit_key_type type)
{
	bool punt = r->mode == KNIT_FORWARD_PUNT;

	if (type == KNIT_KEY_PORT)
		return punt ? port_name(c, r->a) : NULL;
	if (punt || r->ifaces != (type == KNIT_KEY_IFACE_PAIR))
		return NULL;
	return pair(c, r);
}

static int64_t number(const struct knit_key *key, const void *member)
{
	uint32_t word;

	if (key->size == sizeof(bool))
		return *(const bool *)member;
	memcpy(&word, member, sizeof(word));
	return key->min < 0 ? (int32_t)word : (int64_t)word;
}

static struct json_object *mac(const uint8_t m[6])
{
	char text[18];

	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4],
		 m[5]);
	return json_object_new_string(text);
}

static struct json_object *group(const struct knit_config *c, const struct knit_group *g,
				 const void *base);

_Static_assert(offsetof(struct knit_conf_port, there) == 0 &&
		       offsetof(struct knit_conf_iface, there) == 0 &&
		       offsetof(struct knit_conf_worker, there) == 0,
	       "an element of these lists begins with it");

bool config_json_there(const struct knit_key *list, const void *element)
{
	return config_json_identity(list) == NULL || *(const bool *)element;
}

const struct knit_key *config_json_identity(const struct knit_key *list)
{
	const struct knit_key *key = list->sub->keys;

	return strcmp(key->name, "name") == 0 || strcmp(key->name, "id") == 0 ? key : NULL;
}

static struct json_object *list(const struct knit_config *c, const struct knit_key *key,
				const void *base)
{
	unsigned int i, n = *(const unsigned int *)((const char *)base + key->count);
	struct json_object *all = json_object_new_array();
	const void *element;

	for (i = 0; i < n; i++) {
		element = (const char *)base + key->offset + i * key->size;
		if (config_json_there(key, element))
			json_object_array_add(all, group(c, key->sub, element));
	}
	return all;
}

struct json_object *config_json_value(const struct knit_config *c, const struct knit_key *key,
				      const void *base)
{
	const void *member = (const char *)base + key->offset;

	switch (key->type) {
	case KNIT_KEY_INT:
	case KNIT_KEY_POW2:
		return json_object_new_int64(number(key, member));
	case KNIT_KEY_BOOL:
		return json_object_new_boolean(number(key, member));
	case KNIT_KEY_ENUM:
		return json_object_new_string(key->values[number(key, member)]);
	case KNIT_KEY_WORD:
	case KNIT_KEY_TEXT:
		return json_object_new_string(member);
	case KNIT_KEY_MAC:
		return mac(member);
	case KNIT_KEY_PORT:
		if (key->offset != offsetof(struct knit_conf_iface, port))
			return rule_value(c, base, key->type);
		return *(const int *)member < 0 ? NULL : port_name(c, *(const int *)member);
	case KNIT_KEY_PORT_PAIR:
	case KNIT_KEY_IFACE_PAIR:
		return rule_value(c, base, key->type);
	case KNIT_KEY_GROUP:
		return group(c, key->sub, member);
	case KNIT_KEY_LIST:
		return list(c, key, base);
	}
	return NULL;
}

_Static_assert(offsetof(struct knit_conf_iface, port) != offsetof(struct knit_conf_rule, a),
	       "where the key stands tells a port of an interface from one of a rule");

static struct json_object *group(const struct knit_config *c, const struct knit_group *g,
				 const void *base)
{
	struct json_object *object = json_object_new_object(), *one;
	const struct knit_key *key;

	for (key = g->keys; key->name; key++) {
		one = config_json_value(c, key, base);
		if (one)
			json_object_object_add(object, key->name, one);
	}
	return object;
}

struct json_object *config_json(const struct knit_config *c)
{
	return group(c, &knit_conf_root, c);
}
