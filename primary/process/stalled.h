/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PROCESS_STALLED_H
#define KNIT_PRIMARY_PROCESS_STALLED_H

#include "primary.h"

/*
 * Stalled secondaries: processes that hold the lock file of a role, but are still attaching or
 * already detaching.
 *
 * Sends the signal sig to each of them, 0: none. Returns how many there are.
 */
unsigned int stalled_signal(const struct primary *p, int sig);
/*
 * Port thread. Call it at least once a second: kills a process that takes too long to attach or
 * detach. While the reset of a domain waits for the process, it is logged earlier and has less
 * time.
 */
void stalled_poll(const struct primary *p, bool reset_waits);
/* The registry entry that this process has or is about to get; -ESRCH: none. */
int stalled_entry(const struct primary *p, pid_t pid);
/*
 * The registry entry and the pid of a process that makes registry_block_attach fail; -ESRCH: none.
 */
int stalled_first(const struct primary *p, pid_t *pid);
struct knit_role_name stalled_name(const struct primary *p, unsigned int entry);

#endif
