/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PROCESS_PARK_H
#define KNIT_PRIMARY_PROCESS_PARK_H

#include "primary.h"

/*
 * Port thread. Parks all live workers that have a queue on one of the ports, a bit each. 0; or
 * -errno and why, then none is parked.
 */
int park_workers(struct primary *p, uint64_t ports, char *why, size_t len);
/* Ends the park of all workers. */
void park_resume(struct primary *p);
/*
 * Whether the worker that made the last park_workers fail has made no progress since, and has a
 * queue on one of these ports. Then parking the others again is of no use.
 */
bool park_still_stuck(struct primary *p, uint64_t ports);
/* Wakes the same workers if they sleep, so that they see what has changed. */
void park_wake(struct primary *p, uint64_t ports);

#endif
