/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_WORKER_PLAN_H
#define KNIT_WORKER_PLAN_H

struct knit_worker;

/*
 * Fills in w's inputs and outputs from the rules of the topology. Returns enum knit_exit; a message
 * was printed.
 */
int knit_worker_plan(struct knit_worker *w);

#endif
