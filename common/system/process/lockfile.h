/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_LOCKFILE_H
#define KNIT_LOCKFILE_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Lock files of /run/knit/<prefix>/, and of devices (bind.h): open file description locks, with one
 * line "<pid> <state>".
 */

enum knit_lock_state {
	KNIT_LOCK_EMPTY, /* nobody yet, or nothing readable */
	KNIT_LOCK_WAITING,
	KNIT_LOCK_ATTACHING,
	KNIT_LOCK_ATTACHED,
	KNIT_LOCK_DETACHING,
	KNIT_LOCK_DETACHED,
};

/* An fd, or a negative errno. Makes the file if it is not there. */
int knit_lock_open(const char *path);

/* type: F_RDLCK, F_WRLCK or F_UNLCK. 0, or -EAGAIN if another process's lock forbids it. */
int knit_lock_try(int fd, short type);

/*
 * Opens and locks a file that its holder removes in the end: what is locked is what the name means
 * now, not a file that was removed in between. An fd, or a negative errno; -EAGAIN: another one has
 * it, and *busy is an fd to read who.
 */
int knit_lock_take(const char *path, int *busy);

/* As knit_lock_try, again and again for timeout_ms. */
int knit_lock_wait(int fd, short type, int timeout_ms);

/* Whether somebody else holds the lock. Takes nothing. */
bool knit_lock_held(int fd);

/* One write in place, so a reader sees the old line or the new one. */
void knit_lock_write(int fd, enum knit_lock_state state);
enum knit_lock_state knit_lock_read(int fd, pid_t *pid);

/* The lock is free and its last holder, *pid, wrote that it is attaching or detaching. */
bool knit_lock_died_attaching(int fd, pid_t *pid);

#endif
