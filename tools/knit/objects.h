/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_TOOL_OBJECTS_H
#define KNIT_TOOL_OBJECTS_H

#include "client.h"

/*
 * What a system consists of, as JSON: what telemetry tells of an object, with its name (or id) as
 * first field, and the state of a process as a word.
 */
enum object_kind {
	OBJECT_PORT,
	OBJECT_INTERFACE,
	OBJECT_WORKER,
	OBJECT_KINDS
};

/* Its field that says which one it is: "name" or "id". */
const char *objects_key(enum object_kind kind);

/* NULL as of client_ask. */
struct json_object *objects_one(struct client *c, enum object_kind kind, const char *name);
/* The names of all, an array of strings or numbers; NULL after a message. */
struct json_object *objects_names(struct client *c, enum object_kind kind);
/* The name at i, NULL if that is none; valid as long as names. */
const char *objects_name(struct json_object *names, size_t i);
/* An array; what goes away between two questions is left out. Look at client_code. */
struct json_object *objects_all(struct client *c, enum object_kind kind);

/*
 * The sum of all counters drop_... and reject_...; also in like, if that is not NULL: what was not
 * known at one of two looks did not grow in between.
 */
uint64_t objects_drops(struct json_object *object, struct json_object *like);

/* The number of enum knit_process_state in the field "state" becomes a word. */
void objects_name_state(struct json_object *object);

#endif
