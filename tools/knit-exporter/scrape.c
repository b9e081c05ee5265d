// SPDX-License-Identifier: BSD-3-Clause
#include "exporter.h"

#include "system/client/client.h"
#include "system/process/exit.h"
#include "system/text/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MANY 4096 /* objects of a kind; what says that it has more is no knit */

static int64_t clock_us(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

uint64_t exporter_cpu_us(void)
{
	return clock_us(CLOCK_PROCESS_CPUTIME_ID);
}

static void *grown(void *old, size_t n, size_t size)
{
	void *new = reallocarray(old, n ? n : 1, size);

	if (new)
		return new;
	fputs("knit-exporter: no memory\n", stderr);
	exit(KNIT_EXIT_RESOURCES);
}

static int find_row(const struct knit_metrics *m, const char *name)
{
	size_t i;

	for (i = 0; name && i < m->n; i++)
		if (strcmp(m->row[i].name, name) == 0)
			return i;
	return -1;
}

/*
 * Those that the primary tells, in its order: it may be of another version. An older one knows
 * nothing of memory, and has no objects of it then.
 */
static bool ask_fields(struct exporter *e, unsigned int kind)
{
	const struct knit_metrics *m = &knit_metrics[kind];
	struct scraped *s = &e->kind[kind];
	struct json_object *names;
	size_t i;

	if (kind >= KNIT_METRICS_NODE)
		names = knit_client_ask(e->client, "/knit/fields", m->plural, json_type_array);
	else
		names = knit_client_need(e->client, "/knit/fields", m->plural, json_type_array);
	if (names == NULL) {
		s->n = 0;
		return knit_client_code(e->client) == 0;
	}
	s->n_fields = json_object_array_length(names);
	s->row = grown(s->row, s->n_fields, sizeof(*s->row));
	for (i = 0; i < s->n_fields; i++)
		s->row[i] =
			find_row(m, json_object_get_string(json_object_array_get_idx(names, i)));
	json_object_put(names);
	return s->n_fields > 0;
}

static void scraped_resize(struct scraped *s, size_t rows, size_t n)
{
	s->n = n;
	s->object = grown(s->object, n, sizeof(*s->object));
	s->value = grown(s->value, n * rows, sizeof(*s->value));
	memset(s->value, 0xff, n * rows * sizeof(*s->value));
}

/* A number, or "-", and a blank or the end behind it; false at anything else. */
static bool next_value(const char **text, uint64_t *value)
{
	char *end;

	*text += strspn(*text, " ");
	if (**text == '-') {
		*value = UINT64_MAX;
		++*text;
	} else {
		if (**text < '0' || **text > '9')
			return false;
		errno = 0;
		*value = strtoull(*text, &end, 10);
		if (errno)
			return false;
		*text = end;
	}
	return **text == ' ' || **text == '\0';
}

static bool read_object(const struct scraped *s, uint64_t *to, const char **text)
{
	uint64_t value;
	size_t field;

	for (field = 0; field < s->n_fields; field++) {
		if (!next_value(text, &value))
			return false;
		if (s->row[field] >= 0)
			to[s->row[field]] = value;
	}
	return true;
}

/* One answer: objects from first on. Returns how many; -1: it makes no sense. */
static int read_values(struct exporter *e, unsigned int kind, size_t first, const char *text)
{
	size_t rows = knit_metrics[kind].n, i;
	struct scraped *s = &e->kind[kind];
	uint64_t total, n;

	if (!next_value(&text, &total) || !next_value(&text, &n) || total > MANY)
		return -1;
	if (first == 0)
		scraped_resize(s, rows, total);
	if (total != s->n || n > total - first)
		return -1;
	for (i = first; i < first + n; i++)
		if (!read_object(s, &s->value[i * rows], &text))
			return -1;
	return *text ? -1 : (int)n;
}

static struct json_object *ask_from(struct exporter *e, const char *command, unsigned int kind,
				    size_t first, enum json_type type)
{
	char parameter[64];

	snprintf(parameter, sizeof(parameter), "%s,%zu", knit_metrics[kind].plural, first);
	return knit_client_need(e->client, command, parameter, type);
}

static bool ask_values(struct exporter *e, unsigned int kind)
{
	struct scraped *s = &e->kind[kind];
	struct json_object *told;
	size_t first = 0;
	int n;

	do {
		told = ask_from(e, "/knit/values", kind, first, json_type_string);
		if (told == NULL)
			return false;
		n = read_values(e, kind, first, json_object_get_string(told));
		json_object_put(told);
		if (n < 0)
			return false;
		first += n;
	} while (n && first < s->n);
	return first == s->n;
}

/* As a label's value: OpenMetrics has the same three escapes. Cut if there is no room. */
static void add_escaped(char *to, size_t size, const char *text)
{
	size_t len = strlen(to), n;
	char clean[512];

	knit_utf8_copy(clean, sizeof(clean), text);
	for (text = clean; *text; text += n) {
		n = knit_utf8_length(text);
		if (len + n + 2 > size)
			break;
		if (*text == '"' || *text == '\\' || *text == '\n')
			to[len++] = '\\';
		memcpy(to + len, *text == '\n' ? "n" : text, n);
		len += n;
	}
	to[len] = '\0';
}

/* A label that is there already is not added again. */
static void add_label(char *to, size_t size, const char *before, const char *text)
{
	size_t len = strlen(to);
	char start[80];

	/* With its quote, which no value has as it is: a value may contain the name. */
	snprintf(start, sizeof(start), "%s=\"", before);
	if (strstr(to, start) || len + strlen(before) + sizeof("=\"\"") >= size)
		return;
	snprintf(to + len, size - len, "%s=\"", before);
	add_escaped(to, size - 1, text);
	strcat(to, "\"");
}

/* "name=left" begins an object. */
static bool read_text(struct exporter *e, unsigned int kind, size_t *n, const char *text)
{
	const struct knit_metrics *m = &knit_metrics[kind];
	struct scraped *s = &e->kind[kind];
	char name[64], *is;

	snprintf(name, sizeof(name), "%s", text);
	is = strchr(name, '=');
	if (is == NULL)
		return false;
	*is = '\0';
	text += is - name + 1;
	if (strcmp(name, "name") == 0) {
		if (*n == s->n)
			return false;
		s->object[*n].label[0] = s->object[*n].info[0] = '\0';
		if (m->word[0])
			add_label(s->object[*n].label, sizeof(s->object->label), m->word, text);
		++*n;
	} else if (*n && find_row(m, name) >= 0) {
		memmove(name + 1, name, strlen(name) + 1);
		name[0] = ',';
		add_label(s->object[*n - 1].info, sizeof(s->object->info), name, text);
	}
	return true;
}

/* Objects of s->n that have texts now: from n on, one answer, which begins with s->n. */
static size_t read_texts(struct exporter *e, unsigned int kind, size_t n, struct json_object *told)
{
	size_t i, len = json_object_array_length(told);
	const char *text;
	char total[24];

	snprintf(total, sizeof(total), "%zu", e->kind[kind].n);
	text = len ? json_object_get_string(json_object_array_get_idx(told, 0)) : NULL;
	if (text == NULL || strcmp(text, total) != 0)
		return n;
	for (i = 1; i < len; i++) {
		text = json_object_get_string(json_object_array_get_idx(told, i));
		if (text == NULL || !read_text(e, kind, &n, text))
			break;
	}
	return n;
}

static bool ask_texts(struct exporter *e, unsigned int kind)
{
	struct scraped *s = &e->kind[kind];
	struct json_object *told;
	size_t first, n = 0;

	do {
		first = n;
		told = ask_from(e, "/knit/texts", kind, first, json_type_array);
		if (told == NULL)
			return false;
		n = read_texts(e, kind, first, told);
		json_object_put(told);
	} while (n > first && n < s->n);
	return n == s->n;
}

static void disconnect(struct exporter *e)
{
	unsigned int i;

	knit_client_close(e->client);
	e->client = NULL;
	for (i = 0; i < KNIT_METRIC_KINDS; i++)
		e->kind[i].n_fields = 0;
}

static bool ask_all(struct exporter *e)
{
	unsigned int i;

	for (i = 0; i < KNIT_METRIC_OBJECTS; i++) {
		if (e->kind[i].n_fields == 0 && !ask_fields(e, i))
			return false;
		if (e->kind[i].n_fields == 0)
			continue;
		if (!ask_values(e, i) || (e->kind[i].n && !ask_texts(e, i)))
			return false;
	}
	return true;
}

/* A primary that was started anew since the last scrape is asked again at once. */
static bool ask_primary(struct exporter *e, int64_t start)
{
	int ms = SCRAPE_MS;
	bool kept = e->client != NULL;

	if (kept) {
		knit_client_limit(e->client, ms);
		if (ask_all(e))
			return true;
		disconnect(e);
		ms -= (clock_us(CLOCK_MONOTONIC) - start) / 1000;
		if (ms <= 0)
			return false;
	}
	e->client = knit_client_open(e->prefix, ms);
	if (e->client && knit_client_code(e->client) == 0 && ask_all(e))
		return true;
	disconnect(e);
	return false;
}

void exporter_scrape(struct exporter *e)
{
	int64_t start = clock_us(CLOCK_MONOTONIC), now = start;

	e->scrapes++;
	if (e->up && start < e->fresh_until_us) {
		e->repeated++;
		return;
	}
	e->up = false;
	if (start >= e->silent_until_us) {
		e->up = ask_primary(e, start);
		now = clock_us(CLOCK_MONOTONIC);
		e->fresh_until_us = start + FRESH_MS * INT64_C(1000);
	}
	if (!e->up && now - start >= SCRAPE_MS * INT64_C(900)) /* clocks are not exact */
		e->silent_until_us = now + SCRAPE_MS * INT64_C(1000);
	e->wait_us += now - start;
	e->failed += !e->up;
}

void exporter_free(struct exporter *e)
{
	unsigned int i;

	disconnect(e);
	for (i = 0; i < KNIT_METRIC_KINDS; i++) {
		free(e->kind[i].object);
		free(e->kind[i].value);
		free(e->kind[i].row);
	}
}
