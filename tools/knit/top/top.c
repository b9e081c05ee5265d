// SPDX-License-Identifier: BSD-3-Clause
#include "knit/client.h"
#include "knit/knit.h"
#include "rates.h"
#include "system/process/exit.h"
#include "top_screen.h"
#include "top_text.h"

#include <math.h>
#include <time.h>

#define MIN_SECONDS 0.1

static const char *const kind_names[OBJECT_KINDS] = {
	[OBJECT_PORT] = "port",
	[OBJECT_INTERFACE] = "interface",
	[OBJECT_WORKER] = "worker",
};

/* The last two looks, and what is between them. */
struct looks {
	struct look before, after;
	struct json_object *rates; /* NULL: there was one look only */
	struct top_lines lines;	   /* as drawn last */
};

static void draw(struct view *v, const struct client *c, struct looks *l)
{
	char head[256];

	top_lines_free(&l->lines);
	if (v->details)
		snprintf(head, sizeof(head),
			 "knit, prefix %s, %s %s, every %g s   q quit  Esc back", client_prefix(c),
			 kind_names[v->kind], v->name, v->seconds);
	else
		snprintf(head, sizeof(head),
			 "knit, prefix %s, every %g s, %s   q quit  t traffic  n name  b %s  + -  "
			 "Up Down Enter",
			 client_prefix(c), v->seconds, v->traffic_first ? "by traffic" : "by name",
			 v->only_busy ? "all" : "busy");
	if (l->rates && v->details) {
		top_details(&l->lines, &l->before, &l->after, v->kind, v->name);
	} else if (l->rates) {
		rates_sort(l->rates, v->traffic_first);
		top_rates(&l->lines, l->rates, v->only_busy);
	}
	screen_draw(v, head, &l->lines);
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
static void wait_and_hear(struct view *v, const struct client *c, struct looks *l)
{
	double start = now(), left;

	while (!v->end && (left = start + v->seconds - now()) > 0) {
		/* no key: time is up, or the terminal is gone: then not in a hurry */
		if (!screen_hear(v, &l->lines, left))
			pause_for(fmax(start + v->seconds - now(), 0));
		draw(v, c, l);
	}
}

/* One more look: the last one becomes the one before. False: client_code says why. */
static bool look_again(struct looks *l, struct client *c)
{
	struct look next;

	if (!look_take(&next, c))
		return false;
	if (l->rates)
		look_free(&l->before);
	l->before = l->after;
	l->after = next;
	json_object_put(l->rates);
	l->rates = rates_between(&l->before, &l->after);
	return true;
}

static void looks_free(struct looks *l)
{
	if (l->rates)
		look_free(&l->before);
	look_free(&l->after);
	json_object_put(l->rates);
	top_lines_free(&l->lines);
}

static int live(const struct options *o, struct client *c, struct looks *l)
{
	struct view v = { .seconds = fmax(o->seconds, MIN_SECONDS), .kind = OBJECT_KINDS };

	if (!screen_enter())
		return KNIT_EXIT_USAGE;
	draw(&v, c, l);
	for (;;) {
		wait_and_hear(&v, c, l);
		if (v.end || !look_again(l, c))
			break;
		draw(&v, c, l);
	}
	screen_leave();
	return client_code(c);
}

static void print_lines(struct looks *l)
{
	size_t i;

	top_lines_free(&l->lines);
	top_rates(&l->lines, l->rates, false);
	for (i = 0; i < l->lines.n; i++)
		puts(l->lines.line[i].text);
}

/* JSON: a line for each interval, until the reader ends or the primary does. */
static int lines(const struct options *o, struct client *c, struct looks *l)
{
	do {
		pause_for(fmax(o->seconds, MIN_SECONDS));
		if (!look_again(l, c))
			break;
		if (o->json)
			print_json(o, json_object_get(l->rates));
		else
			print_lines(l);
		fflush(stdout);
	} while (!o->once && !ferror(stdout));
	return client_code(c);
}

int top_main(const struct options *o, int argc, char **argv)
{
	struct looks l = { 0 };
	struct client *c;
	int code;

	if (argc > 1)
		return fail(KNIT_EXIT_USAGE, "top: found \"%s\": it has no arguments", argv[1]);
	c = client_open(o->prefix, &code);
	if (c == NULL)
		return code;
	if (look_take(&l.after, c)) {
		code = o->once || o->json ? lines(o, c, &l) : live(o, c, &l);
		looks_free(&l);
	} else {
		code = client_code(c);
	}
	client_close(c);
	return code;
}
