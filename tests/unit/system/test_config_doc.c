// SPDX-License-Identifier: BSD-3-Clause
#include "config_util.h"
#include "system/config/config_keys.h"
#include "unit.h"

#include <limits.h>
#include <stdlib.h>

static char *read_doc(void)
{
	FILE *in = fopen(KNIT_SOURCE_ROOT "/docs/CONFIG.md", "r");
	char *text = NULL;
	size_t size = 0;

	ck_assert_msg(in, "no %s/docs/CONFIG.md", KNIT_SOURCE_ROOT);
	ck_assert_int_gt(getdelim(&text, &size, '\0', in), 0);
	fclose(in);
	return text;
}

/* "| `key` | what is allowed | default |", as docs/CONFIG.md has it */
static void doc_row(const struct knit_key *key, char *row, size_t size)
{
	bool quoted = key->type == KNIT_KEY_TEXT || key->type == KNIT_KEY_WORD ||
		      key->type == KNIT_KEY_ENUM || key->type == KNIT_KEY_MAC;
	bool must = key->type == KNIT_KEY_LIST ? key->min > 0 : !key->def;
	const char *quote = quoted ? "\"" : "", *def = key->def ? key->def : "";
	char expect[256], text[128];

	snprintf(text, sizeof(text), "`%s%s%s`", quote, def, quote);
	if (must || (!quoted && !def[0]))
		strcpy(text, must ? "must be given" : "none");
	snprintf(row, size, "\n| `%s` | %s | %s |", key->name,
		 knit_key_expect(key, expect, sizeof(expect)), text);
}

/* The part of the text from its heading to the next. */
static void doc_section(const char *doc, const char *path, char *out, size_t size)
{
	char heading[80];
	const char *start, *end;

	snprintf(heading, sizeof(heading), "# %s\n", path);
	start = strstr(doc, heading);
	ck_assert_msg(start, "docs/CONFIG.md has no heading \"%s\"", path);
	end = strstr(start, "\n#");
	snprintf(out, size, "%.*s", end ? (int)(end - start + 1) : INT_MAX, start);
}

static void check_doc_group(const char *doc, const struct knit_group *group, const char *path)
{
	unsigned int keys = 0, rows = 0;
	const struct knit_key *key;
	char section[8192], text[512];
	const char *p;

	doc_section(doc, path[0] ? path : "Sections", section, sizeof(section));
	for (key = group->keys; key->name; key++, keys++) {
		doc_row(key, text, sizeof(text));
		ck_assert_msg(strstr(section, text), "docs/CONFIG.md, %s, lacks the row%s", path,
			      text);
	}
	for (p = section; (p = strstr(p, "\n| `")); p++)
		rows++;
	ck_assert_msg(rows == keys, "docs/CONFIG.md, %s: %u rows for %u keys", path, rows, keys);
	for (key = group->keys; key->name; key++) {
		if (!key->sub)
			continue;
		snprintf(text, sizeof(text), "%s%s%s", path, path[0] ? "." : "", key->name);
		check_doc_group(doc, key->sub, text);
	}
}

START_TEST(test_doc)
{
	char *doc = read_doc();

	check_doc_group(doc, &knit_conf_root, "");
	free(doc);
}
END_TEST

static void check_doc_live(const char *rows, const struct knit_group *group, const char *path,
			   unsigned int *n)
{
	static const char *const needs[] = { "", "nothing", "a pause", "a restart" };
	const struct knit_key *key;
	char text[128];

	for (key = group->keys; key->name; key++) {
		snprintf(text, sizeof(text), "%s%s%s", path, path[0] ? "." : "", key->name);
		if (key->sub)
			check_doc_live(rows, key->sub, text, n);
		if (key->needs == KNIT_NEEDS_START)
			continue;
		++*n;
		snprintf(text, sizeof(text), "\n| `%s.%s` | %s | ", path, key->name,
			 needs[key->needs]);
		ck_assert_msg(strstr(rows, text), "docs/CONFIG.md lacks the row%s", text);
	}
}

START_TEST(test_doc_live)
{
	char *doc = read_doc(), section[8192];
	unsigned int keys = 0, rows = 0;
	const char *p;

	doc_section(doc, "Changes while it runs", section, sizeof(section));
	check_doc_live(section, &knit_conf_root, "", &keys);
	for (p = section; (p = strstr(p, "\n| `")); p++)
		rows++;
	ck_assert_uint_eq(rows, keys);
	free(doc);
}
END_TEST

/* The examples of all sections together are a valid file. */
START_TEST(test_doc_examples)
{
	char *doc = read_doc(), *fence = doc, text[4096] = "";
	struct knit_config *conf;
	unsigned int n = 0;

	while ((fence = strstr(fence, "\n```\n"))) {
		char *end = strstr(fence + 5, "\n```\n");

		ck_assert_ptr_nonnull(end);
		strncat(text, fence + 5, end - fence - 4);
		fence = end + 1;
		fence += 3;
		n++;
	}
	ck_assert_uint_eq(n, 8);
	write_text(file, text);
	conf = load_valid(file);
	ck_assert_uint_eq(conf->n_workers, 2);
	free(conf);
	free(doc);
}
END_TEST

/* Every key with its help, and every default is a value that may be given. */
START_TEST(test_help)
{
	const struct knit_key *section, *key;
	char *help, head[64];
	size_t size;
	FILE *out = open_memstream(&help, &size);

	knit_config_help(out);
	fclose(out);
	for (section = knit_conf_root.keys; section->name; section++) {
		ck_assert_ptr_nonnull(strstr(help, section->help));
		for (key = section->sub->keys; key->name; key++) {
			snprintf(head, sizeof(head), "\n  %s: ", key->name);
			ck_assert_ptr_nonnull(strstr(help, head));
			ck_assert_ptr_nonnull(strstr(help, key->help));
			if (!key->def || key->type > KNIT_KEY_POW2)
				continue;
			ck_assert_int_ge(atoi(key->def), key->min);
			ck_assert_int_le(atoi(key->def), key->max);
			ck_assert_int_le(key->max, INT_MAX);
		}
	}
	free(help);
}
END_TEST

KNIT_SUITE(config_doc)
{
	TCase *tc = tcase_create("config_doc");

	tcase_add_checked_fixture(tc, config_setup, config_teardown);
	tcase_add_test(tc, test_doc);
	tcase_add_test(tc, test_doc_live);
	tcase_add_test(tc, test_doc_examples);
	tcase_add_test(tc, test_help);
	suite_add_tcase(s, tc);
}
