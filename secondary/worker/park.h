/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_WORKER_PARK_H
#define KNIT_WORKER_PARK_H

struct knit_worker;

/*
 * Called between two rounds, online (QSBR). If the primary has asked the worker to park, waits
 * offline until the request is withdrawn, and updates what it knows of the ports. Returns
 * KNIT_EXIT_OK, KNIT_WORKER_REPLACED, or the code to end with.
 */
int knit_park_check(struct knit_worker *w);

#endif
