// SPDX-License-Identifier: BSD-3-Clause
#include "knit.h"

#include <json-c/json.h>

#include <stdarg.h>

void (*before_message)(void);

int fail(int code, const char *format, ...)
{
	va_list args;

	if (before_message)
		before_message();
	fputs("knit: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return code;
}

void print_json(const struct options *o, struct json_object *object)
{
	int flags = o->pretty ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED
			      : JSON_C_TO_STRING_PLAIN;

	puts(json_object_to_json_string_ext(object, flags | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}
