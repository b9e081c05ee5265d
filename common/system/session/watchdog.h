/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_WATCHDOG_H
#define KNIT_WATCHDOG_H

#include <stdint.h>
#include <sys/types.h>

/*
 * A secondary must not outlive its primary, and it may be anywhere when the primary dies: inside
 * EAL's set-up, waiting for an answer, spinning on a lock in shared memory that nobody will
 * release. So a thread of its own watches the primary and ends the process at once, without EAL's
 * clean-up, which takes such locks.
 */

/* Starts the thread. 0, -ESRCH if that process is gone already, or another negative errno. */
int knit_watchdog_primary(pid_t pid, uint64_t start_time);

/*
 * The process is on its way out in good order: if the primary goes now, say nothing and exit with
 * 0.
 */
void knit_watchdog_leaving(void);

#endif
