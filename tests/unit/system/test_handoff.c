// SPDX-License-Identifier: BSD-3-Clause
#include "handoff_util.h"
#include "unit.h"

#include "kni/base/doorbell.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>

START_TEST(sizes)
{
	ck_assert_uint_eq(knit_handoff_size(16), KNIT_RING_MIN);
	ck_assert_uint_eq(knit_handoff_size(64), 64);
	ck_assert_uint_eq(knit_handoff_size(65), 128);
	ck_assert_uint_eq(knit_handoff_size(512), 512);
	ck_assert_uint_eq(knit_handoff_size(32768), 32768);
	ck_assert_uint_eq(knit_handoff_size(40000), KNIT_RING_MAX);
	ck_assert_uint_eq(knit_handoff_bytes(64) % RTE_CACHE_LINE_SIZE, 0);
}
END_TEST

/* The originals are the producer's again once they are copied, and it frees them when it puts. */
START_TEST(there_and_back)
{
	handoff_start(0);
	ck_assert_uint_eq(handoff_take(0, 8), 0);
	ck_assert_uint_eq(handoff_put(0, 10), 10);
	ck_assert_uint_eq(knit_handoff_held(handoff), 10);
	ck_assert_uint_eq(rte_mempool_in_use_count(of_producer), 10);
	ck_assert_uint_eq(handoff_take(0, 4), 4);
	ck_assert_uint_eq(rte_mempool_in_use_count(of_producer), 10);
	ck_assert_uint_eq(handoff_put(10, 1), 1);
	ck_assert_uint_eq(knit_handoff_held(handoff), 7);
	ck_assert_uint_eq(rte_mempool_in_use_count(of_producer), 7);
	ck_assert_uint_eq(handoff_take(4, 100), 7);
	ck_assert_uint_eq(handoff_put(0, 0), 0);
	ck_assert_uint_eq(knit_handoff_held(handoff), 0);
	handoff_full(of_producer);
	handoff_full(of_consumer);
}
END_TEST

START_TEST(full)
{
	handoff_start(0U - 100);
	ck_assert_uint_eq(handoff_put(0, HANDOFF_SIZE + 5), HANDOFF_SIZE);
	ck_assert_uint_eq(handoff_put(0, 1), 0);
	ck_assert_uint_eq(handoff_take(0, 3), 3);
	ck_assert_uint_eq(handoff_put(HANDOFF_SIZE, 5), 3);
	ck_assert_uint_eq(knit_handoff_held(handoff), HANDOFF_SIZE);
	ck_assert_uint_eq(handoff_take(3, 2 * HANDOFF_SIZE), HANDOFF_SIZE);
	ck_assert_uint_eq(handoff_put(0, 0), 0);
	handoff_full(of_producer);
}
END_TEST

/* Many laps with bursts of any size, over the end of the 32-bit indexes; chains among them. */
START_TEST(laps)
{
	struct knit_random random = { 20221111 };
	uint32_t put = 0, taken = 0;
	struct rte_mbuf *m;

	handoff_start(0U - 1000);
	while (taken < 5000) {
		put += handoff_put(put, knit_random_next(&random) % 40);
		m = handoff_packet(put, 2);
		if (knit_handoff_put(handoff, &m, 1))
			put++;
		else
			rte_pktmbuf_free(m);
		taken += handoff_take(taken, knit_random_next(&random) % 50);
	}
	taken += handoff_take(taken, HANDOFF_SIZE);
	ck_assert_uint_eq(taken, put);
	handoff_put(0, 0);
	handoff_full(of_producer);
	handoff_full(of_consumer);
}
END_TEST

/* Without an mbuf for the copy the packet is lost, counted, and its original goes back. */
START_TEST(no_mbuf)
{
	struct rte_mbuf *m[HANDOFF_POOL], *out[4];
	unsigned int failed;

	handoff_start(0);
	ck_assert_int_eq(rte_pktmbuf_alloc_bulk(of_consumer, m, HANDOFF_POOL), 0);
	ck_assert_uint_eq(handoff_put(0, 6), 6);
	ck_assert_uint_eq(knit_handoff_take(handoff, out, 4, &failed), 0);
	ck_assert_uint_eq(failed, 4);
	rte_pktmbuf_free(m[0]);
	ck_assert_uint_eq(knit_handoff_take(handoff, out, 4, &failed), 1);
	ck_assert_uint_eq(failed, 1);
	ck_assert(handoff_is(out[0], 4));
	rte_pktmbuf_free(out[0]);
	rte_pktmbuf_free_bulk(m + 1, HANDOFF_POOL - 1);
	handoff_put(0, 0);
	handoff_full(of_producer);
	handoff_full(of_consumer);
}
END_TEST

/* Whoever ends as asked leaves packets that wait and packets that were given back. */
START_TEST(hand_over)
{
	handoff_start(0U - 5);
	ck_assert_uint_eq(handoff_put(0, 10), 10);
	ck_assert_uint_eq(handoff_take(0, 4), 4);
	ck_assert(knit_handoff_claim_producer(handoff));
	ck_assert_uint_eq(knit_handoff_held(handoff), 10);
	ck_assert_uint_eq(handoff_put(10, 2), 2);
	ck_assert(knit_handoff_claim_consumer(handoff, of_consumer));
	ck_assert_uint_eq(handoff_take(4, 100), 8);
	ck_assert_uint_eq(handoff_put(0, 0), 0);
	handoff_full(of_producer);
	ck_assert_uint_eq(knit_handoff_lost(handoff), 0);
}
END_TEST

START_TEST(drained_at_the_end)
{
	handoff_start(0);
	ck_assert_uint_eq(handoff_put(0, 10), 10);
	ck_assert_uint_eq(handoff_take(0, 4), 4);
	ck_assert_uint_eq(knit_handoff_drain(handoff), 10);
	ck_assert_uint_eq(knit_handoff_held(handoff), 0);
	ck_assert_uint_eq(knit_handoff_drain(handoff), 0);
	handoff_full(of_producer);
}
END_TEST

/* The consumer's domain is reset: all comes back, what waited is counted, once. */
START_TEST(reset_of_consumer)
{
	handoff_start(0);
	ck_assert_uint_eq(handoff_put(0, 10), 10);
	ck_assert_uint_eq(handoff_take(0, 4), 4);
	ck_assert_uint_eq(knit_handoff_reset(handoff, false), 0);
	ck_assert_uint_eq(knit_handoff_held(handoff), 10);
	/* Its successor dies too, before the producer has moved. */
	ck_assert(knit_handoff_claim_consumer(handoff, of_consumer));
	ck_assert_uint_eq(handoff_take(0, 100), 0);
	ck_assert_uint_eq(knit_handoff_reset(handoff, false), 0);
	ck_assert(knit_handoff_claim_consumer(handoff, of_consumer));
	ck_assert_uint_eq(handoff_put(20, 3), 3);
	ck_assert_uint_eq(knit_handoff_held(handoff), 3);
	ck_assert_uint_eq(knit_handoff_lost(handoff), 6);
	ck_assert_uint_eq(knit_handoff_lost(handoff), 0);
	ck_assert_uint_eq(handoff_take(20, 100), 3);
	handoff_put(0, 0);
	handoff_full(of_producer);
}
END_TEST

/*
 * The producer's domain is reset. The consumer has looked before, and knows of ten packets: of the
 * rest of them it must not read one more.
 */
START_TEST(reset_of_producer)
{
	handoff_start(0);
	ck_assert_uint_eq(handoff_put(0, 10), 10);
	ck_assert_uint_eq(handoff_take(0, 4), 4);
	ck_assert_uint_eq(handoff->out.ring.prod - handoff->out.ring.cons, 6);
	ck_assert_uint_eq(knit_handoff_reset(handoff, true), 10);
	handoff_rebuild(of_producer);
	ck_assert_uint_eq(knit_handoff_held(handoff), 0);
	ck_assert_uint_eq(handoff_take(0, 100), 0);
	ck_assert(knit_handoff_claim_producer(handoff));
	ck_assert_uint_eq(handoff_put(50, 5), 5);
	ck_assert_uint_eq(handoff_take(50, 100), 5);
	handoff_put(0, 0);
	handoff_full(of_producer);
	ck_assert_uint_eq(knit_handoff_lost(handoff), 0);
}
END_TEST

/* Also a consumer that is about to sleep looks at the new generation first. */
START_TEST(reset_before_sleep)
{
	handoff_start(0);
	ck_assert_uint_eq(handoff_put(0, 10), 10);
	ck_assert_uint_eq(handoff_take(0, 4), 4);
	ck_assert(!knit_handoff_arm(handoff));
	knit_handoff_reset(handoff, true);
	handoff_rebuild(of_producer);
	ck_assert(knit_handoff_arm(handoff));
	knit_handoff_disarm(handoff);
	ck_assert(knit_handoff_claim_producer(handoff));
	ck_assert_uint_eq(handoff_put(7, 1), 1);
	ck_assert(!knit_handoff_arm(handoff));
	ck_assert_uint_eq(handoff_take(7, 1), 1);
	handoff_put(0, 0);
	handoff_full(of_producer);
}
END_TEST

/* Both at once: two resets, and the mbufs are forgotten once. */
START_TEST(reset_of_both)
{
	handoff_start(0);
	ck_assert_uint_eq(handoff_put(0, 10), 10);
	ck_assert_uint_eq(handoff_take(0, 4), 4);
	ck_assert_uint_eq(knit_handoff_reset(handoff, true), 10);
	ck_assert_uint_eq(knit_handoff_reset(handoff, true), 0);
	handoff_rebuild(of_producer);
	ck_assert(knit_handoff_claim_consumer(handoff, of_consumer));
	ck_assert(knit_handoff_claim_producer(handoff));
	ck_assert_uint_eq(handoff_take(0, 100), 0);
	ck_assert_uint_eq(handoff_put(3, 5), 5);
	ck_assert_uint_eq(handoff_take(3, 100), 5);
	handoff_put(0, 0);
	handoff_full(of_producer);
}
END_TEST

/*
 * Whatever stands in the shared part: no more than size entries, none outside, and a reset cures.
 */
START_TEST(corrupt_indexes)
{
	struct knit_ring_shm *shm;

	handoff_start(0);
	shm = handoff->in.ring.shm;
	ck_assert_uint_eq(handoff_put(0, 10), 10);
	shm->consumer = 0x80000000;
	ck_assert_uint_eq(handoff_put(10, HANDOFF_SIZE), HANDOFF_SIZE - 10);
	ck_assert_uint_eq(handoff_put(0, 1), 0);
	ck_assert_uint_eq(knit_handoff_held(handoff), HANDOFF_SIZE);
	ck_assert_uint_gt(handoff->in.ring.bad_index, 0);
	shm->producer = 12345;
	ck_assert(!knit_handoff_claim_consumer(handoff, of_consumer));
	ck_assert(!knit_handoff_claim_producer(handoff));
	knit_handoff_reset(handoff, false);
	ck_assert(knit_handoff_claim_consumer(handoff, of_consumer));
	ck_assert(knit_handoff_claim_producer(handoff));
	ck_assert_uint_eq(handoff_put(5, 3), 3);
	ck_assert_uint_eq(handoff_take(5, 9), 3);
	handoff_put(0, 0);
	handoff_full(of_producer);
}
END_TEST

#define STREAM 200000
#define WAKE_MS 5000

static uint32_t sleeps;

static void *produce(void *arg)
{
	struct knit_random random = { 7 };
	uint32_t i, sent = 0;
	struct rte_mbuf *m;

	while (sent < STREAM) {
		for (i = knit_random_next(&random) % 300; i && sent < STREAM; i--) {
			m = handoff_packet(sent, 1);
			if (knit_handoff_put(handoff, &m, 1))
				sent++;
			else
				rte_pktmbuf_free(m);
		}
		while (knit_random_next(&random) % 4 == 0 && knit_handoff_held(handoff))
			knit_handoff_put(handoff, NULL, 0);
	}
	return arg;
}

/* Two threads as two workers: order, content, and no packet waits while the consumer sleeps. */
START_TEST(two_threads)
{
	int64_t doorbell = knit_doorbell_init() < 0 ? -1 : knit_doorbell_new();
	struct pollfd rung = { .fd = knit_doorbell_open(doorbell), .events = POLLIN };
	uint32_t n, got = 0;
	pthread_t thread;

	ck_assert_int_ge(doorbell, 0);
	handoff_start(0U - STREAM / 2);
	handoff->consumer_doorbell = doorbell;
	ck_assert_int_eq(pthread_create(&thread, NULL, produce, NULL), 0);
	while (got < STREAM) {
		n = handoff_take(got, 32);
		got += n;
		if (n || !knit_handoff_arm(handoff))
			continue;
		ck_assert_int_eq(poll(&rung, 1, WAKE_MS), 1);
		knit_doorbell_clear(doorbell);
		knit_handoff_disarm(handoff);
		sleeps++;
	}
	pthread_join(thread, NULL);
	ck_assert_uint_gt(sleeps, 0);
	knit_handoff_put(handoff, NULL, 0);
	handoff_full(of_producer);
	handoff_full(of_consumer);
	knit_doorbell_free(doorbell);
}
END_TEST

KNIT_SUITE_EAL(handoff, knit_eal_small_pages)
{
	handoff_make();
	knit_add_test(s, "sizes", sizes, 0);
	knit_add_test(s, "there and back", there_and_back, 0);
	knit_add_test(s, "full", full, 0);
	knit_add_test(s, "laps", laps, 20);
	knit_add_test(s, "no mbuf", no_mbuf, 0);
	knit_add_test(s, "hand over", hand_over, 0);
	knit_add_test(s, "drained at the end", drained_at_the_end, 0);
	knit_add_test(s, "reset of consumer", reset_of_consumer, 0);
	knit_add_test(s, "reset of producer", reset_of_producer, 0);
	knit_add_test(s, "reset before sleep", reset_before_sleep, 0);
	knit_add_test(s, "reset of both", reset_of_both, 0);
	knit_add_test(s, "corrupt indexes", corrupt_indexes, 0);
	knit_add_test(s, "two threads", two_threads, 120);
}
