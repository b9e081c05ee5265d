/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_DATAPATH_H
#define KNIT_DATAPATH_H

#include "kni/base/doorbell.h"
#include "kni/kick.h"
#include "kni/private.h"

/*
 * Worker: the packet path. Packets go to the kernel and come from it; ownership as in rte_kni.h.
 * Neither allocates, locks or logs; each makes a system call only to wake the engine, or to do
 * its part.
 */
unsigned int knit_to_kernel(struct rte_kni *kni, uint16_t pair, struct rte_mbuf **mbufs,
			    unsigned int n);
unsigned int knit_from_kernel(struct rte_kni *kni, uint16_t pair, struct rte_mbuf **mbufs,
			      unsigned int n);

/*
 * After submits to `put` and releases of `taken`: does the engine wait for any of it? One full
 * barrier serves both. An engine that waits for frames sleeps on when buffers come back.
 */
static inline bool knit_wake_is_due(const struct knit_ring *put, uint32_t n_put,
				    const struct knit_ring *taken, uint32_t n_taken)
{
	if (n_put == 0 && n_taken == 0)
		return false;
	knit_mb(); /* (F) */
	return (n_put && knit_load(&put->shm->need_data)) ||
	       (n_taken && knit_load(&taken->shm->need_space));
}

/*
 * What the engine was to be woken for is done, or will be: where this process may, it enters the
 * kernel and does it itself; else it rings the doorbell. Never blocks.
 */
static inline void knit_wake(const struct rte_kni *kni, uint16_t pair, bool wanted_space)
{
	const struct knit_kick *k = knit_kick_of(kni, pair);

	if (k == NULL || !k->to_kernel(kni, pair, k->arg, wanted_space))
		knit_doorbell_ring(kni->pair[pair].engine_doorbell);
}

/*
 * Between two interfaces. _room: descriptors that rx_q takes now, after what the engine is done
 * with was taken back. _any: does something wait in tx_q? _count: whole frames, max at most, within
 * the first room descriptors of tx_q. A frame takes as many descriptors in one queue as in the
 * other.
 */
uint32_t knit_to_kernel_room(struct rte_kni *kni, uint16_t pair);
bool knit_from_kernel_any(struct rte_kni *kni, uint16_t pair);
uint32_t knit_from_kernel_count(struct rte_kni *kni, uint16_t pair, uint32_t room, uint32_t max);

#endif
