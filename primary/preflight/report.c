// SPDX-License-Identifier: BSD-3-Clause
#include "report.h"

#include "system/text/json_text.h"

#include <json-c/json.h>

#include <stdarg.h>
#include <stdio.h>

/* --check: also prints what is good and what could be better, on stdout. */
static bool report;
static struct json_object *findings; /* --json: they are kept here, and not printed */
static struct json_object *steps;    /* of the next one; NULL: none */

/* What was found on the machine names programs and interfaces, too. */
static void add(struct json_object *object, const char *name, const char *text)
{
	json_object_object_add(object, name, knit_json_text(text));
}

static void add_step(struct json_object *step)
{
	if (steps == NULL)
		steps = json_object_new_array();
	json_object_array_add(steps, step);
}

void preflight_run(const char *program, ...)
{
	struct json_object *step = json_object_new_object(), *words = json_object_new_array();
	const char *word;
	va_list args;

	va_start(args, program);
	for (word = program; word; word = va_arg(args, const char *))
		json_object_array_add(words, json_object_new_string(word));
	va_end(args);
	json_object_object_add(step, "run", words);
	add_step(step);
}

void preflight_write(const char *path, const char *value)
{
	struct json_object *step = json_object_new_object();

	add(step, "write", path);
	add(step, "value", value);
	add_step(step);
}

/* True: it is kept. The steps are used up in any case. */
static bool keep(const char *state, const char *what, const char *remedy)
{
	struct json_object *finding;

	if (findings == NULL) {
		json_object_put(steps);
		steps = NULL;
		return false;
	}
	finding = json_object_new_object();
	add(finding, "state", state);
	add(finding, "what", what);
	if (remedy)
		add(finding, "remedy", remedy);
	if (steps)
		json_object_object_add(finding, "steps", steps);
	steps = NULL;
	json_object_array_add(findings, finding);
	return true;
}

void preflight_good(const char *what)
{
	if (!keep("ok", what, NULL) && report)
		printf("ok       %s\n", what);
}

void preflight_note(const char *what, const char *remedy)
{
	if (!keep("note", what, remedy) && report)
		printf("note     %s\n         remedy: %s\n", what, remedy);
}

int preflight_missing(const char *what, const char *remedy)
{
	if (keep("missing", what, remedy))
		return KNIT_EXIT_RESOURCES;
	if (report)
		printf("MISSING  %s\n         remedy: %s\n", what, remedy);
	else
		fprintf(stderr, "knit-primary: %s\n    remedy: %s\n", what, remedy);
	return KNIT_EXIT_RESOURCES;
}

int preflight_wrong(const struct preflight_key *key, const char *what, const char *remedy)
{
	char text[600];

	snprintf(text, sizeof(text), "%s:%d: %s: %s", knit_conf_file(key->c, key->at),
		 key->at->line ? key->at->line : 1, key->name, what);
	return preflight_missing(text, remedy);
}

bool preflight_reports(void)
{
	return report;
}

void preflight_report(bool all)
{
	report = all;
}

void preflight_report_json(void)
{
	findings = json_object_new_array();
}

void preflight_report_print(int code)
{
	struct json_object *whole = json_object_new_object();

	json_object_object_add(whole, "findings", findings);
	json_object_object_add(whole, "code", json_object_new_int(code));
	puts(json_object_to_json_string_ext(whole, JSON_C_TO_STRING_PLAIN |
							   JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(whole);
	findings = NULL;
}
