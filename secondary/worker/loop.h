/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_WORKER_LOOP_H
#define KNIT_WORKER_LOOP_H

struct knit_worker;

/* Moves packets until the worker has to end. Returns enum knit_exit; a message was printed. */
int knit_worker_run(struct knit_worker *w);

#endif
