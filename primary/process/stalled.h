/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PROCESS_STALLED_H
#define KNIT_PRIMARY_PROCESS_STALLED_H

#include "primary.h"

/*
 * Secondaries that hold a role's lock file and have no slot, or not yet
 *
 * Sends them a signal, 0: none. How many there are.
 */
unsigned int inside_signal(const struct primary *p, int sig);
/*
 * Port thread, once a second or more often: kills who takes too long on its way in or out. While a
 * reset waits for it, it is named first, and has less time.
 */
void inside_look(const struct primary *p, bool reset_waits);
/* The slot that process is on its way to, or has; -ESRCH: none. */
int inside_slot(const struct primary *p, pid_t pid);
/* The slot of somebody who keeps slot_block_attach from succeeding, and the process; -ESRCH. */
int inside_first(const struct primary *p, pid_t *pid);
const char *inside_name(const struct primary *p, unsigned int slot, char buf[24]);

#endif
