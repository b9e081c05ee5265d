// SPDX-License-Identifier: BSD-3-Clause
#include "command.h"
#include "knit.h"
#include "system/command/events.h"
#include "system/process/exit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {
#define X(id, name, message, severity, n, text, meaning, advice) #name,
	KNIT_EVENT_TABLE(X)
#undef X
};

/* What is to be shown, and where it stands. */
struct monitor {
	const struct options *o;
	char **words; /* of the command line; none: all kinds */
	int n_words;
	uint64_t since;
	uint64_t end;  /* --once: the number of the last event */
	uint64_t last; /* that was told */
	bool begun;
};

/* "worker" is worker_attached and all others that begin so. */
static bool word_is_kind(const char *word, const char *kind)
{
	size_t n = strlen(word);

	return strncmp(kind, word, n) == 0 && (kind[n] == '\0' || kind[n] == '_');
}

static bool word_is_known(const char *word)
{
	size_t i;

	for (i = 0; i < KNIT_EVENT_KINDS; i++)
		if (word_is_kind(word, kinds[i]))
			return true;
	return false;
}

static int refuse_word(const char *word)
{
	size_t i;

	fprintf(stderr, "knit: monitor: found \"%s\": a kind of event is expected:", word);
	for (i = 0; i < KNIT_EVENT_KINDS; i++)
		fprintf(stderr, " %s", kinds[i]);
	fprintf(stderr, "\n");
	return KNIT_EXIT_USAGE;
}

static bool is_wanted(const struct monitor *m, const char *kind)
{
	int i;

	for (i = 0; i < m->n_words; i++)
		if (word_is_kind(m->words[i], kind))
			return true;
	return m->n_words == 0;
}

static void print_lost(const struct monitor *m, uint64_t lost)
{
	struct json_object *line;

	if (!m->o->json) {
		printf("%" PRIu64 " events before the next one are lost: the primary has forgotten "
		       "them\n",
		       lost);
		return;
	}
	line = json_object_new_object();
	json_object_object_add(line, "kind", json_object_new_string("lost"));
	json_object_object_add(line, "lost", json_object_new_uint64(lost));
	print_json(m->o, line);
}

/* To those who asked for what came after an event of another start. */
static void print_anew(const struct monitor *m, uint64_t number, const char *start)
{
	struct json_object *line;

	if (!m->o->json) {
		printf("the primary was started anew since then, and has had %" PRIu64 " events\n",
		       number);
		return;
	}
	line = json_object_new_object();
	json_object_object_add(line, "kind", json_object_new_string("anew"));
	json_object_object_add(line, "start", json_object_new_string(start));
	print_json(m->o, line);
}

static void print_event(const struct monitor *m, struct json_object *event)
{
	if (m->o->json)
		print_json(m->o, json_object_get(event));
	else
		printf("%s  %4" PRIu64 "  %-7s  %-16s  %s\n", field_text(event, "time"),
		       field_uint(event, "number"), field_text(event, "severity"),
		       field_text(event, "kind"), field_text(event, "text"));
}

/* The primary takes it in the same way. */
static bool is_another_start(const struct monitor *m, uint64_t number, const char *start)
{
	if (m->o->since_start && m->o->since_start != strtoull(start, NULL, 16))
		return true;
	return m->since != KNIT_COMMAND_NO_EVENT && m->since > number;
}

/* The first message only says where the primary stands. */
static void take_first(struct monitor *m, uint64_t number, const char *start)
{
	m->begun = true;
	m->end = number;
	m->last = m->since == KNIT_COMMAND_NO_EVENT ? number : m->since;
	if (is_another_start(m, number, start)) {
		m->last = 0;
		print_anew(m, number, start);
	}
}

/* NULL: it is no JSON. */
static struct json_object *parse(const char *text, size_t len)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object = json_tokener_parse_ex(tokener, text, (int)len);

	json_tokener_free(tokener);
	return object;
}

static void take_event(struct monitor *m, uint64_t number, struct json_object *event)
{
	uint64_t lost = number - m->last - 1;

	m->last = number;
	if (lost)
		print_lost(m, lost);
	if (is_wanted(m, field_text(event, "kind")))
		print_event(m, event);
}

static int take(struct monitor *m, const struct knit_command_event *e, size_t len)
{
	struct json_object *event;

	if (len < sizeof(*e) || e->head.type != KNIT_COMMAND_EVENT)
		return fail(KNIT_EXIT_MISMATCH, "the primary's answer is no event");
	event = parse(e->json, len - sizeof(*e));
	if (!json_object_is_type(event, json_type_object)) {
		json_object_put(event);
		return fail(KNIT_EXIT_FAILURE, "an event of the primary is no JSON");
	}
	if (m->begun)
		take_event(m, e->number, event);
	else
		take_first(m, e->number, field_text(event, "start"));
	json_object_put(event);
	return 0;
}

/* An output that nobody reads any more ends it, too. */
static int follow(struct monitor *m, struct command_call *call)
{
	const struct knit_command_head *head;
	size_t len;
	int code;

	while (!(m->o->once && m->begun && m->last >= m->end)) {
		head = command_next(call, true, &len, &code);
		if (head == NULL)
			return code;
		code = take(m, (const struct knit_command_event *)head, len);
		if (code)
			return code;
		if (fflush(stdout))
			return 0; /* main says why */
	}
	return 0;
}

int monitor_main(const struct options *o, int argc, char **argv)
{
	struct monitor m = { .o = o,
			     .words = argv + 1,
			     .n_words = argc - 1,
			     .since = o->once && o->since == KNIT_COMMAND_NO_EVENT ? 0 : o->since };
	struct knit_command_monitor request = { .since = m.since, .start = o->since_start };
	struct command_call *call;
	struct client *c;
	int i, code;

	for (i = 1; i < argc; i++)
		if (!word_is_known(argv[i]))
			return refuse_word(argv[i]);
	c = client_open(o->prefix, &code);
	if (c == NULL)
		return code;
	call = command_call(c, KNIT_COMMAND_MONITOR, &request, sizeof(request), &code);
	if (call) {
		code = follow(&m, call);
		command_close(call);
	}
	client_close(c);
	return code;
}
