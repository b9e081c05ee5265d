/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_WORKER_ATTACH_H
#define KNIT_WORKER_ATTACH_H

#include <stdbool.h>

struct knit_worker;

/*
 * Claims what the worker uses of its domain: doorbells, pairs, hand-off queues. Called between
 * knit_secondary_attach and knit_secondary_ready. Returns enum knit_exit; a message was printed.
 */
int knit_worker_claim(struct knit_worker *w);

/*
 * Another plan than w's is in force: gives up what it takes away, and claims what it gives. Between
 * two rounds, online (QSBR), after the worker was parked. Sends requests to the primary if a pair
 * is new. Returns enum knit_exit; a message was printed: the worker has to end. If a park
 * interrupts it, w->unfinished is set: it is called again when the worker is resumed.
 */
int knit_worker_follow(struct knit_worker *w);

/*
 * A process that stands by opens what the worker has open. It touches nothing of the domain. Again
 * when knit_worker_prepared says that something is another one now.
 */
int knit_worker_prepare(struct knit_worker *w);
bool knit_worker_prepared(const struct knit_worker *w);

/* Instead of knit_worker_claim, for one that is prepared: claims what its predecessor gave up. */
int knit_worker_take(struct knit_worker *w);

/*
 * Offline (QSBR), again and again. If the primary wants it, gives up what w has claimed, as it is
 * and with what is in it, for a successor that takes it at once. True: it is the successor's, and
 * w touches nothing of the domain any more. knit_worker_unclaim follows.
 */
bool knit_worker_yield(struct knit_worker *w);

/* Releases them. Called between two rounds, also after knit_worker_claim has failed. */
void knit_worker_unclaim(struct knit_worker *w);

#endif
