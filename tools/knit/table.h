/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_TOOL_TABLE_H
#define KNIT_TOOL_TABLE_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Text in columns as wide as their widest cell. Cells are copied; those that are missing in the
 * last row are empty. Without memory the program ends.
 */
struct table;

/* heads: ends with NULL. One that begins with '>' is for numbers, which stand at the right. */
struct table *table_new(const char *const *heads);
void table_cell(struct table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints it and frees it. */
void table_print(struct table *t, FILE *out);

#endif
