/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_BENCH_DRIVE_H
#define KNIT_BENCH_DRIVE_H

#include "channel.h"
#include "frame.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The polling loops. Each runs on the polling lcore until `seconds` are over or stop is set,
 * whichever comes first, and then fills the results.
 */
struct drive {
	struct channel *ch; /* send, recv: one; forward: n_ch, in pairs */
	unsigned int n_ch;
	struct rte_mempool *pool;
	struct frame_set frames; /* send */
	double seconds;
	uint32_t rest_us; /* 0: never sleeps */
	uint32_t stop;	  /* control thread: wo, atomic */

	/* results */
	uint64_t packets; /* accepted by the channel, or received from it */
	uint64_t bytes;
	uint64_t dropped; /* forward: not taken by the other channel */
	uint64_t cycles;
};

/* lcore functions; arg is a struct drive. */
int drive_send(void *arg);
int drive_recv(void *arg);
int drive_forward(void *arg);

#endif
