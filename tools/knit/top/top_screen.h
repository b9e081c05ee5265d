/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_TOOL_TOP_SCREEN_H
#define KNIT_TOOL_TOP_SCREEN_H

#include "top_text.h"

#include <stdbool.h>

/*
 * The terminal of knit top: a list of objects, one of which is selected, and the page of that one.
 * It says what is wrong with the terminal: false.
 */
bool screen_enter(void);
/* Also done by fail before it prints a message. */
void screen_leave(void);

/* What the keys chose. */
struct view {
	double seconds;
	bool traffic_first;
	bool only_busy;
	bool end;
	/* the selected object; OBJECT_KINDS: none yet */
	enum object_kind kind;
	char name[64];
	bool details;	/* the page of that object */
	size_t top;	/* the first line that is seen, below the head */
	size_t seen;	/* lines that fit below the head */
	size_t n_lines; /* of the page */
};

/* Waits for a key for at most so long, and obeys it. False: none came. */
bool screen_hear(struct view *v, struct top_lines *l, double seconds);

/* Draws head, a line, and what is seen of l. Lines are cut at the screen's width. */
void screen_draw(struct view *v, const char *head, const struct top_lines *l);

#endif
