/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_RUNDIR_H
#define KNIT_RUNDIR_H

#include "system/process/exit.h"
#include "system/process/role.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/*
 * /run/knit/<prefix>/: what a secondary needs before there is shared memory.
 *
 *   primary.lock                     locked by the primary as long as it lives; holds its pid
 *   worker-<id>.args, control.args   0600 or shared, written by the primary, one per line: "dpdk
 *                                    <rte_version>", "abi <version>", "primary <pid> <start
 *                                    time>", "runtime <directory>", "iova <pa or va>", then EAL
 *                                    arguments, one "arg <text>" each
 *   worker-<id>.lock, control.lock   locked by the secondary as long as it lives; holds
 *                                    "<pid> <state>"
 *   standby-<id>.args, .lock         likewise, for the process that stands by for that worker. It
 *                                    keeps this lock after a take-over, until its predecessor is
 *                                    gone; then it has worker-<id>.lock instead
 *   attach.lock                      locked shared by a secondary from before EAL init to READY,
 *                                    exclusively by the primary while it replaces a port's queues
 *   bound                            what the primary's devices had before it bound them, as
 *                                    long as they are not back (bind.h)
 *   gate.lock                   the way to attach.lock: whoever wants that takes a share of
 *                                    this one first, the primary takes it whole and keeps it
 *
 * The locks are open file description locks (fcntl(2), F_OFD_SETLK): gone with the process that
 * has them, and one can look at them without taking them.
 *
 * States in a secondary's lock file: waiting -> attaching -> attached -> detaching -> detached. In
 * attaching and detaching it is inside EAL's set-up and clean-up, which hold locks in shared
 * memory that nobody takes from a dead process: a free lock in one of these states is the trace of
 * such a death.
 */

#define KNIT_RUNDIR "/run/knit"
#define KNIT_MAX_ARGS 96

struct knit_args {
	int argc;
	char *argv[KNIT_MAX_ARGS]; /* argv[0] is the program's name, argv[argc] is NULL */
	char text[4096];	   /* what argv points into */
	pid_t primary;		   /* as read from a file: who wrote it */
	uint64_t primary_start;
	char runtime[256]; /* as knit_eal_base_dir says there */
	bool physical;	   /* devices need physical addresses, and EAL in each process does */
};

/* Appends a copy of text. -ENOSPC: no room, -EINVAL: holds a line break. */
int knit_args_add(struct knit_args *args, const char *text);

/*
 * Primary: makes the directory, locks primary.lock, forgets what a dead predecessor left. 0 or
 * -errno, with a line on stderr; -EBUSY: a primary with this prefix runs.
 */
int knit_rundir_create(const char *prefix);
void knit_rundir_remove(const char *prefix);

/*
 * Primary, before it writes arguments: members of the group may run secondaries. They may read the
 * arguments and lock the files that are for them, and change no other file there. 0 or -errno, with
 * a line on stderr.
 */
int knit_rundir_share(const char *prefix, gid_t group);

/* Primary: the role is no more; who comes for it is told so before it touches EAL. */
void knit_rundir_withdraw_role(const char *prefix, enum knit_role role, uint32_t id);

/* Primary, going down: secondaries that come now are told so before they touch EAL. */
void knit_rundir_withdraw(const char *prefix);

/*
 * Primary, once EAL runs and the topology is complete: publishes a secondary's arguments, argv[0]
 * left out (rename(2), so never half a file). 0 or -errno, with a line on stderr.
 */
int knit_rundir_write_args(const char *prefix, enum knit_role role, uint32_t id,
			   const struct knit_args *args);

/*
 * Secondary, before EAL: is a primary there, do versions fit, is the role free? On success args
 * holds EAL's arguments, the role's lock and the shared attach lock are held. Else a line on
 * stderr and enum knit_exit. Call knit_watchdog_primary (watchdog.h) next: from here on the primary
 * may vanish inside any call of EAL's.
 */
int knit_rundir_enter(const char *prefix, enum knit_role role, uint32_t id, struct knit_args *args);

/*
 * Secondary that wants to be worker id or to stand by for it: KNIT_ROLE_WORKER if nobody has that
 * worker's lock, else KNIT_ROLE_STANDBY. Another one may be faster: knit_rundir_enter tells.
 */
enum knit_role knit_rundir_vacancy(const char *prefix, uint32_t id);

/*
 * Secondary that stood by and is the worker now: takes the worker's lock, and gives up the one that
 * it has. Only when its predecessor is gone, and the primary knows. False: somebody has that lock
 * for a moment; try again soon. Does not wait.
 */
bool knit_rundir_promote(const char *prefix, uint32_t id);

/* Secondary: READY was answered, ports may be replaced under it again (it is told by parking). */
void knit_rundir_attached(void);

/* Secondary: DETACH was answered, EAL's clean-up comes next. */
void knit_rundir_detaching(void);

/* Secondary: last thing before exit, after EAL's clean-up. Also after a failure at any step. */
void knit_rundir_leave(void);

/*
 * Primary: keeps secondaries out while ports are replaced. 0, or -EBUSY after timeout_ms if one is
 * on its way in; it may finish, but no other one comes in until knit_rundir_unblock_attach. It
 * waits for answers to ATTACH and READY: the thread that gives them must not wait here for long.
 */
int knit_rundir_block_attach(const char *prefix, int timeout_ms);
void knit_rundir_unblock_attach(void);

/*
 * Primary: did the secondary of that role end inside EAL's set-up or clean-up? 1 with its pid,
 * else 0. Its successor refuses to start, and leaves the trace, until a new primary runs.
 */
int knit_rundir_died_attaching(const char *prefix, enum knit_role role, uint32_t id, pid_t *pid);

/*
 * Primary: a pidfd of the process that has that role's lock, in whatever state it is, and its pid;
 * or a negative errno, -ESRCH if nobody has it.
 */
int knit_rundir_process(const char *prefix, enum knit_role role, uint32_t id, pid_t *pid);

/*
 * Primary: whether that process is what knit_rundir_block_attach waits for: between its first step
 * in and READY, or turned away and not gone yet.
 */
bool knit_rundir_blocks(const char *prefix, pid_t pid);
/* Whether any process may be. Two system calls a file, where the other looks at all its files. */
bool knit_rundir_blocked(const char *prefix);

#endif
