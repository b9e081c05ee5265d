/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_TOOL_CLIENT_H
#define KNIT_TOOL_CLIENT_H

#include "system/client/client.h"

/*
 * Questions to a primary, and a message on stderr for what fails. A primary that does not answer
 * one within CLIENT_SECONDS is given up.
 */
#define CLIENT_SECONDS 3

struct client;

/*
 * prefix: of the system; NULL: the only one whose folder is in /run/knit, or "knit" if there is
 * none. NULL after a message on stderr; *code is then the exit code.
 */
struct client *client_open(const char *prefix, int *code);
void client_close(struct client *c);
const char *client_prefix(const struct client *c);

/*
 * What the command says of the parameter, or without one if that is NULL; of that type. The caller
 * puts it. NULL: the primary knows no such object; or, after a message, there is no answer of use:
 * client_code is the exit code then, and 0 otherwise. client_need: to know nothing of it is an
 * error, too: the primary is about to start or to end, or it is no knit.
 */
struct json_object *client_ask(struct client *c, const char *command, const char *parameter,
			       enum json_type type);
struct json_object *client_need(struct client *c, const char *command, enum json_type type);
int client_code(const struct client *c);

/* Of an object: 0 or "" if there is no such field. */
uint64_t field_uint(struct json_object *object, const char *name);
const char *field_text(struct json_object *object, const char *name);

#endif
