/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_STATS_H
#define KNIT_STATS_H

#include "drops.h"

/* What an engine counts of a queue pair; all uint64_t. */
struct knit_engine_stats {
	uint64_t rx_packets; /* to the kernel */
	uint64_t rx_bytes;
	uint64_t rx_writes;  /* hand-overs to the kernel: fewer where frames were merged */
	uint64_t tx_packets; /* from the kernel */
	uint64_t tx_bytes;
	uint64_t calls;	     /* tap: system calls that moved frames, or found none */
	uint64_t tx_starved; /* tap: times the kernel had frames and alloc_q was empty */
	uint64_t tx_stops;   /* kmod: times the queue was stopped for want of buffers or room */
	uint64_t tx_wakes;   /* kmod: times it was woken */
	uint64_t free_full;  /* kmod: cookies lost because their owner corrupted free_q */
	uint64_t kicks;	     /* times the owner did the engine's part towards the kernel */
	uint64_t kicks_over; /* times it left something to the thread */
	uint64_t wakeups;    /* times the thread slept and was woken */
	uint64_t drops[KNIT_ENGINE_DROPS];
	uint64_t rejects[KNIT_REJECT_COUNT];
};

#endif
