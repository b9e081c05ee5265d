/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PROCESS_CHANGE_H
#define KNIT_PRIMARY_PROCESS_CHANGE_H

#include "primary.h"

/*
 * A change: another configuration comes into force while everything runs. One at a time. The
 * command thread gives it; the main thread and the port thread carry it out in turns, because
 * interfaces need RTNL, for which the port thread must not wait, and everything else is the port
 * thread's. Whose turn it is says the stage. Only that thread touches the change.
 *
 *   stage    thread   what it does                                            if it fails
 *   CHECK    port     makes the next plan beside the one in force, and        DONE
 *                     chooses how ports are to be set up
 *   BUILD    port     makes devices of new ports, pools, hand-off queues      CLEAN
 *   MAKE     main     makes interfaces that are new                           UNMAKE
 *   SWITCH   port     parks the workers concerned; sets up ports; stores the  UNMAKE
 *                     plan's number; the workers go on
 *   FOLLOW   port     waits until these workers and control follow the plan,
 *                     or have ended
 *   UNMAKE   main     removes interfaces that are gone; after a failure,
 *                     those that MAKE made
 *   CLEAN    port     closes ports that are gone, and frees what they had;
 *                     after a failure, what BUILD made
 *   DONE     command  takes the answer
 *
 * An object that has to be made anew goes in one pass and comes back in a second one, which are
 * changes in a row. If the second one fails, a third one brings back what was there before.
 *
 * Until the plan's number is stored, a failure undoes all that was done, and nobody has noticed
 * more than a pause. If a port can't be set up as it was before, the primary starts anew, as after
 * any operation that leaves a port stopped. Behind it, nothing fails: what can't be removed at once
 * is tried again.
 *
 * A worker may die at any time. Then its domain is reset by the plan in force. No reset is carried
 * out between CHECK and FOLLOW: both are the port thread's, and a change waits for resets.
 */
enum change_stage {
	CHANGE_NONE, /* the command thread's: nothing is under way */
	CHANGE_CHECK,
	CHANGE_BUILD,
	CHANGE_MAKE,
	CHANGE_SWITCH,
	CHANGE_FOLLOW,
	CHANGE_UNMAKE,
	CHANGE_CLEAN,
	CHANGE_DONE,
};

struct change_cost {
	uint32_t parked;
	uint64_t set_up;
	uint64_t pause_us; /* from the first worker's stop to the last one's going on */
};

/*
 * Configurations with everything at its place, which become the change's. without: what is in force
 * less what has to be made anew, and back: a copy of what is in force; both NULL if nothing has to.
 */
struct change_request {
	struct knit_config *without, *wanted, *back;
};

struct change {
	struct change_request asked;
	struct knit_config *wanted; /* by this pass; nobody's but the change's until in_force */
	unsigned int pass;
	bool check_only;
	bool reverting; /* it brings back what was there before; result is an earlier pass's */

	/* From here on, of this pass. */
	struct knit_plan *plan; /* in the making, then in force */
	bool in_force;
	bool built;

	/* What it costs; known from CHECK on. A bit each. */
	uint32_t parked;    /* workers that pause */
	uint32_t leaves;    /* of these, those that end, for good or to start anew */
	uint64_t set_up;    /* ports in both configurations that are stopped and set up anew */
	bool other_workers; /* some come or go, whether they run or not */
	uint64_t new_ports;
	uint64_t gone_ports;
	uint64_t new_ifaces;
	uint64_t gone_ifaces;

	/* The port thread's own. */
	struct port_setup setup[KNIT_MAX_PORTS]; /* of ports in both */
	struct pool_plan pools;
	uint64_t since;	  /* timer cycles: start of the stage */
	uint64_t again;	  /* likewise: when to try again */
	bool late;	  /* the log says so */
	uint32_t awaited; /* workers that do not follow yet, and when they attached */
	uint32_t generation[KNIT_MAX_WORKERS];

	struct change_cost cost; /* of all passes */
	int result;		 /* 0 or -errno */
	char why[512];
};

/* Main thread, at start. They wake these threads. */
void change_init(void (*kick_main)(void), void (*kick_port)(void), void (*kick_command)(void));

/* Command thread. False: another one is under way, and asked stays the caller's. */
bool change_give(const struct change_request *asked, bool check_only);
void change_request_free(struct change_request *asked);

/* Command thread: the change that is DONE; NULL: it is not. change_forget ends it. */
const struct change *change_done(void);
void change_forget(void);

/* Any thread. Who gives a change is the command thread, so to others one may begin just then. */
enum change_stage change_stage(void);

/* Main and port thread: the change, if it is in that stage; else NULL. */
struct change *change_in(enum change_stage stage);

/* Port thread: the end of a pass. */
void change_finish(struct change *c);

/* The thread whose turn it is: goes on to that stage, and wakes its thread. */
void change_next(struct change *c, enum change_stage stage);

/* The same after a failure; why is formatted. */
void change_fail(struct change *c, enum change_stage stage, int result, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Whether the change waits too long for something: the stage takes more than ms. */
bool change_is_late(const struct change *c, unsigned int ms);

/*
 * The end of a stage of which ret is 0 or -errno, with the reason in why. A pass that reverts
 * keeps the result of the one that failed.
 */
void change_end(struct change *c, int ret, const char *why, enum change_stage good,
		enum change_stage bad);

#endif
