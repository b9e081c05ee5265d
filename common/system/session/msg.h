/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_MSG_H
#define KNIT_MSG_H

#include "system/process/role.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * What secondaries ask the primary over EAL's message channel, one action named "knit".
 *
 * The primary's action only puts the message on a ring; its port thread executes and replies. A
 * reply names the request it answers (seq), since EAL matches replies by sender and name alone:
 * one that comes after its request timed out must not be taken for the next one's.
 *
 * columns: identifier, name
 */
#define KNIT_OP_TABLE(X)                                                                       \
	X(ATTACH, attach)     /* role, id: may I? -> the entry is ATTACHING */                 \
	X(READY, ready)	      /* role, id: my ends are claimed -> ATTACHED */                  \
	X(DETACH, detach)     /* role, id: look at my goodbye -> DETACHING */                  \
	X(LINK, link)	      /* port, value: 1 up, 0 down */                                  \
	X(MTU, mtu)	      /* port, value */                                                \
	X(MAC, mac)	      /* port, mac */                                                  \
	X(PROMISC, promisc)   /* port, value */                                                \
	X(ALLMULTI, allmulti) /* port, value */                                                \
	X(RXLIST, rxlist)     /* port; the lists are in the topology */                        \
	X(SYNC, sync)	      /* any reply: EAL has handled what was sent before */            \
	X(DOORBELL, doorbell) /* role, id, value: hand over that doorbell's fd */              \
	X(ROLE, role)	      /* role, id, port: interface, value: pair; hand over its file */ \
	X(REPLACE, replace)   /* role, id: may end, and hands over to the one that stands by */

enum knit_op {
	KNIT_OP_NONE,
#define X(id, name) KNIT_OP_##id,
	KNIT_OP_TABLE(X)
#undef X
	KNIT_OP_COUNT,
};

#define KNIT_MSG_ACTION "knit"
/* A driver's operation hardly takes more than a second, a park 100 ms for all workers. */
#define KNIT_MSG_TIMEOUT_MS 2000

struct knit_msg {
	uint32_t op; /* enum knit_op */
	uint32_t seq;
	uint32_t role; /* enum knit_role */
	uint32_t id;   /* of the worker */
	uint32_t port; /* index in the topology */
	uint32_t value;
	int32_t result; /* in the reply: 0 or -errno */
	uint32_t pid;
	uint64_t start_time;
	uint64_t instance; /* of the topology the sender sees */
	uint8_t mac[8];
	char text[160]; /* in the reply: why not, for people */
};

/*
 * Secondary: sends and waits, at most timeout_ms. One thread at a time. fd: passed along, or -1.
 * Returns the result the primary sent (text then in m), -ETIMEDOUT, or -ECONNREFUSED without a
 * primary.
 */
int knit_msg_ask(struct knit_msg *m, int fd, int timeout_ms);

/* The same for an op that is answered with a file: its fd, or a negative errno. */
int knit_msg_ask_fd(struct knit_msg *m, int timeout_ms);

const char *knit_op_name(uint32_t op);

/* Primary: the reason in the reply m, formatted as by printf. */
#define KNIT_MSG_TEXT(m, ...) snprintf((m)->text, sizeof((m)->text), __VA_ARGS__)

#endif
