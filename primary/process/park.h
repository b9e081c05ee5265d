/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PROCESS_PARK_H
#define KNIT_PRIMARY_PROCESS_PARK_H

#include "primary.h"

/* Port thread. All live workers with a queue on one of the ports (bit set) */
int park_workers(struct primary *p, uint64_t ports, char *why, size_t len);
void park_resume(struct primary *p);
/*
 * Whoever made the last park_workers fail has not moved since, and has a queue on one of these
 * ports: no use in stopping the others again.
 */
bool park_still_stuck(struct primary *p, uint64_t ports);
/* Lets the same workers look at what changed, should they sleep. */
void park_wake(struct primary *p, uint64_t ports);

#endif
