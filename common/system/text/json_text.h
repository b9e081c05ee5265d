/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_JSON_TEXT_H
#define KNIT_JSON_TEXT_H

#include "utf8.h"

#include <json-c/json.h>

#include <stdlib.h>
#include <string.h>

/* A string of JSON, whatever bytes the text has. NULL, which is null in JSON: no memory. */
static inline struct json_object *knit_json_text(const char *text)
{
	size_t size = strlen(text) * strlen(KNIT_UTF8_BAD) + 1;
	char *clean = malloc(size);
	struct json_object *string = NULL;

	if (clean)
		string = json_object_new_string(knit_utf8_copy(clean, size, text));
	free(clean);
	return string;
}

#endif
