// SPDX-License-Identifier: BSD-3-Clause
#include "command.h"
#include "knit.h"
#include "system/command/levels.h"
#include "system/process/exit.h"
#include "table.h"

#include <string.h>

static const char *const names[KNIT_LOG_LEVELS] = KNIT_LOG_LEVEL_NAMES;

/* 0: no level is named so. */
static uint32_t level_of(const char *text)
{
	uint32_t i;

	for (i = 0; i < KNIT_LOG_LEVELS; i++)
		if (strcmp(text, names[i]) == 0 || (text[0] == (char)('1' + i) && !text[1]))
			return i + 1;
	return 0;
}

static struct json_object *type_object(const struct knit_command_log_type *t, size_t len)
{
	struct json_object *type = json_object_new_object();
	int n = (int)(len - sizeof(*t));

	json_object_object_add(type, "type", json_object_new_string_len(t->name, n));
	json_object_object_add(type, "level",
			       json_object_new_string(t->level > 0 && t->level <= KNIT_LOG_LEVELS
							      ? names[t->level - 1]
							      : "none"));
	json_object_object_add(type, "changed", json_object_new_boolean(t->changed));
	return type;
}

static int read_types(struct command_call *call, struct json_object *types)
{
	const struct knit_command_head *head;
	size_t len;
	int code;

	while ((head = command_next(call, true, &len, &code)) != NULL) {
		if (head->type != KNIT_COMMAND_LOG_TYPE ||
		    len < sizeof(struct knit_command_log_type))
			return fail(KNIT_EXIT_MISMATCH, "the primary's answer is no log type");
		json_object_array_add(types,
				      type_object((const struct knit_command_log_type *)head, len));
	}
	return code;
}

static void print_types(const struct options *o, struct json_object *types)
{
	static const char *const heads[] = { "TYPE", "LEVEL", "CHANGED", NULL };
	struct json_object *whole, *type;
	struct table *t;
	size_t i;

	if (o->json) {
		whole = json_object_new_object();
		json_object_object_add(whole, "log_levels", json_object_get(types));
		print_json(o, whole);
		return;
	}
	t = table_new(heads);
	for (i = 0; i < json_object_array_length(types); i++) {
		type = json_object_array_get_idx(types, i);
		table_cell(t, "%s", field_text(type, "type"));
		table_cell(t, "%s", field_text(type, "level"));
		table_cell(t, "%s", field_uint(type, "changed") ? "yes" : "no");
	}
	table_print(t, stdout);
}

static int ask(const struct options *o, const struct knit_command_log_level *request)
{
	struct json_object *types = json_object_new_array();
	struct command_call *call;
	struct client *c;
	int code;

	c = client_open(o->prefix, &code);
	call = c ? command_call(c, KNIT_COMMAND_LOG_LEVEL, request, sizeof(*request), &code) : NULL;
	if (call) {
		code = read_types(call, types);
		command_close(call);
	}
	if (code == 0)
		print_types(o, types);
	if (c)
		client_close(c);
	json_object_put(types);
	return code;
}

int log_main(const struct options *o, int argc, char **argv)
{
	struct knit_command_log_level request = { .type = "*" };

	if (argc < 2 || argc > 4 || strcmp(argv[1], "level") != 0)
		return fail(KNIT_EXIT_USAGE, "log: `level`, and perhaps a type and a level for it, "
					     "is expected");
	if (argc > 2 && strlen(argv[2]) >= sizeof(request.type))
		return fail(KNIT_EXIT_USAGE, "log level: found \"%s\": a shorter name is expected",
			    argv[2]);
	if (argc > 2)
		strcpy(request.type, argv[2]);
	request.level = argc > 3 ? level_of(argv[3]) : 0;
	if (argc > 3 && request.level == 0)
		return fail(KNIT_EXIT_USAGE,
			    "log level: found \"%s\": emergency (1), alert, critical, error, "
			    "warning, notice, info or debug (8) is expected",
			    argv[3]);
	return ask(o, &request);
}
