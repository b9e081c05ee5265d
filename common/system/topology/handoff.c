// SPDX-License-Identifier: BSD-3-Clause
#include "handoff.h"
#include "kni/base/doorbell.h"

#include <rte_branch_prediction.h>
#include <rte_prefetch.h>

#include <string.h>

#define BATCH 64 /* mbufs freed in one go */

uint32_t knit_handoff_size(uint32_t tx_desc)
{
	if (tx_desc <= KNIT_RING_MIN)
		return KNIT_RING_MIN;
	return tx_desc >= KNIT_RING_MAX ? KNIT_RING_MAX : rte_align32pow2(tx_desc);
}

size_t knit_handoff_bytes(uint32_t size)
{
	return sizeof(struct knit_handoff) + knit_ring_bytes(size, sizeof(struct rte_mbuf *));
}

void knit_handoff_init(struct knit_handoff *x, uint32_t size)
{
	memset(x, 0, knit_handoff_bytes(size));
	x->size = size;
	x->consumer_doorbell = KNIT_DOORBELL_NONE;
	knit_ring_bind(&x->in.ring, x + 1, size, sizeof(struct rte_mbuf *));
	knit_ring_bind(&x->out.ring, x + 1, size, sizeof(struct rte_mbuf *));
}

static uint32_t generation_of(const struct knit_handoff *x)
{
	return __atomic_load_n(&x->generation, __ATOMIC_ACQUIRE);
}

bool knit_handoff_claim_producer(struct knit_handoff *x)
{
	return knit_ring_claim_producer(&x->in.ring) && knit_handoff_held(x) <= x->size;
}

bool knit_handoff_claim_consumer(struct knit_handoff *x, struct rte_mempool *pool)
{
	x->out.pool = pool;
	x->out.generation = generation_of(x);
	if (!knit_ring_claim_consumer(&x->out.ring))
		return false;
	knit_handoff_disarm(x);
	return true;
}

/* After a reset the indexes are equal, so the claim does not fail. */
static inline void renew_consumer(struct knit_handoff *x)
{
	uint32_t generation = generation_of(x);

	if (likely(x->out.generation == generation))
		return;
	x->out.generation = generation;
	knit_ring_claim_consumer(&x->out.ring);
}

static inline struct rte_mbuf **handoff_entry(const struct knit_ring *r, uint32_t index)
{
	return knit_ring_entry(r, index);
}

/* Frees the entries from in.freed up to an index. */
static void handoff_free_until(struct knit_handoff *x, uint32_t to)
{
	struct knit_handoff_producer *in = &x->in;
	struct rte_mbuf *m[BATCH];
	uint32_t i, n;

	while (in->freed != to) {
		n = RTE_MIN(to - in->freed, (uint32_t)BATCH);
		for (i = 0; i < n; i++)
			m[i] = *handoff_entry(&in->ring, in->freed + i);
		rte_pktmbuf_free_bulk(m, n);
		knit_store_release(&in->freed, in->freed + n);
	}
}

unsigned int knit_handoff_put(struct knit_handoff *x, struct rte_mbuf **m, unsigned int n)
{
	struct knit_ring *r = &x->in.ring;
	uint32_t i, room;

	/* One look at the consumer's index: room is only what is also taken back. */
	room = knit_ring_reserve(r, r->size);
	handoff_free_until(x, r->cons);
	n = RTE_MIN(n, room);
	if (n == 0)
		return 0;
	for (i = 0; i < n; i++)
		*handoff_entry(r, r->prod + i) = m[i];
	knit_ring_submit(r, n);
	if (knit_ring_data_wanted(r))
		knit_doorbell_ring(x->consumer_doorbell);
	return n;
}

uint64_t knit_handoff_lost(struct knit_handoff *x)
{
	uint64_t all = __atomic_load_n(&x->lost, __ATOMIC_RELAXED), fresh = all - x->in.lost;

	x->in.lost = all;
	return fresh;
}

static struct rte_mbuf *packet_copy(const struct rte_mbuf *m, struct rte_mempool *pool)
{
	return likely(m) ? rte_pktmbuf_copy(m, pool, 0, UINT32_MAX) : NULL;
}

unsigned int knit_handoff_take(struct knit_handoff *x, struct rte_mbuf **m, unsigned int n,
			       unsigned int *failed)
{
	struct knit_ring *r = &x->out.ring;
	unsigned int i, made = 0;

	renew_consumer(x);
	n = knit_ring_peek(r, n);
	for (i = 0; i < n; i++) {
		if (i + 1 < n)
			rte_prefetch0(*handoff_entry(r, r->cons + i + 1));
		m[made] = packet_copy(*handoff_entry(r, r->cons + i), x->out.pool);
		made += m[made] != NULL;
	}
	if (n)
		knit_ring_release(r, n);
	*failed = n - made;
	return made;
}

bool knit_handoff_arm(struct knit_handoff *x)
{
	renew_consumer(x);
	return knit_ring_arm_data(&x->out.ring);
}

void knit_handoff_disarm(struct knit_handoff *x)
{
	knit_ring_disarm_data(&x->out.ring);
}

/* In this order: a producer at work would otherwise free more than was put when prod was read. */
unsigned int knit_handoff_held(const struct knit_handoff *x)
{
	uint32_t freed = knit_load_acquire(&x->in.freed);

	return knit_load(&x->in.ring.prod) - freed;
}

unsigned int knit_handoff_reset(struct knit_handoff *x, bool producer_dead)
{
	struct knit_ring_shm *shm = x->in.ring.shm;
	/* A producer that was killed may not have brought its own index to the shared one's. */
	uint32_t prod = producer_dead ? knit_load(&shm->producer) : x->in.ring.prod;
	uint32_t waiting = RTE_MIN(prod - knit_load(&shm->consumer), x->size), forgotten = 0;

	knit_ring_reset(&x->out.ring);
	knit_store(&shm->producer, prod);
	knit_store(&shm->consumer, prod);
	if (producer_dead) {
		forgotten = RTE_MIN(prod - x->in.freed, x->size);
		x->in.ring.prod = prod;
		x->in.freed = prod;
	} else {
		__atomic_store_n(&x->lost, x->lost + waiting, __ATOMIC_RELAXED);
	}
	__atomic_store_n(&x->generation, x->generation + 1, __ATOMIC_RELEASE);
	return forgotten;
}

unsigned int knit_handoff_drain(struct knit_handoff *x)
{
	unsigned int n = knit_handoff_held(x);

	handoff_free_until(x, x->in.ring.prod);
	knit_store(&x->in.ring.shm->consumer, x->in.ring.prod);
	return n;
}
