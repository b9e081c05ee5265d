/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PROCESS_STALLED_H
#define KNIT_PRIMARY_PROCESS_STALLED_H

#include "primary.h"

/*
 * Stalled secondaries: processes that hold the lock file of a role, but are still attaching or
 * already detaching.
 *
 * stalled_signal sends the signal sig to each of them; 0: no signal. Returns how many there are.
 */
unsigned int stalled_signal(const struct primary *p, int sig);
/*
 * Port thread. Called at least once a second. Kills a process that takes too long to attach or
 * detach. If the reset of a domain waits for the process, its time is shorter, and it is logged
 * before.
 */
void stalled_poll(const struct primary *p, bool reset_waits);
/* The registry entry that this process has or will get; -ESRCH: none. */
int stalled_entry(const struct primary *p, pid_t pid);
/*
 * The registry entry and the pid of a process for which registry_block_attach fails; -ESRCH: none.
 */
int stalled_first(const struct primary *p, pid_t *pid);
struct knit_role_name stalled_name(const struct primary *p, unsigned int entry);

#endif
