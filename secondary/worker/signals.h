/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_WORKER_SIGNALS_H
#define KNIT_WORKER_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * SIGTERM, SIGINT and SIGHUP. The handler stores a flag, which the loop reads once per round, and
 * rings the worker's doorbell (a write(2)), which wakes a worker that sleeps. A signalfd would be
 * one more fd to poll for a worker that never sleeps.
 */
extern uint32_t knit_stop_flag; /* read by the function below only */

static inline bool knit_stop_requested(void)
{
	return __atomic_load_n(&knit_stop_flag, __ATOMIC_RELAXED) != 0;
}

/* Before EAL starts its threads: from now on these signals stay pending. 0 or -errno. */
int knit_signals_block(void);

/* The calling thread receives them, pending ones at once. The doorbell is open already. */
void knit_signals_unblock(uint32_t doorbell);

#endif
