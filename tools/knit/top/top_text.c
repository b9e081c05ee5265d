// SPDX-License-Identifier: BSD-3-Clause
#include "top_text.h"

#include "knit/knit.h"
#include "knit/table.h"
#include "system/process/exit.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BAR 10 /* characters */

static double rate(struct json_object *object, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(object, name, &value) ? json_object_get_double(value) : 0;
}

/* Three digits and a unit. */
static void cell_rate(struct table *t, struct json_object *object, const char *name)
{
	static const char units[] = " kMGT";
	double n = rate(object, name);
	unsigned int i = 0;

	while (n >= 999.5 && i + 2 < sizeof(units)) {
		n /= 1000;
		i++;
	}
	table_cell(t, "%.*f %c", n < 9.995 && i ? 2 : n < 99.95 && i ? 1 : 0, n, units[i]);
}

static void cell_bar(struct table *t, double share)
{
	int n = (int)lround(share * BAR);

	n = n < 0 ? 0 : n > BAR ? BAR : n;
	table_cell(t, "%3.0f %% %.*s%.*s", share * 100, n, "##########", BAR - n, "..........");
}

/* The busier direction, of what the link can carry. */
static void row_port(struct table *t, struct json_object *port)
{
	table_cell(t, "%s", field_text(port, "name"));
	cell_rate(t, port, "rx_pps");
	cell_rate(t, port, "rx_bps");
	cell_rate(t, port, "tx_pps");
	cell_rate(t, port, "tx_bps");
	if (json_object_object_get_ex(port, "load", NULL))
		cell_bar(t, rate(port, "load"));
	else
		table_cell(t, "-");
}

static void row_iface(struct table *t, struct json_object *iface)
{
	table_cell(t, "%s", field_text(iface, "name"));
	cell_rate(t, iface, "to_kernel_pps");
	cell_rate(t, iface, "from_kernel_pps");
	cell_rate(t, iface, "drops_pps");
}

static void row_worker(struct table *t, struct json_object *worker)
{
	table_cell(t, "%s", field_text(worker, "id"));
	cell_rate(t, worker, "rx_pps");
	cell_rate(t, worker, "tx_pps");
	cell_rate(t, worker, "to_kernel_pps");
	cell_rate(t, worker, "from_kernel_pps");
	cell_rate(t, worker, "between_pps");
	cell_rate(t, worker, "drops_pps");
	cell_bar(t, rate(worker, "busy"));
}

static const struct {
	const char *plural;
	const char *const *heads;
	void (*row)(struct table *t, struct json_object *object);
} parts[OBJECT_KINDS] = {
	/* by enum object_kind */
	{ "ports",
	  (const char *const[]){ "PORT", ">RX /S", ">BIT/S", ">TX /S", ">BIT/S", "LOAD", NULL },
	  row_port },
	{ "interfaces",
	  (const char *const[]){ "INTERFACE", ">TO KERNEL /S", ">FROM KERNEL /S", ">DROPS /S",
				 NULL },
	  row_iface },
	{ "workers",
	  (const char *const[]){ "WORKER", ">RX /S", ">TX /S", ">TO KERNEL /S", ">FROM KERNEL /S",
				 ">BETWEEN /S", ">DROPS /S", "BUSY", NULL },
	  row_worker },
};

static bool is_busy(struct json_object *object)
{
	json_object_object_foreach(object, name, value)
	{
		if (strstr(name, "_pps") && json_object_get_double(value) > 0)
			return true;
	}
	return false;
}

static void *must(void *memory)
{
	if (memory == NULL)
		exit(fail(KNIT_EXIT_FAILURE, "no memory"));
	return memory;
}

static struct top_line *add_line(struct top_lines *l, const char *text, size_t len)
{
	struct top_line *line;

	l->line = must(realloc(l->line, (l->n + 1) * sizeof(*l->line)));
	line = &l->line[l->n++];
	*line = (struct top_line){ .kind = OBJECT_KINDS };
	line->text = must(strndup(text, len));
	return line;
}

/* Prints and frees t. Returns the index of the line below its heads. */
static size_t add_table(struct top_lines *l, struct table *t)
{
	char *text = NULL, *at, *end;
	size_t size = 0, first = l->n + 1;
	FILE *out = must(open_memstream(&text, &size));

	table_print(t, out);
	fclose(out);
	for (at = must(text); (end = strchr(at, '\n')) != NULL; at = end + 1)
		add_line(l, at, end - at);
	free(text);
	return first;
}

static void add_part(struct top_lines *l, enum object_kind kind, struct json_object *array,
		     bool only_busy)
{
	struct table *t = table_new(parts[kind].heads);
	struct json_object *object;
	size_t i, n = json_object_array_length(array), at = l->n + 1;

	for (i = 0; i < n; i++) {
		object = json_object_array_get_idx(array, i);
		if (!only_busy || is_busy(object))
			parts[kind].row(t, object);
	}
	add_table(l, t);
	for (i = 0; i < n && at < l->n; i++) {
		object = json_object_array_get_idx(array, i);
		if (only_busy && !is_busy(object))
			continue;
		l->line[at].kind = kind;
		snprintf(l->line[at].name, sizeof(l->line[at].name), "%s",
			 field_text(object, objects_key(kind)));
		l->line[at].loses = rate(object, "drops_pps") > 0;
		at++;
	}
}

void top_rates(struct top_lines *l, struct json_object *rates, bool only_busy)
{
	struct json_object *array;
	unsigned int k;

	for (k = 0; k < OBJECT_KINDS; k++) {
		json_object_object_get_ex(rates, parts[k].plural, &array);
		if (k)
			add_line(l, "", 0);
		add_part(l, k, array, only_busy);
	}
}

static void row_detail(struct table *t, const char *name, struct json_object *before,
		       struct json_object *value, double seconds)
{
	uint64_t now = json_object_get_uint64(value), then = field_uint(before, name);

	table_cell(t, "%s", name);
	table_cell(t, "%s", json_object_get_string(value));
	if (json_object_is_type(value, json_type_int) && now > then)
		table_cell(t, "%.1f", (now - then) / seconds);
	else
		table_cell(t, "%s", "");
}

void top_details(struct top_lines *l, const struct look *before, const struct look *after,
		 enum object_kind kind, const char *name)
{
	static const char *const heads[] = { "FIELD", ">VALUE", ">PER SECOND", NULL };
	struct json_object *now = look_find(after, kind, name);
	struct json_object *then = look_find(before, kind, name);
	struct table *t = table_new(heads);

	if (now && then) {
		json_object_object_foreach(now, field, value)
		{
			row_detail(t, field, then, value, after->at[kind] - before->at[kind]);
		}
	}
	add_table(l, t);
	if (now == NULL)
		add_line(l, "it is gone", 10);
}

void top_lines_free(struct top_lines *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		free(l->line[i].text);
	free(l->line);
	*l = (struct top_lines){ NULL, 0 };
}
