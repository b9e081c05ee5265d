// SPDX-License-Identifier: BSD-3-Clause
#include "config_read.h"

#include <stdlib.h>
#include <string.h>

static bool is_old_value(const struct knit_key *key, int i, const char *text)
{
	return key->old_values && key->old_values[i] && strcmp(key->old_values[i], text) == 0;
}

static int find_value(const struct knit_key *key, const char *text)
{
	int i;

	for (i = 0; key->values[i]; i++)
		if (strcmp(key->values[i], text) == 0 || is_old_value(key, i, text))
			return i;
	return -1;
}

static void store_enum(const struct knit_key *key, void *member, int value)
{
	if (key->size == sizeof(bool))
		*(bool *)member = value;
	else
		*(int *)member = value;
}

/*
 * Only what fits comes here; key->size counts the final zero, and the member is all zero or a
 * default.
 */
static void store_text(const struct knit_key *key, void *member, const char *text)
{
	memset(member, 0, key->size);
	memcpy(member, text, strlen(text));
}

/* Index in conf->ports, -1 if there is none of that name. */
static int find_port(const struct knit_config *conf, const char *name)
{
	unsigned int i;

	for (i = 0; i < conf->n_ports; i++)
		if (name[0] && strcmp(conf->ports[i].name, name) == 0)
			return i;
	return -1;
}

static int find_iface(const struct knit_config *conf, const char *name)
{
	unsigned int i;

	for (i = 0; i < conf->n_ifaces; i++)
		if (name[0] && strcmp(conf->ifaces[i].name, name) == 0)
			return i;
	return -1;
}

static bool read_int(const struct knit_key *key, const config_setting_t *setting, void *member)
{
	int type = config_setting_type(setting);
	int64_t value = config_setting_get_int64(setting);

	if ((type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64) || value < key->min ||
	    value > key->max)
		return false;
	if (key->type == KNIT_KEY_POW2 && (value & (value - 1)))
		return false;
	*(int32_t *)member = value;
	return true;
}

static bool read_text(const struct knit_key *key, const char *text, void *member)
{
	bool is_default = key->def && strcmp(text, key->def) == 0;

	if (strlen(text) >= key->size || (!is_default && !key->check(text)))
		return false;
	store_text(key, member, text);
	return true;
}

static bool read_word(const struct knit_key *key, const char *text, void *member)
{
	int value = find_value(key, text);

	if (value < 0)
		return false;
	if (key->type == KNIT_KEY_ENUM)
		store_enum(key, member, value);
	else
		store_text(key, member, text);
	return true;
}

static bool read_port(const struct knit_config *conf, const char *text, int *member)
{
	*member = find_port(conf, text);
	return *member >= 0;
}

static bool read_pair(const struct knit_conf_load *load, const config_setting_t *setting,
		      const struct knit_key *key, void *member)
{
	struct knit_conf_rule *rule = (void *)((char *)member - key->offset);
	bool ifaces = key->type == KNIT_KEY_IFACE_PAIR;
	int found[2], i;

	if (!config_setting_is_array(setting) || config_setting_length(setting) != 2)
		return false;
	for (i = 0; i < 2; i++) {
		const char *name = config_setting_get_string_elem(setting, i);

		if (!name)
			return false;
		found[i] = ifaces ? find_iface(load->conf, name) : find_port(load->conf, name);
		if (found[i] < 0)
			return false;
	}
	if (found[0] == found[1])
		return false;
	rule->a = found[0];
	rule->b = found[1];
	rule->ifaces = ifaces;
	return true;
}

static bool read_value(struct knit_conf_load *load, const config_setting_t *setting,
		       const struct knit_key *key, void *member)
{
	const char *text = config_setting_get_string(setting);

	switch (key->type) {
	case KNIT_KEY_INT:
	case KNIT_KEY_POW2:
		return read_int(key, setting, member);
	case KNIT_KEY_BOOL:
		*(bool *)member = config_setting_get_bool(setting);
		return config_setting_type(setting) == CONFIG_TYPE_BOOL;
	case KNIT_KEY_ENUM:
	case KNIT_KEY_WORD:
		return text && read_word(key, text, member);
	case KNIT_KEY_TEXT:
		return text && read_text(key, text, member);
	case KNIT_KEY_MAC:
		return text && knit_mac_parse(text, member);
	case KNIT_KEY_PORT:
		return text && read_port(load->conf, text, member);
	default:
		return read_pair(load, setting, key, member);
	}
}

/* The first name of a would-be pair that names nothing, or NULL. */
static const char *unknown_in_pair(const struct knit_config *conf, const config_setting_t *setting,
				   const struct knit_key *key)
{
	int i, n = config_setting_is_array(setting) ? config_setting_length(setting) : 0;

	for (i = 0; i < n; i++) {
		const char *name = config_setting_get_string_elem(setting, i);

		if (name && (key->type == KNIT_KEY_IFACE_PAIR ? find_iface(conf, name)
							      : find_port(conf, name)) < 0)
			return name;
	}
	return NULL;
}

bool knit_conf_read_value(struct knit_conf_load *load, const config_setting_t *setting,
			  const struct knit_key *key, void *member)
{
	const char *unknown = NULL;
	char expect[256];

	if (read_value(load, setting, key, member))
		return true;
	if (key->type == KNIT_KEY_PORT_PAIR || key->type == KNIT_KEY_IFACE_PAIR)
		unknown = unknown_in_pair(load->conf, setting, key);
	knit_conf_error(load, setting, NULL, "%s is expected%s%.31s%s",
			knit_key_expect(key, expect, sizeof(expect)),
			unknown ? ", and nothing is named \"" : "", unknown ? unknown : "",
			unknown ? "\"" : "");
	return false;
}

void knit_conf_default(const struct knit_key *key, void *member)
{
	switch (key->type) {
	case KNIT_KEY_INT:
	case KNIT_KEY_POW2:
		*(int32_t *)member = key->def ? strtol(key->def, NULL, 10) : -1;
		break;
	case KNIT_KEY_BOOL:
		*(bool *)member = key->def && strcmp(key->def, "true") == 0;
		break;
	case KNIT_KEY_ENUM:
		store_enum(key, member, key->def ? find_value(key, key->def) : -1);
		break;
	case KNIT_KEY_WORD:
	case KNIT_KEY_TEXT:
		store_text(key, member, key->def ? key->def : "");
		break;
	case KNIT_KEY_MAC:
		memset(member, 0, key->size);
		break;
	case KNIT_KEY_PORT:
		*(int *)member = -1;
		break;
	default:
		((struct knit_conf_rule *)((char *)member - key->offset))->b = -1;
	}
}
