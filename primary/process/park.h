/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PROCESS_PARK_H
#define KNIT_PRIMARY_PROCESS_PARK_H

#include "primary.h"

/*
 * Port thread. Parks all live workers that have a queue on one of the ports (a bit each). 0, or
 * -errno with the reason in why; no worker is parked then.
 */
int park_workers(struct primary *p, uint64_t ports, char *why, size_t len);
/* The same for those workers, a bit each, whatever ports they have. */
int park_set(struct primary *p, uint64_t workers, char *why, size_t len);
int park_worker(struct primary *p, unsigned int worker, char *why, size_t len);
/* Parked by people, see process/order.h. */
bool park_is_held(const struct knit_topo_worker *w);
/*
 * Asks one worker to park, and does not wait: for who waits for another answer of it than the
 * grace period. park_resume ends it.
 */
void park_ask(struct primary *p, unsigned int worker);
/* Ends the park of all workers but those that people hold (process/order.h). */
void park_resume(struct primary *p);
/*
 * True: the worker that made the last park_workers fail has made no progress since, and has a queue
 * on one of these ports. To park the others again would not help.
 */
bool park_still_stuck(struct primary *p, uint64_t ports);
/*
 * Wakes all live workers that have a queue on one of the ports, if they sleep. They then see what
 * has changed.
 */
void park_wake(struct primary *p, uint64_t ports);

#endif
