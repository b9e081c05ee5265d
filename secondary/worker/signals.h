/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_WORKER_SIGNALS_H
#define KNIT_WORKER_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * SIGTERM, SIGINT and SIGHUP. The handler sets a flag, which the loop reads once per round. It also
 * rings the worker's doorbell (a write(2)), which wakes a worker that sleeps. A signalfd would be a
 * system call per round for a worker that never sleeps.
 */
extern uint32_t knit_stop_flag; /* read only by the function below */

static inline bool knit_stop_requested(void)
{
	return __atomic_load_n(&knit_stop_flag, __ATOMIC_RELAXED) != 0;
}

/* Before EAL starts its threads: from now on these signals stay pending. 0 or -errno. */
int knit_signals_block(void);

/*
 * The calling thread receives these signals from now on, and pending ones at once. The doorbell
 * must be open.
 */
void knit_signals_unblock(uint32_t doorbell);

#endif
