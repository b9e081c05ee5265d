/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
#ifndef KNIT_RING_H
#define KNIT_RING_H

#include "knit_types.h"

/*
 * Rings between user space and an engine: single producer, single consumer, a power of two of
 * fixed-size entries, free-running 32-bit indexes.
 *
 * A ring is two things. struct knit_ring_shm and the entries behind it are seen by both sides, and
 * neither believes the other's part of it. struct knit_ring is one side's private half: size, mask
 * and the indexes it works with. The other side must not be able to write it (the kernel's and the
 * tap engine's are in their own memory; user space's is in shared hugepages, outside what an engine
 * is given, so that the next owner of the end finds it).
 *
 * Verbs. Producer: reserve n, fill knit_ring_entry(r, r->prod + 0..n-1), submit n.
 *        Consumer: peek n, read knit_ring_entry(r, r->cons + 0..n-1), release n.
 * reserve and peek commit nothing and may be repeated; submit and release each make exactly one
 * store to shared memory. A process that dies between the two leaves the ring as if it had done
 * nothing; after the store it leaves it as if it had done all. Whoever takes over calls
 * knit_ring_claim_producer or knit_ring_claim_consumer, which start again from the shared indexes.
 *
 * Barriers.
 *  (A) consumer reads producer (acquire)   pairs with (B): entries are read after the index that
 *      announced them. Without it: an old entry is read as a new one.
 *  (B) producer stores producer (release)  entries are written before the index that announces
 *      them.
 *  (C) producer reads consumer (acquire)   pairs with (D): an entry is overwritten only after the
 *      consumer is done with it. Without it: the consumer reads half of the next lap's entry.
 *  (D) consumer stores consumer (release)  entries are read before they are given up.
 *  (E) full barrier between "store my flag" and "look at the index again" on the side that is going
 *      to sleep, and (F) full barrier between "store my index" and "look at the flag" on the side
 *      that may have to wake it. Both are store-then-load, which acquire and release do not order.
 *      Without either: each side reads the old value of the other's word, one sleeps, nobody
 *      wakes it.
 *
 * Corruption. An index of the other side that is further away than the ring is long, or behind the
 * last good one, is not used: the last good one stays in force and bad_index counts. So whatever
 * stands in shared memory, reserve and peek return at most size, and entries are only touched
 * inside the ring.
 */

struct knit_ring_shm {
	__u32 producer KNIT_ALIGNED;  /* producer: wo, consumer: ro */
	__u32 consumer KNIT_ALIGNED;  /* consumer: wo, producer: ro */
	__u32 need_data KNIT_ALIGNED; /* consumer: wo. Not zero: ring my doorbell after a submit */
	__u32 need_space
		KNIT_ALIGNED; /* producer: wo. Not zero: ring my doorbell after a release */
};

KNIT_ASSERT_SIZE(struct knit_ring_shm, 256);
KNIT_ASSERT_OFFSET(struct knit_ring_shm, producer, 0);
KNIT_ASSERT_OFFSET(struct knit_ring_shm, consumer, 64);
KNIT_ASSERT_OFFSET(struct knit_ring_shm, need_data, 128);
KNIT_ASSERT_OFFSET(struct knit_ring_shm, need_space, 192);

#define KNIT_RING_MIN 64
#define KNIT_RING_MAX 32768

/* Private half. Written by its side only. */
struct knit_ring {
	__u32 prod; /* producer: next entry to fill; consumer: last good copy of the shared index */
	__u32 cons; /* consumer: next entry to read; producer: last good copy of the shared index */
	__u32 mask;
	__u32 size;
	__u32 entry_size;
	__u32 bad_index; /* times the other side's index was impossible */
	struct knit_ring_shm *shm;
	void *entries;
};

static inline bool knit_ring_size_ok(__u32 size)
{
	return size >= KNIT_RING_MIN && size <= KNIT_RING_MAX && (size & (size - 1)) == 0;
}

/* Bytes of shared memory of a ring, entries included; a multiple of the cache line. */
static inline __u32 knit_ring_bytes(__u32 size, __u32 entry_size)
{
	return (__u32)sizeof(struct knit_ring_shm) + size * entry_size;
}

/*
 * Binds a private half to shared memory at mem (cache-line aligned, knit_ring_bytes long). Touches
 * no shared memory. Claim an end before using a verb.
 */
static inline void knit_ring_bind(struct knit_ring *r, void *mem, __u32 size, __u32 entry_size)
{
	r->prod = 0;
	r->cons = 0;
	r->mask = size - 1;
	r->size = size;
	r->entry_size = entry_size;
	r->bad_index = 0;
	r->shm = (struct knit_ring_shm *)mem;
	r->entries = (char *)mem + sizeof(struct knit_ring_shm);
}

/* Empties the ring. Only while neither side uses it. */
static inline void knit_ring_reset(struct knit_ring *r)
{
	knit_store(&r->shm->producer, 0);
	knit_store(&r->shm->consumer, 0);
	knit_store(&r->shm->need_data, 0);
	knit_store(&r->shm->need_space, 0);
	knit_mb();
	r->prod = 0;
	r->cons = 0;
}

static inline void *knit_ring_entry(const struct knit_ring *r, __u32 index)
{
	return (char *)r->entries + (size_t)(index & r->mask) * r->entry_size;
}

/*
 * Takes an end over, from a predecessor or after a reset. False if the shared indexes contradict
 * each other; then nothing is changed and the ring is only good for knit_ring_reset.
 */
static inline bool knit_ring_claim_producer(struct knit_ring *r)
{
	__u32 prod = knit_load(&r->shm->producer);
	__u32 cons = knit_load_acquire(&r->shm->consumer); /* (C) */

	if (prod - cons > r->size)
		return false;
	r->prod = prod;
	r->cons = cons;
	return true;
}

static inline bool knit_ring_claim_consumer(struct knit_ring *r)
{
	__u32 cons = knit_load(&r->shm->consumer);
	__u32 prod = knit_load_acquire(&r->shm->producer); /* (A) */

	if (prod - cons > r->size)
		return false;
	r->prod = prod;
	r->cons = cons;
	return true;
}

/* Producer: how many entries, n at most, may be filled from r->prod on. */
static inline __u32 knit_ring_reserve(struct knit_ring *r, __u32 n)
{
	__u32 room = r->size - (r->prod - r->cons);
	__u32 cons;

	if (room < n) {
		cons = knit_load_acquire(&r->shm->consumer); /* (C) */
		if (r->prod - cons > r->prod - r->cons)
			r->bad_index++;
		else
			r->cons = cons;
		room = r->size - (r->prod - r->cons);
	}
	return room < n ? room : n;
}

/* Producer: publishes the n entries from r->prod on; n is at most what reserve returned. */
static inline void knit_ring_submit(struct knit_ring *r, __u32 n)
{
	r->prod += n;
	knit_store_release(&r->shm->producer, r->prod); /* (B) */
}

/* Consumer: how many entries, n at most, may be read from r->cons on. */
static inline __u32 knit_ring_peek(struct knit_ring *r, __u32 n)
{
	__u32 have = r->prod - r->cons;
	__u32 prod;

	if (have < n) {
		prod = knit_load_acquire(&r->shm->producer); /* (A) */
		if (prod - r->cons > r->size || prod - r->cons < have)
			r->bad_index++;
		else
			r->prod = prod;
		have = r->prod - r->cons;
	}
	return have < n ? have : n;
}

/* Consumer: gives up the n entries from r->cons on; n is at most what peek returned. */
static inline void knit_ring_release(struct knit_ring *r, __u32 n)
{
	r->cons += n;
	knit_store_release(&r->shm->consumer, r->cons); /* (D) */
}

/*
 * Sleeping. A consumer that found nothing calls knit_ring_arm_data: true means sleep, the producer
 * will ring; false means data came meanwhile, the flag is down again, go on. After waking it calls
 * knit_ring_disarm_data. The producer calls knit_ring_data_wanted once after its submits and rings
 * the consumer's doorbell if true. Producers that wait for room do the same with _space.
 */
static inline bool knit_ring_data_wanted(const struct knit_ring *r)
{
	knit_mb(); /* (F) */
	return knit_load(&r->shm->need_data) != 0;
}

static inline bool knit_ring_space_wanted(const struct knit_ring *r)
{
	knit_mb(); /* (F) */
	return knit_load(&r->shm->need_space) != 0;
}

static inline void knit_ring_disarm_data(struct knit_ring *r)
{
	knit_store(&r->shm->need_data, 0);
}

static inline void knit_ring_disarm_space(struct knit_ring *r)
{
	knit_store(&r->shm->need_space, 0);
}

static inline bool knit_ring_arm_data(struct knit_ring *r)
{
	knit_store(&r->shm->need_data, 1);
	knit_mb(); /* (E) */
	if (knit_ring_peek(r, 1) == 0)
		return true;
	knit_ring_disarm_data(r);
	return false;
}

/* n: how much room is worth waking up for. */
static inline bool knit_ring_arm_space(struct knit_ring *r, __u32 n)
{
	knit_store(&r->shm->need_space, 1);
	knit_mb(); /* (E) */
	if (knit_ring_reserve(r, n) < n)
		return true;
	knit_ring_disarm_space(r);
	return false;
}

#endif
