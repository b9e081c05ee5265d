// SPDX-License-Identifier: BSD-3-Clause
#include "unit.h"

#include "system/topology/watch.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BYTES (128u << 10)

static struct knit_watch *watch;
static struct knit_watch_ring *ring;

static void setup(void)
{
	struct knit_config *conf = calloc(1, sizeof(*conf));
	size_t size;

	conf->n_workers = 2;
	conf->workers[0].there = conf->workers[1].there = true;
	conf->watch.buffer = 100; /* becomes 128 */
	size = knit_watch_bytes(conf);
	watch = aligned_alloc(RTE_CACHE_LINE_SIZE, size);
	memset(watch, 0, size);
	knit_watch_init(watch, conf);
	ring = watch->ring[1];
	ck_assert_uint_eq(ring->bytes, BYTES);
	ck_assert_uint_le((uintptr_t)ring->data + BYTES, (uintptr_t)watch + size);
	conf->watch.buffer = 0;
	ck_assert_uint_eq(knit_watch_bytes(conf), 0);
	free(conf);
}

static void put(uint32_t size, uint32_t serial, uint32_t captured)
{
	struct knit_watch_record *r =
		(struct knit_watch_record *)(void *)(ring->data + (ring->head & (BYTES - 1)));

	r->size = size;
	r->serial = serial;
	if (size >= sizeof(*r)) {
		r->captured = captured;
		r->n_steps = 0;
	}
	ring->head += size;
}

/* Of an earlier watch, and the end of the ring: passed over. */
START_TEST(others_are_passed_over)
{
	uint64_t tail = 0;
	uint32_t size;

	put(256, 6, 8);
	put(304, 7, 8);
	put(8, 0, 0);
	put(256, 6, 8);
	put(248, 7, 8);
	ck_assert_ptr_nonnull(knit_watch_next(ring, BYTES, &tail, 7, &size));
	ck_assert_uint_eq(tail, 256);
	ck_assert_uint_eq(size, 304);
	tail += size;
	ck_assert_ptr_nonnull(knit_watch_next(ring, BYTES, &tail, 7, &size));
	ck_assert_uint_eq(size, 248);
	tail += size;
	ck_assert_ptr_null(knit_watch_next(ring, BYTES, &tail, 7, &size));
	ck_assert_uint_eq(tail, ring->head);
}
END_TEST

/* A size that no record has: what is there is given up, and it goes on behind it. */
START_TEST(impossible_records)
{
	static const uint32_t sizes[] = { 0, 4, 12, 257, BYTES + 8, 1u << 31, UINT32_MAX - 7 };
	uint64_t tail;
	uint32_t size;
	unsigned int i;

	for (i = 0; i < RTE_DIM(sizes); i++) {
		tail = ring->head = 0;
		put(sizes[i], 7, 8);
		ring->head = 512;
		ck_assert_ptr_null(knit_watch_next(ring, BYTES, &tail, 7, &size));
		ck_assert_uint_eq(tail, 512);
	}
	/* behind the end of the ring, and more than there is */
	tail = BYTES - 256;
	ring->head = tail;
	put(264, 7, 8);
	ck_assert_ptr_null(knit_watch_next(ring, BYTES, &tail, 7, &size));
	ring->head = tail + 2 * (uint64_t)BYTES;
	ck_assert_ptr_null(knit_watch_next(ring, BYTES, &tail, 7, &size));
	ck_assert_uint_eq(tail, ring->head);
	ring->head = tail - 64; /* before tail */
	ck_assert_ptr_null(knit_watch_next(ring, BYTES, &tail, 7, &size));
}
END_TEST

/* Each field that somebody follows. */
START_TEST(impossible_fields)
{
	static const struct knit_watch_record good = { .size = sizeof(good) + 64,
						       .len = 60,
						       .captured = 60,
						       .end = KNIT_WATCH_PORT,
						       .direction = KNIT_WATCH_TX,
						       .index = 1,
						       .n_steps = KNIT_WATCH_STEPS };
	struct knit_watch_record r = good;

	ck_assert(knit_watch_valid(&r, r.size, 2, 0));
	ck_assert(!knit_watch_valid(&r, r.size + 8, 2, 0));
	ck_assert(!knit_watch_valid(&r, r.size, 1, 2));
	r.end = KNIT_WATCH_IFACE;
	ck_assert(knit_watch_valid(&r, r.size, 0, 2));
	ck_assert(!knit_watch_valid(&r, r.size, 2, 1));
	r.end = KNIT_WATCH_HANDOFF;
	ck_assert(!knit_watch_valid(&r, r.size, 2, 2));
	r = good;
	r.captured = 61;
	ck_assert(!knit_watch_valid(&r, r.size, 2, 0));
	r.captured = r.len = 65;
	ck_assert(!knit_watch_valid(&r, r.size, 2, 0));
	r = good;
	r.n_steps++;
	ck_assert(!knit_watch_valid(&r, r.size, 2, 0));
	r = good;
	r.steps[7].what = KNIT_WATCH_WHATS;
	ck_assert(!knit_watch_valid(&r, r.size, 2, 0));
	r = good;
	r.direction = 0;
	ck_assert(!knit_watch_valid(&r, r.size, 2, 0));
}
END_TEST

/* A dead worker left a head that no record has: the next record that begins well is found. */
START_TEST(odd_head)
{
	uint64_t tail = 0;
	uint32_t size;

	ring->head = 13;
	ck_assert_ptr_null(knit_watch_next(ring, BYTES, &tail, 7, &size));
	ring->head = 16;
	put(256, 7, 8);
	ck_assert_ptr_null(knit_watch_next(ring, BYTES, &tail, 7, &size));
	put(264, 7, 8);
	ck_assert_ptr_nonnull(knit_watch_next(ring, BYTES, &tail, 7, &size));
	ck_assert_uint_eq(size, 264);
}
END_TEST

/* Whatever there is: no read behind the ring, no endless loop, and what is given out is whole. */
START_TEST(random_rings)
{
	struct knit_random random = { 7 };
	const struct knit_watch_record *r;
	uint32_t *words = (uint32_t *)(void *)ring->data;
	uint64_t tail;
	uint32_t size, round, i, n = 0;

	for (round = 0; round < 2000; round++) {
		for (i = 0; i < 4096; i++)
			words[i] = knit_random_next(&random) % 8
					   ? knit_random_next(&random) % 80 * 8
					   : 7;
		tail = 0;
		ring->head = knit_random_next(&random) % 16384 & ~7ul;
		while ((r = knit_watch_next(ring, BYTES, &tail, 7, &size)) != NULL) {
			ck_assert_uint_ge(size, sizeof(*r));
			ck_assert_uint_le(tail + size, ring->head);
			if (knit_watch_valid(r, size, 2, 2)) {
				ck_assert_uint_le(sizeof(*r) + r->captured, size);
				ck_assert_uint_lt(r->index, 2);
			}
			tail += size;
			n++;
		}
	}
	ck_assert_uint_gt(n, 100);
}
END_TEST

static void *change(void *arg)
{
	uint32_t i, k;

	for (i = 1; i < 200000; i++) {
		__atomic_store_n(&watch->serial, 0, __ATOMIC_RELEASE);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		watch->spec.snaplen = i;
		for (k = 0; k < 8; k++)
			watch->spec.insns[k * 60].k = i;
		__atomic_store_n(&watch->serial, i, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* A copy is of one watch, or none. */
START_TEST(copies_are_whole)
{
	static struct knit_watch_spec spec;
	uint32_t serial = 0, k, n = 0;
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, change, NULL), 0);
	while (serial < 199999) {
		serial = knit_watch_read(watch, &spec);
		if (serial == 0)
			continue;
		n++;
		ck_assert_uint_eq(spec.snaplen, serial);
		for (k = 0; k < 8; k++)
			ck_assert_uint_eq(spec.insns[k * 60].k, serial);
	}
	pthread_join(thread, NULL);
	ck_assert_uint_gt(n, 0);
}
END_TEST

KNIT_SUITE(watch)
{
	knit_add_fixture_test(s, "others are passed over", others_are_passed_over, 0, setup, NULL);
	knit_add_fixture_test(s, "impossible records", impossible_records, 0, setup, NULL);
	knit_add_fixture_test(s, "impossible fields", impossible_fields, 0, setup, NULL);
	knit_add_fixture_test(s, "odd head", odd_head, 0, setup, NULL);
	knit_add_fixture_test(s, "random rings", random_rings, 20, setup, NULL);
	knit_add_fixture_test(s, "copies are whole", copies_are_whole, 20, setup, NULL);
}
