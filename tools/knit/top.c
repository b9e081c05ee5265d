// SPDX-License-Identifier: BSD-3-Clause
#include "client.h"
#include "knit.h"
#include "rates.h"
#include "system/process/exit.h"
#include "table.h"

#include <ncurses.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BAR 10 /* characters */
#define MIN_SECONDS 0.1
#define MAX_SECONDS 3600

/* What the keys chose. */
struct view {
	double seconds;
	bool traffic_first;
	bool only_busy;
	bool end;
};

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

static void row_port(struct table *t, struct json_object *port)
{
	table_cell(t, "%s", field_text(port, "name"));
	cell_rate(t, port, "rx_pps");
	cell_rate(t, port, "rx_bps");
	cell_rate(t, port, "tx_pps");
	cell_rate(t, port, "tx_bps");
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
} parts[] = {
	{ "ports", (const char *const[]){ "PORT", ">RX /S", ">BIT/S", ">TX /S", ">BIT/S", NULL },
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

static void print_rates(struct json_object *rates, bool only_busy, FILE *out)
{
	struct json_object *array, *object;
	struct table *t;
	size_t i, k;

	for (k = 0; k < sizeof(parts) / sizeof(parts[0]); k++) {
		json_object_object_get_ex(rates, parts[k].plural, &array);
		t = table_new(parts[k].heads);
		for (i = 0; i < json_object_array_length(array); i++) {
			object = json_object_array_get_idx(array, i);
			if (!only_busy || is_busy(object))
				parts[k].row(t, object);
		}
		if (k)
			fputc('\n', out);
		table_print(t, out);
	}
}

static void take_key(struct view *v, int key)
{
	switch (key) {
	case 'q':
		v->end = true;
		break;
	case 't':
		v->traffic_first = true;
		break;
	case 'n':
		v->traffic_first = false;
		break;
	case 'b':
		v->only_busy = !v->only_busy;
		break;
	case '+':
		v->seconds = fmin(v->seconds * 2, MAX_SECONDS);
		break;
	case '-':
		v->seconds = fmax(v->seconds / 2, MIN_SECONDS);
		break;
	}
}

/* What does not fit on the screen is left out. rates NULL: there are none yet. */
static void draw(const struct view *v, const struct client *c, struct json_object *rates)
{
	char *text = NULL, *line, *rest;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int y = 0;

	if (out == NULL)
		return;
	fprintf(out, "knit, prefix %s, every %g s, %s   q quit  t traffic  n name  b %s  + -\n\n",
		client_prefix(c), v->seconds, v->traffic_first ? "by traffic" : "by name",
		v->only_busy ? "all" : "busy");
	if (rates) {
		rates_sort(rates, v->traffic_first);
		print_rates(rates, v->only_busy, out);
	}
	fclose(out);
	erase();
	for (line = text; line && y < LINES; line = rest, y++) {
		rest = strchr(line, '\n');
		if (rest)
			*rest++ = '\0';
		mvaddnstr(y, 0, line, COLS);
	}
	refresh();
	free(text);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void pause_for(double seconds)
{
	struct timespec t = { .tv_sec = (time_t)seconds };

	t.tv_nsec = (seconds - t.tv_sec) * 1e9;
	nanosleep(&t, NULL);
}

/* Until the next look is due. Keys change what is drawn at once, but not when. */
static void wait_and_hear(struct view *v, const struct client *c, struct json_object *rates)
{
	double start = now(), left;
	int key;

	while (!v->end && (left = start + v->seconds - now()) > 0) {
		timeout((int)ceil(left * 1000));
		key = getch();
		if (key == ERR) /* time is up, or the terminal is gone: then not in a hurry */
			pause_for(fmax(start + v->seconds - now(), 0));
		else
			take_key(v, key);
		draw(v, c, rates);
	}
}

static void leave_screen(void)
{
	before_message = NULL;
	endwin();
}

static bool enter_screen(void)
{
	const char *term = getenv("TERM");

	if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO)) {
		fail(0, "top: this is no terminal; --once or --json is for programs");
		return false;
	}
	if (newterm(NULL, stdout, stdin) == NULL) {
		fail(0, "top: TERM is \"%s\": no terminal that is known; --once needs none",
		     term ? term : "");
		return false;
	}
	before_message = leave_screen;
	cbreak();
	noecho();
	curs_set(0);
	return true;
}

static int live(const struct options *o, struct client *c, struct look *before)
{
	struct view v = { .seconds = fmax(o->seconds, MIN_SECONDS) };
	struct json_object *rates = NULL;
	struct look next;

	if (!enter_screen())
		return KNIT_EXIT_USAGE;
	draw(&v, c, NULL);
	for (;;) {
		wait_and_hear(&v, c, rates);
		if (v.end || !look_take(&next, c))
			break;
		json_object_put(rates);
		rates = rates_between(before, &next);
		draw(&v, c, rates);
		look_free(before);
		*before = next;
	}
	json_object_put(rates);
	if (before_message)
		leave_screen();
	return client_code(c);
}

/* JSON: a line for each interval, until the reader ends or the primary does. */
static int lines(const struct options *o, struct client *c, struct look *before)
{
	struct json_object *rates;
	struct look next;

	do {
		pause_for(fmax(o->seconds, MIN_SECONDS));
		if (!look_take(&next, c))
			break;
		rates = rates_between(before, &next);
		look_free(before);
		*before = next;
		if (o->json) {
			print_json(o, rates);
		} else {
			print_rates(rates, false, stdout);
			json_object_put(rates);
		}
		fflush(stdout);
	} while (!o->once && !ferror(stdout));
	return client_code(c);
}

int top_main(const struct options *o, int argc, char **argv)
{
	struct look first;
	struct client *c;
	int code;

	if (argc > 1)
		return fail(KNIT_EXIT_USAGE, "top: found \"%s\": it has no arguments", argv[1]);
	c = client_open(o->prefix, &code);
	if (c == NULL)
		return code;
	if (look_take(&first, c)) {
		code = o->once || o->json ? lines(o, c, &first) : live(o, c, &first);
		look_free(&first);
	} else {
		code = client_code(c);
	}
	client_close(c);
	return code;
}
