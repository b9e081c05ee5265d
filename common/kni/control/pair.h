/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PAIR_H
#define KNIT_PAIR_H

#include "kni/private.h"

/*
 * Takes both ends of a pair for the calling process: starts from the shared indexes. The first
 * knit_from_kernel puts buffers of pool on offer, one for each entry of the queue; on interfaces
 * of rte_kni_alloc, whose pool is not for them alone, few, and more where the engine uses them up
 * and the pool has plenty. doorbell: what the engine shall ring, or
 * KNIT_DOORBELL_NONE. 0, -EBUSY (a live process has it), -EINVAL (no such pair), -EBADMSG (indexes
 * corrupt: needs knit_pair_reset).
 */
int knit_pair_claim(struct rte_kni *kni, uint16_t pair, struct rte_mempool *pool,
		    uint32_t doorbell);

/* Gives both ends up at a burst boundary; mbufs stay with their slots for the next owner. */
void knit_pair_unclaim(struct rte_kni *kni, uint16_t pair);

/*
 * Empties the four queues and forgets every cookie without freeing a mbuf. Only while the engine
 * has unbound the pair and nobody owns it. Returns how many mbufs were forgotten.
 */
unsigned int knit_pair_reset(struct rte_kni *kni, uint16_t pair);

/* As knit_pair_reset, but frees the mbufs into their pools (clean shutdown). */
unsigned int knit_pair_drain(struct rte_kni *kni, uint16_t pair);

/* mbufs that are with the engine or on rings of this pair, both directions. */
unsigned int knit_pair_held(const struct rte_kni *kni, uint16_t pair);

/*
 * Worker: before it sleeps. True: nothing waits in tx_q and the engine will ring user_doorbell.
 * knit_pair_disarm after waking.
 */
bool knit_pair_arm(struct rte_kni *kni, uint16_t pair);
void knit_pair_disarm(struct rte_kni *kni, uint16_t pair);

#endif
