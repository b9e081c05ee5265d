// SPDX-License-Identifier: BSD-3-Clause
#include "table.h"

#include "knit.h"
#include "system/process/exit.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define GAP 2

struct table {
	const char *const *heads;
	size_t columns;
	char **cell; /* row by row */
	size_t n;
};

static void *must(void *memory)
{
	if (memory == NULL)
		exit(fail(KNIT_EXIT_FAILURE, "no memory"));
	return memory;
}

struct table *table_new(const char *const *heads)
{
	struct table *t = must(calloc(1, sizeof(*t)));

	t->heads = heads;
	while (heads[t->columns])
		t->columns++;
	return t;
}

void table_cell(struct table *t, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	t->cell = must(realloc(t->cell, (t->n + 1) * sizeof(*t->cell)));
	t->cell[t->n++] = must(text);
}

static bool is_number(const struct table *t, size_t column)
{
	return t->heads[column][0] == '>';
}

static const char *head(const struct table *t, size_t column)
{
	return t->heads[column] + is_number(t, column);
}

static int width(const struct table *t, size_t column)
{
	size_t i, w = strlen(head(t, column));

	for (i = column; i < t->n; i += t->columns)
		w = strlen(t->cell[i]) > w ? strlen(t->cell[i]) : w;
	return w;
}

/* No blanks behind the last cell. */
static void print_cell(const struct table *t, FILE *out, size_t column, const char *text)
{
	bool last = column + 1 == t->columns;

	if (is_number(t, column))
		fprintf(out, "%*s%s", width(t, column), text, last ? "" : "  ");
	else if (last)
		fprintf(out, "%s", text);
	else
		fprintf(out, "%-*s", width(t, column) + GAP, text);
}

void table_print(struct table *t, FILE *out)
{
	size_t i;

	for (i = 0; i < t->columns; i++)
		print_cell(t, out, i, head(t, i));
	for (i = 0; i < t->n; i++) {
		if (i % t->columns == 0)
			fputc('\n', out);
		print_cell(t, out, i % t->columns, t->cell[i]);
	}
	fputc('\n', out);
	for (i = 0; i < t->n; i++)
		free(t->cell[i]);
	free(t->cell);
	free(t);
}
