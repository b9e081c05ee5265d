// SPDX-License-Identifier: BSD-3-Clause
#include "top_screen.h"

#include "knit/knit.h"

#include <math.h>
#include <ncurses.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD 2 /* lines: the head, and an empty one */
#define MIN_SECONDS 0.1
#define MAX_SECONDS 3600
#define ESCAPE 27
#define RED 1 /* a pair of colours */

void screen_leave(void)
{
	if (before_message == NULL)
		return;
	before_message = NULL;
	endwin();
}

bool screen_enter(void)
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
	before_message = screen_leave;
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	set_escdelay(50);
	curs_set(0);
	if (has_colors() && getenv("NO_COLOR") == NULL && start_color() == OK) {
		use_default_colors();
		init_pair(RED, COLOR_RED, -1);
	}
	return true;
}

/* The line of the selected object; l->n: it is not there. */
static size_t selected_line(const struct view *v, const struct top_lines *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (v->kind != OBJECT_KINDS && l->line[i].kind == v->kind &&
		    strcmp(l->line[i].name, v->name) == 0)
			break;
	return i;
}

static void select_line(struct view *v, const struct top_lines *l, size_t i)
{
	v->kind = l->line[i].kind;
	snprintf(v->name, sizeof(v->name), "%s", l->line[i].name);
}

/* The next object in that direction, steps further; the last one if there are fewer. */
static void move_selection(struct view *v, const struct top_lines *l, int direction, size_t steps)
{
	size_t at = selected_line(v, l), i = at;

	if (at == l->n) { /* none: the first one */
		direction = 1;
		steps = 1;
		i = (size_t)-1;
	}
	while (steps && (direction > 0 ? i + 1 < l->n : i > 0)) {
		i += (size_t)direction;
		if (l->line[i].kind == OBJECT_KINDS)
			continue;
		select_line(v, l, i);
		steps--;
	}
}

static void scroll_by(struct view *v, int direction, size_t steps)
{
	size_t most = v->n_lines > v->seen ? v->n_lines - v->seen : 0;

	if (direction > 0)
		v->top = v->top + steps < most ? v->top + steps : most;
	else
		v->top = v->top > steps ? v->top - steps : 0;
}

static void move_by(struct view *v, const struct top_lines *l, int direction, size_t steps)
{
	if (v->details)
		scroll_by(v, direction, steps);
	else
		move_selection(v, l, direction, steps);
}

static void open_details(struct view *v, bool open)
{
	if (open && v->kind == OBJECT_KINDS)
		return;
	v->details = open;
	v->top = 0;
}

static void obey(struct view *v, const struct top_lines *l, int key)
{
	switch (key) {
	case 'q':
		v->end = true;
		break;
	case 't':
	case 'n':
		v->traffic_first = key == 't';
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
	case KEY_DOWN:
	case 'j':
		move_by(v, l, 1, 1);
		break;
	case KEY_UP:
	case 'k':
		move_by(v, l, -1, 1);
		break;
	case KEY_NPAGE:
	case ' ':
		move_by(v, l, 1, v->seen);
		break;
	case KEY_PPAGE:
		move_by(v, l, -1, v->seen);
		break;
	case KEY_HOME:
		move_by(v, l, -1, l->n);
		break;
	case KEY_END:
		move_by(v, l, 1, l->n);
		break;
	case '\n':
	case KEY_ENTER:
	case KEY_RIGHT:
		open_details(v, true);
		break;
	case ESCAPE:
	case KEY_BACKSPACE:
	case KEY_LEFT:
		open_details(v, false);
		break;
	}
}

bool screen_hear(struct view *v, struct top_lines *l, double seconds)
{
	int key;

	timeout((int)ceil(seconds * 1000));
	key = getch();
	if (key == ERR)
		return false;
	obey(v, l, key);
	return true;
}

/* The selected object is always seen. */
static void follow_selection(struct view *v, const struct top_lines *l)
{
	size_t at = selected_line(v, l);

	if (v->details || at == l->n || v->seen == 0)
		return;
	if (at < v->top)
		v->top = at;
	if (at >= v->top + v->seen)
		v->top = at - v->seen + 1;
	/* with the heads above the first one */
	if (at == 1)
		v->top = 0;
}

void screen_draw(struct view *v, const char *head, const struct top_lines *l)
{
	const struct top_line *line;
	attr_t attribute;
	size_t i, selected;

	v->seen = LINES > HEAD ? (size_t)(LINES - HEAD) : 0;
	v->n_lines = l->n;
	follow_selection(v, l);
	scroll_by(v, -1, 0);
	if (v->top + v->seen > l->n)
		scroll_by(v, 1, 0);
	selected = v->details ? l->n : selected_line(v, l);
	erase();
	mvaddnstr(0, 0, head, COLS);
	for (i = 0; i < v->seen && v->top + i < l->n; i++) {
		line = &l->line[v->top + i];
		attribute = line->loses ? (attr_t)(A_BOLD | COLOR_PAIR(RED)) : A_NORMAL;
		if (v->top + i == selected)
			attribute |= A_REVERSE;
		attrset(attribute);
		mvaddnstr(HEAD + (int)i, 0, line->text, COLS);
	}
	attrset(A_NORMAL);
	refresh();
}
