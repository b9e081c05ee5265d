/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_COMMAND_WIRE_H
#define KNIT_COMMAND_WIRE_H

#include <stdint.h>

/*
 * The command socket of the primary: what `knit` asks beyond DPDK's telemetry, which only answers
 * and never tells.
 *
 * /run/knit/<prefix>/command.sock, SOCK_SEQPACKET. A connection is one command: the client sends
 * one request, gets any number of messages, and at last a knit_command_end, or it leaves. Each
 * message begins with a head. Whoever may open the socket is root or a member of the group of
 * `knit-primary --group`, who may write all shared memory anyway; still the primary believes no
 * number in a request. All numbers are the machine's own.
 *
 * A client that does not read is not waited for: what it gets is bounded (each command says how),
 * and what is lost is counted. One that connects and asks nothing is left after
 * KNIT_COMMAND_SECONDS.
 */
#define KNIT_COMMAND_SOCKET "command.sock"
#define KNIT_COMMAND_VERSION 1
#define KNIT_COMMAND_SECONDS 5
#define KNIT_COMMAND_CLIENTS 16
#define KNIT_COMMAND_MAX (128 << 10) /* bytes of a message, with its head */

enum knit_command_type {
	KNIT_COMMAND_END = 1,	   /* primary: struct knit_command_end */
	KNIT_COMMAND_WATCH,	   /* client: struct knit_watch_request, see watch.h */
	KNIT_COMMAND_WATCHING,	   /* primary: struct knit_watch_begin */
	KNIT_COMMAND_WATCHED,	   /* primary: struct knit_watch_records */
	KNIT_COMMAND_MONITOR = 40, /* client: struct knit_command_monitor */
	KNIT_COMMAND_EVENT,	   /* primary: struct knit_command_event */
	KNIT_COMMAND_LOG_LEVEL,	   /* client: struct knit_command_log_level */
	KNIT_COMMAND_LOG_TYPE,	   /* primary: struct knit_command_log_type */
	KNIT_COMMAND_CONFIG,	   /* client: a head alone */
	KNIT_COMMAND_JSON,	   /* primary: a head, and a part of a JSON text */
	KNIT_COMMAND_WORKER,	   /* client: struct knit_command_worker, see worker.h */
	KNIT_COMMAND_OBEYED,	   /* primary: struct knit_command_obeyed */
	KNIT_COMMAND_RELOAD,	   /* client: struct knit_command_reload */
	KNIT_COMMAND_TYPES
};

struct knit_command_head {
	uint32_t
		version; /* KNIT_COMMAND_VERSION of the sender; the end has the same shape in all */
	uint32_t type;	 /* enum knit_command_type */
};

struct knit_command_end {
	struct knit_command_head head;
	int32_t code; /* enum knit_exit */
	char text[];  /* of an error, without a line break; up to the message's end */
};

/*
 * Events (events.h) as they happen, until the client leaves. The first message has the number of
 * the last event, and as its text {"start":"..."}: a hexadecimal number that each start of a
 * primary has for itself. Numbers grow by one; a message whose number is larger than that tells
 * that the events between are lost: the primary keeps the last 256 for clients that are late.
 */
#define KNIT_COMMAND_NO_EVENT UINT64_MAX

struct knit_command_monitor {
	/*
	 * Those after that number; KNIT_COMMAND_NO_EVENT: those that are to come. All are new if
	 * the number is of another start, or the primary has not reached it.
	 */
	uint64_t since;
	uint64_t start; /* of that number; 0: not known */
};

struct knit_command_event {
	struct knit_command_head head;
	uint64_t number;
	char json[]; /* up to the message's end */
};

/*
 * How much is logged. The answer is a message for each type that was named, with the level that is
 * now in force, and the end. Secondaries follow within a second.
 */
struct knit_command_log_level {
	uint32_t level; /* 1 to KNIT_LOG_LEVELS; 0: it is only shown */
	char type[60];	/* a type, or a pattern as of fnmatch(3), with or without "knit." */
};

/*
 * Another configuration. Only root may: the primary reads the file, and tells what it found. The
 * answer is a JSON text in parts, and the end.
 */
struct knit_command_reload {
	uint32_t dry_run; /* 1: it is only told what would change */
	char file[256];	  /* "": that of the start. Else an absolute path */
};

struct knit_command_log_type {
	struct knit_command_head head;
	uint32_t level;
	uint32_t changed; /* 1: since the start, by such a command */
	char name[];	  /* up to the message's end */
};

#endif
