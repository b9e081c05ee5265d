/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_WORKER_IDLE_H
#define KNIT_WORKER_IDLE_H

#include <stdint.h>

struct knit_worker;

/* The worker's sleep between two rounds. It is online (QSBR) before and after each call. */
void knit_idle_init(struct knit_worker *w);

/* Called after the fds of net_tap ports have changed: makes the list for poll again. */
void knit_idle_rebuild(struct knit_worker *w);

/*
 * Called after an empty round that ended at TSC now. Sleeps if it is time to. After a sleep the
 * caller first checks for a park request and then calls knit_idle_awake.
 */
void knit_idle_step(struct knit_worker *w, uint64_t now);
void knit_idle_awake(struct knit_worker *w);

#endif
