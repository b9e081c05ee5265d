/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_TOOL_MEND_H
#define KNIT_TOOL_MEND_H

#include <json-c/json.h>

#include <stdbool.h>
#include <stddef.h>

/*
 * Steps that mend the machine, as `knit-primary --check --json` lists them
 * (primary/preflight/report.h): a program to run, or a value for a file.
 */

/* The step as a line for a shell; false: it is of no known kind. */
bool mend_text(struct json_object *step, char *text, size_t size);

/* Does it, without a shell. False: why says what failed. */
bool mend_do(struct json_object *step, char *why, size_t size);

#endif
