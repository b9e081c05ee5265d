// SPDX-License-Identifier: BSD-3-Clause
#include "event.h"

#include "journal.h"
#include "kni/base/log.h"
#include "system/quirks/journal_log.h"
#include "system/text/json_text.h"

#include <json-c/json.h>

#include <ctype.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct kind {
	const char *name;
	const char *message; /* MESSAGE_ID */
	uint32_t level;	     /* of rte_log */
	const char *severity;
	const char *text;
} kinds[] = {
#define X(id, name, message, severity, n, text, meaning, advice) \
	{ #name, message, RTE_LOG_##severity, #severity, text },
	KNIT_EVENT_TABLE(X)
#undef X
};

static struct {
	pthread_mutex_t lock;
	const char *prefix;
	void (*wake)(void);
	uint64_t start;
	uint64_t last;
	char *json[EVENT_KEPT]; /* that with number n is at n % EVENT_KEPT */
} events = { .lock = PTHREAD_MUTEX_INITIALIZER, .prefix = "" };

/* The field that begins at the brace; behind it. */
static const char *field_name(const char *brace, char name[32])
{
	size_t n = strcspn(brace + 1, "}");

	snprintf(name, 32, "%.*s", (int)n, brace + 1);
	return brace + 1 + n + 1;
}

static void print_value(FILE *out, const struct event_value *v)
{
	if (v->text)
		fputs(v->text, out);
	else
		fprintf(out, "%" PRIu64, v->number);
}

/* The text with its values. NULL: no memory. */
static char *fill_in(const char *from, const struct event_value *v)
{
	char name[32], *text;
	size_t size, part;
	FILE *out = open_memstream(&text, &size);

	while (out && *from) {
		if (*from == '{') {
			from = field_name(from, name);
			print_value(out, v++);
			continue;
		}
		part = strcspn(from, "{");
		fwrite(from, 1, part, out);
		from += part;
	}
	return out && fclose(out) == 0 ? text : NULL;
}

/* Calls visit for each field. */
static void each_field(const struct kind *k, const struct event_value *v,
		       void (*visit)(void *arg, const char *name, const struct event_value *v),
		       void *arg)
{
	const char *at = k->text;
	char name[32];

	while ((at = strchr(at, '{')) != NULL) {
		at = field_name(at, name);
		visit(arg, name, v++);
	}
}

static void add_text(struct json_object *object, const char *name, const char *text)
{
	json_object_object_add(object, name, knit_json_text(text));
}

static void add_field(void *object, const char *name, const struct event_value *v)
{
	if (v->text)
		add_text(object, name, v->text);
	else
		json_object_object_add(object, name, json_object_new_uint64(v->number));
}

static struct json_object *event_object(const struct kind *k, const struct event_value *values,
					const char *text)
{
	struct json_object *object = json_object_new_object();
	char word[40], severity[16];
	struct timespec now;
	size_t i, n;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(word, sizeof(word), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(word + n, sizeof(word) - n, ".%06ldZ", now.tv_nsec / 1000);
	for (i = 0; i <= strlen(k->severity); i++)
		severity[i] = (char)tolower(k->severity[i]);
	json_object_object_add(object, "number", json_object_new_uint64(0));
	add_text(object, "time", word);
	snprintf(word, sizeof(word), "%016" PRIx64, events.start);
	add_text(object, "start", word);
	add_text(object, "kind", k->name);
	add_text(object, "severity", severity);
	add_text(object, "text", text);
	each_field(k, values, add_field, object);
	return object;
}

static uint64_t keep(struct json_object *object)
{
	char **slot;
	uint64_t number;

	pthread_mutex_lock(&events.lock);
	number = events.last + 1;
	json_object_object_add(object, "number", json_object_new_uint64(number));
	slot = &events.json[number % EVENT_KEPT];
	free(*slot);
	*slot = strdup(json_object_to_json_string_ext(
		object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	events.last = number;
	pthread_mutex_unlock(&events.lock);
	return number;
}

static void add_journal_field(void *entry, const char *name, const struct event_value *v)
{
	char key[48] = "KNIT_";
	size_t i;

	for (i = 0; name[i]; i++)
		key[5 + i] = (char)toupper(name[i]);
	if (v->text)
		journal_add(entry, key, v->text);
	else
		journal_add_number(entry, key, v->number);
}

static bool to_journal(const struct kind *k, const struct event_value *values, const char *text,
		       uint64_t number)
{
	struct journal_entry entry = { 0 };

	if (!knit_journal_is_log())
		return false;
	journal_add(&entry, "MESSAGE", text);
	journal_add(&entry, "MESSAGE_ID", k->message);
	journal_add_number(&entry, "PRIORITY", k->level - 1); /* as syslog(3) counts */
	journal_add(&entry, "SYSLOG_IDENTIFIER", "knit-primary");
	journal_add(&entry, "KNIT_PREFIX", events.prefix);
	journal_add(&entry, "KNIT_EVENT", k->name);
	journal_add_number(&entry, "KNIT_NUMBER", number);
	each_field(k, values, add_journal_field, &entry);
	return journal_send(&entry);
}

void event_happened(int logtype, enum knit_event_kind kind, const struct event_value *values)
{
	const struct kind *k = &kinds[kind];
	char *filled = fill_in(k->text, values);
	const char *text = filled ? filled : k->text;
	struct json_object *object = event_object(k, values, text);
	uint64_t number;

	number = keep(object);
	json_object_put(object);
	if (rte_log_can_log(logtype, k->level) && !to_journal(k, values, text, number))
		knit_log(k->level, logtype, "%s", text);
	free(filled);
	if (events.wake)
		events.wake();
}

void event_init(const char *prefix, void (*wake)(void))
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	events.start = now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
	events.prefix = prefix;
	events.wake = wake;
}

uint64_t event_start(void)
{
	return events.start;
}

uint64_t event_last(void)
{
	uint64_t last;

	pthread_mutex_lock(&events.lock);
	last = events.last;
	pthread_mutex_unlock(&events.lock);
	return last;
}

/* What there was no memory for is passed over. */
char *event_after(uint64_t number, uint64_t *next)
{
	char *json = NULL;

	pthread_mutex_lock(&events.lock);
	if (number + EVENT_KEPT < events.last)
		number = events.last - EVENT_KEPT;
	while (json == NULL && number < events.last) {
		*next = ++number;
		if (events.json[number % EVENT_KEPT])
			json = strdup(events.json[number % EVENT_KEPT]);
	}
	pthread_mutex_unlock(&events.lock);
	return json;
}
