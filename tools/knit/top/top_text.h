/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_TOOL_TOP_TEXT_H
#define KNIT_TOOL_TOP_TEXT_H

#include "rates.h"

#include <stdbool.h>
#include <stddef.h>

/* What knit top shows, line by line. Without memory the program ends. */
struct top_line {
	char *text;
	enum object_kind kind; /* of the object that it is about; OBJECT_KINDS: of none */
	char name[64];
	bool loses; /* that object loses packets */
};

struct top_lines {
	struct top_line *line;
	size_t n;
};

/* The rates of all objects, in their order in rates. */
void top_rates(struct top_lines *l, struct json_object *rates, bool only_busy);

/* All that is known of one object, and how fast each number grows. */
void top_details(struct top_lines *l, const struct look *before, const struct look *after,
		 enum object_kind kind, const char *name);

void top_lines_free(struct top_lines *l);

#endif
