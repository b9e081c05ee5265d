/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_WORKER_WATCH_H
#define KNIT_WORKER_WATCH_H

struct knit_worker;

/* Before the worker serves: finds the memory for it. Without any, nothing is ever watched. */
void knit_watch_open(struct knit_worker *w);
/*
 * Between two rounds, every KNIT_WATCH_LOOK_MS: begins or ends to watch packets as the primary
 * wants (system/topology/watch.h).
 */
void knit_watch_look(struct knit_worker *w);
/* The worker ends. */
void knit_watch_end(struct knit_worker *w);

#endif
