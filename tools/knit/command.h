/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_TOOL_COMMAND_H
#define KNIT_TOOL_COMMAND_H

#include "client.h"

#include "system/command/wire.h"

#include <stdbool.h>
#include <stddef.h>

/* A command of the primary's command socket (system/command/wire.h); one at a time. */
struct command_call;

/*
 * Sends a request of that type to the primary that c asks. NULL after a message; *code is then the
 * exit code.
 */
struct command_call *command_call(const struct client *c, uint32_t type, const void *request,
				  size_t len, int *code);

/* For poll: readable when there is a message. */
int command_fd(const struct command_call *call);

/*
 * The next message, which is valid until the next call; *len with its head. Waits for it, or, wait
 * false, returns NULL with *code -1 if there is none. NULL: the command has ended, after a message
 * if *code, the exit code, is not 0.
 */
const struct knit_command_head *command_next(struct command_call *call, bool wait, size_t *len,
					     int *code);
void command_close(struct command_call *call);

/*
 * A command whose answer is one object. NULL after a message; *code is then the exit code, and 0
 * otherwise.
 */
struct json_object *command_json(const struct client *c, uint32_t type, const void *request,
				 size_t len, int *code);

#endif
