/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_VM_REQUESTS_H
#define KNIT_VM_REQUESTS_H

#include "handler.h"

/* The kernel's wait, with room for a slow machine; and what does not wait at all. */
#define SYNC_LEAST_MS 2900
#define SYNC_MOST_MS 5500 /* less than two waits */
#define SOON_MS 2500

#define EXPECT(cond) expect((cond), #cond, __LINE__)
void expect(bool good, const char *what, int line);

/* 0 or -errno. As `ip link set` does it. */
int set_mtu(const char *name, int mtu);
int set_mac(const char *name, int last); /* 02:00:00:00:00:<last> */
int set_up(const char *name, int up);
int set_flag(const char *name, int flag, bool on);
int multicast(const char *name, int number, bool add);
int unrelated(const char *name, int length); /* name is not used */
int get_mtu(const char *name);
int get_mac(const char *name); /* its last byte */
int get_flags(const char *name);

/* One of these in a process of its own. */
struct op {
	pid_t pid;
	unsigned int start;
	unsigned int ms; /* how long it took */
};
struct op op_start(const struct iface *i, int (*call)(const char *name, int value), int value);
int op_end(struct op *op); /* what it returned; -1000: killed */
int timed(const struct iface *i, int (*call)(const char *name, int value), int value,
	  unsigned int *ms);

void wait_for_sync(const struct iface *i, uint64_t n); /* the nth synchronous request is sent */
bool settle(const struct iface *i);		       /* in the end no request is on its way */
bool agree(const struct iface *i);		       /* and port and interface have the same */

/* arg: an interface. For wait_for. */
bool has_carrier(const void *arg);
bool has_none(const void *arg);

/* columns: name, KNIT_CREATE_* */
#define TESTS(X)                                  \
	X(allowed, 0)                             \
	X(refused, 0)                             \
	X(down_does_not_wait, 0)                  \
	X(unanswered, 0)                          \
	X(late, 0)                                \
	X(late_and_blind, 0)                      \
	X(caller_killed, 0)                       \
	X(handler_killed, 0)                      \
	X(handler_detached, 0)                    \
	X(handler_detached_before_turn, 0)        \
	X(released_while_waiting, 0)              \
	X(nobody_attached, 0)                     \
	X(up_refused_later, 0)                    \
	X(junk_answers, 0)                        \
	X(spoiled_indexes, 0)                     \
	X(async, KNIT_CREATE_ASYNC)               \
	X(async_refused, KNIT_CREATE_ASYNC)       \
	X(async_busy, KNIT_CREATE_ASYNC)          \
	X(async_many, KNIT_CREATE_ASYNC)          \
	X(async_up_refused, KNIT_CREATE_ASYNC)    \
	X(address_lists, 0)                       \
	X(modes, 0)                               \
	X(carrier, 0)                             \
	X(creator_answers, KNIT_CREATE_ATTACHED)  \
	X(creator_replaced, KNIT_CREATE_ATTACHED) \
	X(changes_only, KNIT_CREATE_ATTACHED)     \
	X(answers_left_behind, 0)                 \
	X(restarted, 0)

#define X(name, flags) void test_##name(struct iface *i);
TESTS(X)
#undef X

#endif
