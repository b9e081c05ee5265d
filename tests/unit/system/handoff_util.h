/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_HANDOFF_UTIL_H
#define KNIT_HANDOFF_UTIL_H

#include "system/topology/handoff.h"

/* One hand-off queue in memory that forked processes share, and a pool for each end. */
#define HANDOFF_SIZE 64
#define HANDOFF_POOL 255

extern struct knit_handoff *handoff;
extern struct rte_mempool *of_producer; /* 2048 bytes of data */
extern struct rte_mempool *of_consumer; /* 1024: a longer packet's copy is a chain */

/* Once EAL runs, and before the tests. A second call does nothing. */
void handoff_make(void);

/*
 * Empty, no generation but the first, both pools full, both ends claimed; indexes start at first.
 */
void handoff_start(uint32_t first);

/* A packet that tells its number; of one segment, or of two if segs is 2. */
struct rte_mbuf *handoff_packet(uint32_t number, unsigned int segs);

/* Whether m is a packet of that number, whole. */
bool handoff_is(const struct rte_mbuf *m, uint32_t number);

/* Puts packets of these numbers; what finds no room is freed. How many found room. */
unsigned int handoff_put(uint32_t number, unsigned int n);

/* Takes at most n; asserts that they are these numbers. How many there were. */
unsigned int handoff_take(uint32_t number, unsigned int n);

/* What the primary does with the pool of a dead worker. */
void handoff_rebuild(struct rte_mempool *pool);

/* Asserts that all of the pool's mbufs are free. */
void handoff_full(const struct rte_mempool *pool);

#endif
