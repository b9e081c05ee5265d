/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_WORKER_PARK_H
#define KNIT_WORKER_PARK_H

struct knit_worker;

/*
 * Between two rounds, online (QSBR). While the primary asks the worker to park it waits offline; on
 * return it is online again, with the ports as they are then. Returns KNIT_EXIT_OK, or the code to
 * end with.
 */
int knit_park_check(struct knit_worker *w);

#endif
