// SPDX-License-Identifier: BSD-3-Clause
#include "config_read.h"

#include <string.h>

#define MAX_KEY 32

static size_t min_of(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * Levenshtein distance; SIZE_MAX for words longer than any key. It stays because a mistyped key is
 * the most frequent error: the suggestion tells it apart from a key that this version lacks, where
 * a list of thirty keys does not.
 */
static size_t edit_distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b), row[MAX_KEY + 1], diagonal, above, i, j;

	if (la > MAX_KEY || lb > MAX_KEY)
		return SIZE_MAX;
	for (j = 0; j <= lb; j++)
		row[j] = j;
	for (i = 1; i <= la; i++) {
		diagonal = row[0];
		row[0] = i;
		for (j = 1; j <= lb; j++) {
			above = row[j];
			row[j] = min_of(min_of(above, row[j - 1]) + 1,
					diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[lb];
}

/* The key that was probably meant: at most two letters, and a third of it, are wrong. Or NULL. */
static const char *near_miss(const struct knit_group *group, const char *name)
{
	const struct knit_key *key;
	const char *best = NULL;
	size_t best_d = 3;

	for (key = group->keys; key->name; key++) {
		size_t d = edit_distance(key->name, name);

		if (d < best_d && d * 3 <= strlen(key->name)) {
			best_d = d;
			best = key->name;
		}
	}
	return best;
}

static void unknown_key(struct knit_conf_load *load, const config_setting_t *setting,
			const struct knit_group *group)
{
	const char *near = near_miss(group, config_setting_name(setting));
	const struct knit_key *key;
	char names[512] = "";
	size_t len = 0;

	if (near) {
		knit_conf_error_found(load, setting, "an unknown key", "did you mean \"%s\"?",
				      near);
		return;
	}
	for (key = group->keys; key->name && len < sizeof(names); key++)
		len += snprintf(names + len, sizeof(names) - len, "%s%s", len ? ", " : "",
				key->name);
	knit_conf_error_found(load, setting, "an unknown key", "one of %s is expected", names);
}

static bool key_exists(const struct knit_group *group, const char *name)
{
	const struct knit_key *key;

	for (key = group->keys; key->name; key++)
		if (strcmp(key->name, name) == 0)
			return true;
	return false;
}

static void read_list(struct knit_conf_load *load, const config_setting_t *list,
		      const struct knit_key *key, void *base)
{
	unsigned int *count = (unsigned int *)((char *)base + key->count);
	int n = config_setting_length(list), i;
	char expect[128];

	if (n < key->min || n > key->max) {
		knit_conf_error(load, list, NULL, "%s is expected",
				knit_key_expect(key, expect, sizeof(expect)));
		n = n > key->max ? key->max : n;
	}
	for (i = 0; i < n; i++) {
		const config_setting_t *elem = config_setting_get_elem(list, i);
		char *slot = (char *)base + key->offset + i * key->size;

		/* counted even if bad: list and array keep the same indexes */
		*count = i + 1;
		if (config_setting_is_group(elem)) {
			knit_conf_read_group(load, elem, key->sub, slot);
			continue;
		}
		knit_conf_error(load, elem, NULL, "a group { } is expected");
		knit_conf_read_group(load, NULL, key->sub, slot);
	}
}

/*
 * GROUP and LIST, which bring their own defaults. setting NULL: not given, or not what it must be.
 */
static void read_nested(struct knit_conf_load *load, const config_setting_t *setting,
			const struct knit_key *key, void *base)
{
	if (key->type == KNIT_KEY_GROUP)
		knit_conf_read_group(load, setting, key->sub, (char *)base + key->offset);
	else if (setting)
		read_list(load, setting, key, base);
}

static bool is_nested(const struct knit_key *key)
{
	return key->type == KNIT_KEY_GROUP || key->type == KNIT_KEY_LIST;
}

static bool must_be_given(const struct knit_key *key)
{
	return key->type == KNIT_KEY_LIST ? key->min > 0 : !key->def;
}

static void read_key(struct knit_conf_load *load, const config_setting_t *group,
		     const struct knit_key *key, void *base)
{
	const config_setting_t *setting =
		group ? config_setting_get_member(group, key->name) : NULL;
	void *member = (char *)base + key->offset;
	char expect[256];

	knit_key_expect(key, expect, sizeof(expect));
	if (!setting && group && must_be_given(key)) {
		knit_conf_error(load, group, key->name, "%s is expected", expect);
	} else if (setting && is_nested(key)) {
		if (config_setting_type(setting) ==
		    (key->type == KNIT_KEY_GROUP ? CONFIG_TYPE_GROUP : CONFIG_TYPE_LIST)) {
			read_nested(load, setting, key, base);
			return;
		}
		knit_conf_error(load, setting, NULL, "%s is expected", expect);
	} else if (setting) {
		knit_conf_read_value(load, setting, key, member);
	}
	if (is_nested(key))
		read_nested(load, NULL, key, base);
}

void knit_conf_read_group(struct knit_conf_load *load, const config_setting_t *setting,
			  const struct knit_group *group, void *base)
{
	const struct knit_key *key;
	struct knit_conf_place place;
	struct knit_conf_at *at;
	int i, n = setting ? config_setting_length(setting) : 0;

	for (i = 0; i < n; i++) {
		const config_setting_t *child = config_setting_get_elem(setting, i);

		if (!key_exists(group, config_setting_name(child)))
			unknown_key(load, child, group);
	}
	/* all defaults first: the keys of a rule share members */
	for (key = group->keys; key->name; key++)
		if (!is_nested(key))
			knit_conf_default(key, (char *)base + key->offset);
	for (key = group->keys; key->name; key++)
		read_key(load, setting, key, base);
	if (setting && group->at != KNIT_NO_PLACE) {
		place = knit_conf_source_place(load->src, config_setting_source_line(setting));
		at = (struct knit_conf_at *)((char *)base + group->at);
		at->line = place.line;
		at->file = place.index;
	}
}

const config_setting_t *knit_conf_elem(const struct knit_conf_load *load, const char *list,
				       unsigned int i)
{
	return config_setting_get_elem(config_setting_get_member(load->root, list), i);
}
