/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PROCESS_REPLACE_H
#define KNIT_PRIMARY_PROCESS_REPLACE_H

#include "primary.h"

/*
 * A worker is replaced by the process that stands by for it. Port thread.
 *
 *   1  The worker is asked to park and to yield, and is waited for. Between two rounds it gives up
 *      pairs and hand-off queues, with all that is in them. Engines serve on: what the kernel
 *      sends meanwhile waits in its queues.
 *   2  The entries change places. The process that stood by finds its generation as the worker's.
 *   3  It claims what the other one gave up, says so, and runs. The other one ends.
 *
 * A death. Of the worker before it has yielded: as any death of a worker; the one that stands by
 * takes over after the reset. Of the one that stands by before 2: the worker goes on, or if it has
 * yielded, as after 2. After 2 it is the worker: its domain is reset. Of the other one then:
 * nothing is to be done.
 *
 * Without an order the one that stands by takes over as soon as the worker is gone, in good order
 * or after the reset.
 */

/* 1 and 2. 0 or -errno with the reason in why: then nothing has changed, or the worker has died. */
int replace_begin(struct primary *p, unsigned int worker, char *why, size_t len);

/* 3. -EINPROGRESS: not yet. 0: the successor runs. Else -errno with the reason in why. */
int replace_end(struct primary *p, unsigned int worker, uint32_t *successor, uint32_t *gap_us,
		char *why, size_t len);

/* A worker that was asked to end hands over before. 0 or -errno: there is nobody. */
int replace_asked(struct primary *p, struct knit_msg *m);

/*
 * Another plan came into force: whether all that stand by have opened what it has. late: kills
 * those that have not, which costs no packet.
 */
bool replace_all_follow(struct primary *p, bool late);

/*
 * Called often. Lets processes that stand by take over from workers that are gone, and misses those
 * that should be there. Returns whether there is more to do, and soon.
 */
bool replace_poll(struct primary *p);

#endif
