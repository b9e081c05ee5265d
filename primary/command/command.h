/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_COMMAND_H
#define KNIT_PRIMARY_COMMAND_H

#include "primary.h"
#include "system/command/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The server of the command socket (system/command/wire.h): one thread, "knit-command". It sleeps
 * while no client is there. It never waits for a client. The functions of a command run in that
 * thread, so a command needs no lock against another one; what it shares with other threads of the
 * primary is its own affair. No command may wait for RTNL or for a secondary.
 */
struct command_client;

struct command {
	uint32_t type;	 /* enum knit_command_type */
	size_t min, max; /* bytes of a request behind the head */
	/* > 0: poll is called so often while a client is there; 0: only after command_wake */
	int every_ms;
	/* Takes a request. It may end the command. */
	void (*start)(struct primary *p, struct command_client *c, const void *request, size_t len);
	/* Sends what there is; also called when a full socket has room again. NULL: nothing */
	void (*poll)(struct primary *p, struct command_client *c);
	/* What goes on without a client: called in every turn of the server. NULL: nothing */
	void (*round)(struct primary *p);
	/* The client is gone, or the command was ended. NULL: nothing to do */
	void (*stop)(struct primary *p, struct command_client *c);
};

/*
 * Sends a message of that type. The parts are sent one behind the other. False: the socket is full
 * (nothing was sent; poll is called when there is room), or the client is gone.
 */
struct command_part {
	const void *data;
	size_t len;
};
bool command_send(struct command_client *c, uint32_t type, const struct command_part *parts,
		  unsigned int n);

/* The command is done; text is NULL or says what failed. The client is closed. */
void command_end(struct command_client *c, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The answer is that object, which is released, and the command is done. */
struct json_object;
void command_end_json(struct command_client *c, struct json_object *object);

/* What a command keeps for this client; NULL at first. */
void **command_data(struct command_client *c);
pid_t command_pid(const struct command_client *c); /* of the client */
uid_t command_uid(const struct command_client *c); /* likewise */

/* Any thread: something happened that polls may send. No system call if no client is there. */
void command_wake(void);
/* Likewise, for what a `round` does. */
void command_kick(void);

/*
 * Begins to serve these commands; the last entry is NULL. 0 or -errno, logged. stop: a client that
 * is still there gets an end.
 */
int command_start(struct primary *p, const struct command *const *table);
void command_stop(void);

#endif
