/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_HANDOFF_H
#define KNIT_HANDOFF_H

#include "abi/knit_ring.h"

#include <rte_common.h>
#include <rte_mbuf.h>

#include <stdbool.h>
#include <stdint.h>

/*
 * Hand-off queues. A worker that has no transmit queue on a port sends through one that has, the
 * queue's owner. There is one hand-off queue for each such worker and port: single producer, the
 * worker without; single consumer, the owner. It lies in a memzone of the primary's, so that a
 * successor of either end finds what its predecessor left, and is as long as the transmit queue
 * that the producer lacks.
 *
 * An entry is a pointer to a packet of the producer's domain. The consumer only reads what it
 * points to: it copies the packet into mbufs of its own pool, then releases the entry. The
 * consumer index is the way back, too: what lies behind it is the producer's again.
 *
 *        given back       waiting         room
 *     |--------------|---------------|-----------|
 *   freed         consumer        producer
 *
 * So no pointer and no count comes back that could be wrong or come twice, nothing that comes back
 * needs room, and the mbufs in the queue are the producer's domain's from first to last. Between
 * two bursts the consumer holds none of them: it copies and releases within one call.
 *
 * Who writes what: see the fields. The primary writes ends only while their workers are parked,
 * gone or dead. An end belongs to whoever holds its worker's entry, so it needs no claim of its
 * own.
 *
 * A death. In knit_handoff_put, before submit's store: the queue is as it was, the packets are
 * lost with their domain. After it: they wait, as if the producer were alive. In
 * knit_handoff_take, before release's store: the packets wait on; after it they are given back.
 * All that is certain only as long as the dead worker's domain is not reset, and nobody waits for
 * that:
 *   the producer's domain is reset: its mbufs are made anew, so the queue is emptied and forgets
 *      them, and the consumer, parked meanwhile, must not believe what it has peeked before;
 *   the consumer's domain is reset: the queue is emptied by giving everything back. The producer
 *      frees it as always, and counts what was waiting as lost.
 * Both are a new generation: a consumer that finds another one than its own starts again from the
 * shared indexes before it does anything else. A live producer needs no such thing, since a reset
 * starts from its own index and gives everything before that back. A worker that ends as asked
 * leaves all as it is.
 *
 * Corruption. Both ends are of one trust domain. An index that is impossible is not used
 * (knit_ring.h), and a reset of a consumer does not believe the shared part at all.
 *
 * Nothing here blocks; put and arm make a system call only to ring a doorbell.
 */

/* Private half. Producer: rw; primary in a reset. */
struct knit_handoff_producer {
	struct knit_ring ring;
	uint32_t freed; /* index of the first entry that was not yet taken back */
	uint64_t lost;	/* of the queue's lost, what is counted already */
} __rte_cache_aligned;

/* Private half. Consumer: rw; primary before a worker may attach. */
struct knit_handoff_consumer {
	struct knit_ring ring;
	struct rte_mempool *pool; /* for copies */
	uint32_t generation;	  /* that the ring's indexes are of */
} __rte_cache_aligned;

/* The shared part of the ring and its entries follow it. */
struct knit_handoff {
	/*
	 * Up to size: written by the primary before a worker may attach. port, producer and
	 * consumer are indexes of the topology.
	 */
	uint32_t plan; /* number of the first plan that has it */
	uint16_t port;
	uint16_t producer;
	uint16_t consumer;
	uint32_t consumer_doorbell; /* of the consumer's worker */
	uint32_t size;
	uint32_t generation; /* primary: wo, one more with every reset */
	uint64_t lost;	     /* primary: wo. Packets that waited for a consumer that died */
	struct knit_handoff_producer in;
	struct knit_handoff_consumer out;
} __rte_cache_aligned;

/* Entries of a queue that stands for a transmit queue of tx_desc descriptors: a power of two. */
uint32_t knit_handoff_size(uint32_t tx_desc);

/* Bytes of a queue of that size, a multiple of the cache line. */
size_t knit_handoff_bytes(uint32_t size);

/* Primary: x is knit_handoff_bytes(size) long and aligned to the cache line. */
void knit_handoff_init(struct knit_handoff *x, uint32_t size);

/*
 * A worker that attaches takes its end over as its predecessor left it. pool: of its domain. False:
 * the shared indexes contradict each other.
 */
bool knit_handoff_claim_producer(struct knit_handoff *x);
bool knit_handoff_claim_consumer(struct knit_handoff *x, struct rte_mempool *pool);

/*
 * Producer: frees what was given back, then puts packets into the queue and wakes the consumer if
 * it sleeps. Takes the first of them, as many as there is room for, and returns how many.
 */
unsigned int knit_handoff_put(struct knit_handoff *x, struct rte_mbuf **m, unsigned int n);

/* Producer: packets that were lost with a consumer since the last call. */
uint64_t knit_handoff_lost(struct knit_handoff *x);

/*
 * Consumer: takes at most n packets out of the queue, as copies in mbufs of its pool, and returns
 * how many it made. *failed: packets that there was no mbuf for, which are gone.
 */
unsigned int knit_handoff_take(struct knit_handoff *x, struct rte_mbuf **m, unsigned int n,
			       unsigned int *failed);

/*
 * Consumer: before it sleeps. True: nothing waits, and the producer will ring. knit_handoff_disarm
 * after waking.
 */
bool knit_handoff_arm(struct knit_handoff *x);
void knit_handoff_disarm(struct knit_handoff *x);

/* Any process: mbufs of the producer's domain that are in the queue. */
unsigned int knit_handoff_held(const struct knit_handoff *x);

/*
 * Primary: empties the queue because one end's domain, or both, is reset. producer_dead: the
 * producer's mbufs are forgotten, and their number is returned; else they are given back to it and
 * 0 is returned. Live ends are parked.
 */
unsigned int knit_handoff_reset(struct knit_handoff *x, bool producer_dead);

/* Primary, at the end, when nobody uses it: frees all that is in it. Returns how many. */
unsigned int knit_handoff_drain(struct knit_handoff *x);

#endif
