/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_WORKER_SIGNALS_H
#define KNIT_WORKER_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * SIGTERM, SIGINT and SIGHUP. The handler only stores a flag, which the loop reads once per round,
 * and rings the worker's doorbell (a write(2)), so that it is found while asleep. Not a signalfd:
 * that would be one more fd to look at for a worker that never sleeps.
 */
extern uint32_t knit_stop_flag; /* read by the function below only */

static inline bool knit_stop_requested(void)
{
	return __atomic_load_n(&knit_stop_flag, __ATOMIC_RELAXED) != 0;
}

/* Before EAL and its threads: from here on they wait. 0 or -errno. */
int knit_signals_hold(void);

/* The calling thread takes them, also those that waited. doorbell: already open. */
void knit_signals_take(uint32_t doorbell);

#endif
