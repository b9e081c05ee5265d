/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_WORKER_STANDBY_H
#define KNIT_WORKER_STANDBY_H

#include <stdbool.h>

struct knit_worker;

/*
 * A process that stands by for a worker (topology/topo.h, struct knit_topo_next). It has everything
 * open that can be opened, sleeps on a doorbell of its own, and touches nothing of the domain. Its
 * lcore id is the worker's, because the cache of the pool belongs to that, and the successor goes
 * on with the cache as it is.
 *
 * Called between knit_secondary_attach and the loop, instead of the claim. Returns KNIT_EXIT_OK:
 * the role is KNIT_ROLE_WORKER, and all is claimed; or it is still KNIT_ROLE_STANDBY, and the
 * process was asked to end. Else enum knit_exit; a message was printed.
 */
int knit_standby_wait(struct knit_worker *w);

/* Took over: the first round begins. */
void knit_standby_runs(struct knit_worker *w);

/*
 * Was asked to end, has ended its last round and is offline (QSBR). If somebody stands by, nothing
 * is lost if that one takes over first. True: it does, and w touches nothing any more.
 */
bool knit_standby_hand_over(struct knit_worker *w);

/* Took over: takes the worker's lock as soon as its predecessor is gone. Does not wait. */
void knit_standby_promote(struct knit_worker *w);

/*
 * Was replaced: what is left to be done must take no time from the successor, and comes when that
 * one has taken everything.
 */
void knit_standby_leave_cpu(const struct knit_worker *w);

#endif
