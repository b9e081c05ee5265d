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

int show_config(const struct options *o, struct client *c)
{
	struct json_object *config, *whole;
	int code;

	config = command_json(c, KNIT_COMMAND_CONFIG, NULL, 0, &code);
	if (config && o->json) {
		whole = json_object_new_object();
		json_object_object_add(whole, "config", json_object_get(config));
		print_json(o, whole);
	} else if (config) {
		print_members(config, 0);
	}
	json_object_put(config);
	return code;
}
