/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PAIR_H
#define KNIT_PAIR_H

#include "kni/private.h"

/*
 * Claims a pair, both directions, for the calling process, from the shared indexes on.
 *
 * The first knit_from_kernel then offers buffers of pool to the engine, one for each entry of the
 * queue. Interfaces of rte_kni_alloc share their pool with others: they offer few buffers, and more
 * if the engine uses them up and the pool has plenty.
 *
 * doorbell: the one that the engine rings, or KNIT_DOORBELL_NONE. 0, -EBUSY (a live process has the
 * pair), -EINVAL (no such pair), -EBADMSG (indexes are corrupt: needs knit_pair_reset).
 */
int knit_pair_claim(struct rte_kni *kni, uint16_t pair, struct rte_mempool *pool,
		    uint32_t doorbell);

/*
 * Gives both directions up, between two bursts; the next owner takes over the cookies and their
 * mbufs.
 */
void knit_pair_unclaim(struct rte_kni *kni, uint16_t pair);

/*
 * Empties the four queues and forgets every cookie without freeing a mbuf. Only while the engine
 * has unbound the pair and nobody owns it. Returns how many mbufs were forgotten.
 */
unsigned int knit_pair_reset(struct rte_kni *kni, uint16_t pair);

/*
 * As knit_pair_drain, before the pair goes to another worker; counts the frames as pair_moved. The
 * owner is parked, or gone.
 */
void knit_pair_empty(struct rte_kni *kni, uint16_t pair);

/* As knit_pair_reset, but frees the mbufs into their pools (clean shutdown). */
unsigned int knit_pair_drain(struct rte_kni *kni, uint16_t pair);

/* How many mbufs the engine and the rings of this pair have, in both directions. */
unsigned int knit_pair_held(const struct rte_kni *kni, uint16_t pair);

/*
 * How many entries rx_q and tx_q have at this moment, by the indexes that stand in shared memory:
 * any process. Impossible ones count as a full ring.
 */
unsigned int knit_pair_to_kernel_queued(const struct rte_kni *kni, uint16_t pair);
unsigned int knit_pair_from_kernel_queued(const struct rte_kni *kni, uint16_t pair);

/*
 * Worker: call it before sleeping. True: tx_q is empty, and the engine will ring user_doorbell.
 * Call knit_pair_disarm after waking.
 */
bool knit_pair_arm(struct rte_kni *kni, uint16_t pair);
void knit_pair_disarm(struct rte_kni *kni, uint16_t pair);

#endif
