/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PROCESS_STALLED_H
#define KNIT_PRIMARY_PROCESS_STALLED_H

#include "primary.h"

/*
 * Secondaries that hold a role's lock file and have no entry, or not yet
 *
 * Sends them a signal, 0: none. How many there are.
 */
unsigned int stalled_signal(const struct primary *p, int sig);
/*
 * Port thread, once a second or more often: kills who takes too long on its way in or out. While a
 * reset waits for it, it is named first, and has less time.
 */
void stalled_poll(const struct primary *p, bool reset_waits);
/* The entry that process is on its way to, or has; -ESRCH: none. */
int stalled_entry(const struct primary *p, pid_t pid);
/*
 * The entry of somebody who keeps registry_block_attach from succeeding, and the process; -ESRCH.
 */
int stalled_first(const struct primary *p, pid_t *pid);
struct knit_role_name stalled_name(const struct primary *p, unsigned int entry);

#endif
