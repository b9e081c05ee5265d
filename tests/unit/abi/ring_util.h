/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_RING_UTIL_H
#define KNIT_RING_UTIL_H

#include "abi/knit_desc.h"
#include "abi/knit_ring.h"

/* Both ends of one ring of descriptors, and entries that tell their place. */
#define RING_SIZE 64

struct ring_pair {
	struct knit_ring producer;
	struct knit_ring consumer;
	char mem[sizeof(struct knit_ring_shm) + RING_SIZE * sizeof(struct knit_desc)] KNIT_ALIGNED;
};

static inline struct knit_ring_shm *ring_pair_shm(struct ring_pair *p)
{
	return (struct knit_ring_shm *)p->mem;
}

/* Both indexes start at first; returns false if an end could not be claimed. */
static inline bool ring_pair_init(struct ring_pair *p, __u32 first)
{
	knit_ring_bind(&p->producer, p->mem, RING_SIZE, sizeof(struct knit_desc));
	knit_ring_bind(&p->consumer, p->mem, RING_SIZE, sizeof(struct knit_desc));
	knit_ring_reset(&p->producer);
	ring_pair_shm(p)->producer = first;
	ring_pair_shm(p)->consumer = first;
	return knit_ring_claim_producer(&p->producer) && knit_ring_claim_consumer(&p->consumer);
}

/* Spreads a number over all bits, so that a torn or stale entry is not taken for a good one. */
static inline __u64 ring_pair_value(__u32 index)
{
	return (index + 1) * 0x9e3779b97f4a7c15ULL;
}

static inline void ring_pair_fill(const struct knit_ring *r, __u32 index, __u64 value)
{
	struct knit_desc *d = knit_ring_entry(r, index);

	*d = (struct knit_desc){ .addr = value, .len = (__u32)value, .cookie = value >> 32 };
}

static inline bool ring_pair_holds(const struct knit_ring *r, __u32 index, __u64 value)
{
	const struct knit_desc *d = knit_ring_entry(r, index);

	return d->addr == value && d->len == (__u32)value && d->cookie == value >> 32;
}

#endif
