// SPDX-License-Identifier: BSD-3-Clause
#include "client.h"
#include "command.h"
#include "show.h"
#include "system/process/exit.h"

#include <stdlib.h>
#include <string.h>

static void print_value(struct json_object *value, int depth);

static void indent(int depth)
{
	printf("%*s", 4 * depth, "");
}

/* As libconfig writes it: names and paths have no other characters that must be escaped. */
static void print_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (strchr("\"\\", *text))
			putchar('\\');
		putchar(*text);
	}
	putchar('"');
}

static void print_members(struct json_object *group, int depth)
{
	json_object_object_foreach(group, name, value)
	{
		indent(depth);
		printf("%s = ", name);
		print_value(value, depth);
		printf(";\n");
	}
}

/* A list of groups has round brackets, an array of names square ones. */
static void print_list(struct json_object *list, int depth)
{
	size_t i, n = json_object_array_length(list);
	bool groups =
		n == 0 || json_object_is_type(json_object_array_get_idx(list, 0), json_type_object);

	printf(groups ? "(" : "[ ");
	for (i = 0; i < n; i++) {
		printf("%s", i ? ", " : "");
		print_value(json_object_array_get_idx(list, i), depth);
	}
	printf(groups ? ")" : " ]");
}

static void print_value(struct json_object *value, int depth)
{
	switch (json_object_get_type(value)) {
	case json_type_object:
		printf("{\n");
		print_members(value, depth + 1);
		indent(depth);
		printf("}");
		break;
	case json_type_array:
		print_list(value, depth);
		break;
	case json_type_string:
		print_string(json_object_get_string(value));
		break;
	default:
		printf("%s", json_object_get_string(value));
	}
}

/* The parts one behind the other; NULL: *code is the exit code, after a message. */
static char *read_parts(struct command_call *call, int *code)
{
	const struct knit_command_head *head;
	char *text = NULL;
	size_t len, all = 0;
	FILE *out = open_memstream(&text, &all);

	*code = KNIT_EXIT_FAILURE;
	while (out && (head = command_next(call, true, &len, code)) != NULL) {
		if (head->type != KNIT_COMMAND_CONFIG_PART) {
			*code = fail(KNIT_EXIT_MISMATCH,
				     "the primary's answer is no configuration");
			break;
		}
		fwrite(head + 1, 1, len - sizeof(*head), out);
	}
	if (out)
		fclose(out);
	if (*code == 0)
		return text;
	free(text);
	return NULL;
}

int show_config(const struct options *o, struct client *c)
{
	struct json_object *config = NULL, *whole;
	struct command_call *call;
	char *text = NULL;
	int code;

	call = command_call(c, KNIT_COMMAND_CONFIG, NULL, 0, &code);
	if (call) {
		text = read_parts(call, &code);
		command_close(call);
	}
	if (text)
		config = json_tokener_parse(text);
	free(text);
	if (text && !json_object_is_type(config, json_type_object))
		code = fail(KNIT_EXIT_FAILURE, "the primary's configuration is no JSON");
	else if (text && o->json) {
		whole = json_object_new_object();
		json_object_object_add(whole, "config", json_object_get(config));
		print_json(o, whole);
	} else if (text) {
		print_members(config, 0);
	}
	json_object_put(config);
	return code;
}
