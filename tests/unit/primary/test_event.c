// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "event/event.h"

#include "event/journal.h"
#include "iface.h"
#include "kni/base/log.h"
#include "kni/engine/engine.h"
#include "primary.h"
#include "unit.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The table of events against config/systemd/knit.catalog and docs/RUNNING.md, and what is kept.
 * KNIT_WRITE_CATALOG=1 writes the catalog anew.
 */
static const struct row {
	const char *name, *message, *severity, *text, *meaning, *advice;
	int fields;
} rows[] = {
#define X(id, name, message, severity, n, text, meaning, advice) \
	{ #name, message, #severity, text, meaning, advice, n },
	KNIT_EVENT_TABLE(X)
#undef X
};

static char *read_file(const char *path)
{
	FILE *in = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	ck_assert_msg(in, "no %s", path);
	ck_assert_int_gt(getdelim(&text, &size, '\0', in), 0);
	fclose(in);
	return text;
}

START_TEST(table_is_sound)
{
	const char *at;
	size_t i, k;
	int n;

	for (i = 0; i < KNIT_EVENT_KINDS; i++) {
		for (n = 0, at = rows[i].text; (at = strchr(at, '{')); at++, n++)
			ck_assert_msg(strchr(at, '}') != NULL, "%s", rows[i].text);
		ck_assert_msg(n == rows[i].fields, "%s has %d fields", rows[i].name, n);
		ck_assert_uint_eq(strlen(rows[i].message), 32);
		ck_assert_uint_eq(strspn(rows[i].message, "0123456789abcdef"), 32);
		for (k = 0; k < i; k++)
			ck_assert_str_ne(rows[i].message, rows[k].message);
	}
}
END_TEST

/* As journald names the fields. */
static void print_subject(FILE *out, const char *text)
{
	for (fprintf(out, "Subject: "); *text; text++) {
		if (*text != '{') {
			fputc(*text, out);
			continue;
		}
		for (fputs("@KNIT_", out), text++; *text != '}'; text++)
			fputc(toupper(*text), out);
		fputc('@', out);
	}
	fputc('\n', out);
}

static void print_catalog(FILE *out)
{
	size_t i;

	fputs("# The events of knit, for journalctl --catalog. Made from "
	      "common/system/command/events.h by\n# KNIT_WRITE_CATALOG=1 "
	      "knit-unit-primary event.\n",
	      out);
	for (i = 0; i < KNIT_EVENT_KINDS; i++) {
		fprintf(out, "\n-- %s\n", rows[i].message);
		print_subject(out, rows[i].text);
		fprintf(out, "Defined-By: knit\nDocumentation: man:knit(8)\n\n%s\n",
			rows[i].meaning);
		if (strcmp(rows[i].advice, "Nothing.") != 0)
			fprintf(out, "\n%s\n", rows[i].advice);
	}
}

START_TEST(catalog)
{
	static const char path[] = KNIT_SOURCE_ROOT "/config/systemd/knit.catalog";
	char *expected, *found;
	size_t size;
	FILE *out;

	if (getenv("KNIT_WRITE_CATALOG")) {
		out = fopen(path, "w");
		ck_assert_ptr_nonnull(out);
		print_catalog(out);
		fclose(out);
	}
	out = open_memstream(&expected, &size);
	print_catalog(out);
	fclose(out);
	found = read_file(path);
	ck_assert_msg(strcmp(expected, found) == 0,
		      "%s is not that of the table: KNIT_WRITE_CATALOG=1", path);
	free(found);
	free(expected);
}
END_TEST

/* "| `kind` | severity | `field`, `field` | meaning |" */
static void doc_row(const struct row *r, char *row, size_t size)
{
	static const char *const words[][2] = { { "ERR", "error" },
						{ "WARNING", "warning" },
						{ "NOTICE", "notice" },
						{ "INFO", "info" } };
	const char *at = r->text;
	unsigned int i;
	size_t n;

	for (i = 0; strcmp(words[i][0], r->severity) != 0; i++)
		;
	n = snprintf(row, size, "\n| `%s` | %s | ", r->name, words[i][1]);
	while ((at = strchr(at, '{')) != NULL) {
		n += snprintf(row + n, size - n, "`%.*s`", (int)strcspn(at + 1, "}"), at + 1);
		at = strchr(at, '}');
		n += snprintf(row + n, size - n, "%s", strchr(at, '{') ? ", " : "");
	}
	snprintf(row + n, size - n, " | %s |\n", r->meaning);
}

START_TEST(document)
{
	char *doc = read_file(KNIT_SOURCE_ROOT "/docs/RUNNING.md"), row[600];
	size_t i;

	for (i = 0; i < KNIT_EVENT_KINDS; i++) {
		doc_row(&rows[i], row, sizeof(row));
		ck_assert_msg(strstr(doc, row), "docs/RUNNING.md lacks the row%s", row);
	}
	free(doc);
}
END_TEST

/* The event behind a number, which is the next one. The text is free'd with the next call. */
static const char *event_behind(uint64_t number)
{
	static char *json;
	uint64_t next;

	free(json);
	json = event_after(number, &next);
	ck_assert_ptr_nonnull(json);
	ck_assert_uint_eq(next, number + 1);
	return json;
}

static bool is_last(uint64_t number)
{
	uint64_t next;

	return event_after(number, &next) == NULL;
}

START_TEST(fields)
{
	const char *json;

	ck_assert(is_last(0));
	event_init("test", NULL);
	EVENT(REQUEST_REFUSED, EV("le\"ft"), EV("mtu"), EV("a\nb"));
	ck_assert_uint_eq(event_last(), 1);
	json = event_behind(0);
	ck_assert_ptr_nonnull(strstr(json, "\"kind\":\"request_refused\""));
	ck_assert_ptr_nonnull(strstr(json, "\"severity\":\"warning\""));
	ck_assert_ptr_nonnull(strstr(json, "\"text\":\"port le\\\"ft: mtu refused: a\\nb\""));
	ck_assert_ptr_nonnull(strstr(json, "\"port\":\"le\\\"ft\""));
	EVENT(LINK_UP, EV("left"), EV(UINT64_C(10000)));
	ck_assert_ptr_nonnull(strstr(event_behind(1), "\"mbit\":10000"));
	ck_assert(is_last(2));
}
END_TEST

/* However long a text is, the object is whole. */
START_TEST(long_text)
{
	char why[3000];
	const char *json;

	memset(why, '\\', sizeof(why) - 1);
	why[sizeof(why) - 1] = '\0';
	rte_log_set_level(knit_log_main, RTE_LOG_ERR);
	EVENT(REQUEST_REFUSED, EV("left"), EV("mtu"), EV(why));
	json = event_behind(0);
	ck_assert_uint_gt(strlen(json), 4 * strlen(why)); /* twice, and each is escaped */
	ck_assert_str_eq(json + strlen(json) - 2, "\"}");
}
END_TEST

START_TEST(any_byte)
{
	EVENT(PORT_ABSENT, EV("left"), EV("/tmp/\xff\xc3\xa9"));
	ck_assert_ptr_nonnull(strstr(event_behind(0), "\"device\":\"/tmp/\xef\xbf\xbd\xc3\xa9\"}"));
}
END_TEST

static void *tell(void *arg)
{
	int i;

	for (i = 0; i < 500; i++)
		EVENT(LINK_DOWN, EV("left"));
	return arg;
}

/* Each has a number of its own, and the last ones are kept. */
START_TEST(kept)
{
	uint64_t n, next;
	pthread_t thread[2];
	char number[32];

	rte_log_set_level(knit_log_main, RTE_LOG_ERR);
	pthread_create(&thread[0], NULL, tell, NULL);
	pthread_create(&thread[1], NULL, tell, NULL);
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
	ck_assert_uint_eq(event_last(), 1000);
	free(event_after(0, &next));
	ck_assert_uint_eq(next, 1000 - EVENT_KEPT + 1);
	for (n = 1000 - EVENT_KEPT; n < 1000; n++) {
		snprintf(number, sizeof(number), "{\"number\":%d,", (int)n + 1);
		ck_assert_int_eq(strncmp(event_behind(n), number, strlen(number)), 0);
	}
}
END_TEST

START_TEST(journal_entry)
{
	static struct journal_entry e;
	char longest[sizeof(e.text)];

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	journal_add(&e, "MESSAGE", "a\nMESSAGE_ID=forged\n");
	journal_add(&e, "LONG", longest);
	journal_add_number(&e, "N", 7);
	ck_assert_uint_eq(e.len, strlen("MESSAGE=a MESSAGE_ID=forged \nN=7\n"));
	ck_assert_int_eq(strncmp(e.text, "MESSAGE=a MESSAGE_ID=forged \nN=7\n", e.len), 0);
}
END_TEST

static struct knit_engine_req_stats requests;

static void fake_req_stats(const struct rte_kni *kni, struct knit_engine_req_stats *out)
{
	*out = requests;
}

/* Once for each look at which there are more. */
START_TEST(requests_without_answer)
{
	static const struct knit_engine_ops engine = { .req_stats = fake_req_stats };
	static struct rte_kni kni = { .engine = &engine, .ifindex = 7 };
	static struct knit_topo topo = { .n_ifaces = 1 };
	static struct primary p = { .topo = &topo };
	const char *json;

	topo.ifaces[0].there = 1;
	topo.ifaces[0].kni = &kni;
	strcpy(topo.ifaces[0].name, "kl");
	primary_ifaces_poll(&p);
	ck_assert_uint_eq(event_last(), 0);
	requests.timeout = 3;
	primary_ifaces_poll(&p);
	primary_ifaces_poll(&p);
	json = event_behind(0);
	ck_assert_ptr_nonnull(strstr(json, "\"kind\":\"request_timeout\""));
	ck_assert_ptr_nonnull(strstr(json, "\"interface\":\"kl\",\"count\":3"));
	requests.timeout = 4;
	primary_ifaces_poll(&p);
	json = event_behind(1);
	ck_assert_ptr_nonnull(strstr(json, "\"count\":1"));
	kni.ifindex = 0;
	primary_ifaces_poll(&p);
	primary_ifaces_poll(&p);
	ck_assert_uint_eq(event_last(), 3);
	json = event_behind(2);
	ck_assert_ptr_nonnull(strstr(json, "\"kind\":\"interface_removed\""));
}
END_TEST

KNIT_SUITE(event)
{
	knit_add_test(s, "a long text", long_text, 0);
	knit_add_test(s, "any byte", any_byte, 0);
	knit_add_test(s, "the table is sound", table_is_sound, 0);
	knit_add_test(s, "knit.catalog is that of the table", catalog, 0);
	knit_add_test(s, "RUNNING.md has all kinds", document, 0);
	knit_add_test(s, "fields", fields, 0);
	knit_add_test(s, "the last ones are kept", kept, 0);
	knit_add_test(s, "requests without an answer", requests_without_answer, 0);
	knit_add_test(s, "an entry of the journal", journal_entry, 0);
}
