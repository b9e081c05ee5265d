/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_TOOL_RATES_H
#define KNIT_TOOL_RATES_H

#include "knit/objects.h"

#include <stdbool.h>

/* What a system counted at one moment. */
struct look {
	struct json_object *info;
	struct json_object *objects[OBJECT_KINDS];
	double at[OBJECT_KINDS]; /* seconds, CLOCK_MONOTONIC */
};

/* False: client_code says why; there is nothing to free then. */
bool look_take(struct look *l, struct client *c);
void look_free(struct look *l);

/* The object of that name, NULL: there was none. */
struct json_object *look_find(const struct look *l, enum object_kind kind, const char *name);

/*
 * What happened from one look to a later one: an object with "seconds" and the arrays "ports",
 * "interfaces" and "workers". Their fields are rates per second (..._pps packets, ..._bps bits),
 * of workers "busy", the share of time that was spent on packets, from 0 to 1, and of ports "load",
 * the busier direction's share of the link's speed, if that is known. What was not there at the
 * first look is left out. A counter that went back, as after a restart, counts as 0.
 */
struct json_object *rates_between(const struct look *before, const struct look *after);

/* Largest traffic first, or by name. */
void rates_sort(struct json_object *rates, bool traffic_first);

#endif
