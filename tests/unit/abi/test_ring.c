// SPDX-License-Identifier: BSD-3-Clause
#include "ring_util.h"
#include "unit.h"

#include <pthread.h>
#include <string.h>

static struct ring_pair ring;

static void fill_and_submit(__u32 n)
{
	__u32 i;

	for (i = 0; i < n; i++)
		ring_pair_fill(&ring.producer, ring.producer.prod + i,
			       ring_pair_value(ring.producer.prod + i));
	knit_ring_submit(&ring.producer, n);
}

static void check_and_release(__u32 n)
{
	__u32 i;

	for (i = 0; i < n; i++)
		ck_assert(ring_pair_holds(&ring.consumer, ring.consumer.cons + i,
					  ring_pair_value(ring.consumer.cons + i)));
	knit_ring_release(&ring.consumer, n);
}

START_TEST(bind_touches_nothing_shared)
{
	char before[sizeof(ring.mem)];

	memset(ring.mem, 0xa5, sizeof(ring.mem));
	memcpy(before, ring.mem, sizeof(before));
	knit_ring_bind(&ring.producer, ring.mem, RING_SIZE, sizeof(struct knit_desc));
	ck_assert_mem_eq(ring.mem, before, sizeof(before));
	ck_assert_uint_eq(ring.producer.size, RING_SIZE);
	ck_assert_uint_eq(ring.producer.bad_index, 0);
}
END_TEST

START_TEST(reserve_and_peek_commit_nothing)
{
	struct knit_ring_shm *shm = ring_pair_shm(&ring);

	ck_assert(ring_pair_init(&ring, 0));
	ck_assert_uint_eq(knit_ring_peek(&ring.consumer, 8), 0);
	ck_assert_uint_eq(knit_ring_reserve(&ring.producer, 8), 8);
	ck_assert_uint_eq(knit_ring_reserve(&ring.producer, 8), 8);
	ck_assert_uint_eq(shm->producer, 0);
	fill_and_submit(8);
	ck_assert_uint_eq(shm->producer, 8);
	ck_assert_uint_eq(knit_ring_peek(&ring.consumer, 5), 5);
	ck_assert_uint_eq(knit_ring_peek(&ring.consumer, 100), 8);
	ck_assert_uint_eq(shm->consumer, 0);
	check_and_release(3);
	ck_assert_uint_eq(shm->consumer, 3);
	ck_assert_uint_eq(knit_ring_peek(&ring.consumer, 100), 5);
}
END_TEST

START_TEST(full_and_empty)
{
	ck_assert(ring_pair_init(&ring, 0));
	ck_assert_uint_eq(knit_ring_reserve(&ring.producer, RING_SIZE + 1), RING_SIZE);
	fill_and_submit(RING_SIZE);
	ck_assert_uint_eq(knit_ring_reserve(&ring.producer, 1), 0);
	ck_assert_uint_eq(knit_ring_peek(&ring.consumer, ~0U), RING_SIZE);
	check_and_release(1);
	ck_assert_uint_eq(knit_ring_reserve(&ring.producer, 2), 1);
	check_and_release(RING_SIZE - 1);
	ck_assert_uint_eq(knit_ring_peek(&ring.consumer, 1), 0);
	ck_assert_uint_eq(knit_ring_reserve(&ring.producer, ~0U), RING_SIZE);
	ck_assert_uint_eq(ring.producer.bad_index + ring.consumer.bad_index, 0);
}
END_TEST

/* Zero entries asked for, submitted or released is nothing at all. */
START_TEST(zero_is_nothing)
{
	ck_assert(ring_pair_init(&ring, 7));
	ck_assert_uint_eq(knit_ring_reserve(&ring.producer, 0), 0);
	ck_assert_uint_eq(knit_ring_peek(&ring.consumer, 0), 0);
	knit_ring_submit(&ring.producer, 0);
	knit_ring_release(&ring.consumer, 0);
	ck_assert_uint_eq(ring_pair_shm(&ring)->producer, 7);
	ck_assert_uint_eq(ring_pair_shm(&ring)->consumer, 7);
}
END_TEST

START_TEST(index_wraps_at_32_bits)
{
	struct knit_random random = { 4294967296 };
	__u32 want;
	__u32 n;

	ck_assert(ring_pair_init(&ring, (__u32)-1000));
	while (ring.consumer.cons - (__u32)-1000 < 3000) {
		want = knit_random_next(&random) % (RING_SIZE + 2);
		n = knit_ring_reserve(&ring.producer, want);
		ck_assert_uint_le(n, want);
		fill_and_submit(n);
		n = knit_ring_peek(&ring.consumer, knit_random_next(&random) % (RING_SIZE + 2));
		ck_assert_uint_le(n, ring.producer.prod - ring.consumer.cons);
		check_and_release(n);
	}
	ck_assert_uint_lt(ring.consumer.cons, 10000);
	ck_assert_uint_eq(ring.producer.bad_index + ring.consumer.bad_index, 0);
}
END_TEST

START_TEST(reset_empties)
{
	ck_assert(ring_pair_init(&ring, 99));
	fill_and_submit(5);
	ring_pair_shm(&ring)->need_data = 1;
	ring_pair_shm(&ring)->need_space = 1;
	knit_ring_reset(&ring.producer);
	ck_assert(!knit_ring_data_wanted(&ring.producer));
	ck_assert(!knit_ring_space_wanted(&ring.producer));
	ck_assert(knit_ring_claim_consumer(&ring.consumer));
	ck_assert_uint_eq(knit_ring_peek(&ring.consumer, 1), 0);
	ck_assert_uint_eq(knit_ring_reserve(&ring.producer, ~0U), RING_SIZE);
}
END_TEST

START_TEST(claim_starts_from_shared_indexes)
{
	struct knit_ring heir;

	ck_assert(ring_pair_init(&ring, 40));
	fill_and_submit(30);
	check_and_release(10);
	knit_ring_bind(&heir, ring.mem, RING_SIZE, sizeof(struct knit_desc));
	ck_assert(knit_ring_claim_producer(&heir));
	ck_assert_uint_eq(heir.prod, 70);
	ck_assert_uint_eq(knit_ring_reserve(&heir, ~0U), RING_SIZE - 20);
	knit_ring_bind(&heir, ring.mem, RING_SIZE, sizeof(struct knit_desc));
	ck_assert(knit_ring_claim_consumer(&heir));
	ck_assert_uint_eq(heir.cons, 50);
	ck_assert_uint_eq(knit_ring_peek(&heir, ~0U), 20);
}
END_TEST

/* producer - consumer, and whether that is a state a ring can be in */
static const struct {
	__u32 producer;
	__u32 consumer;
	bool possible;
} claims[] = {
	{ 0, 0, true },
	{ RING_SIZE, 0, true },
	{ 0, (__u32)-RING_SIZE, true },
	{ 5, (__u32)-5, true },
	{ RING_SIZE + 1, 0, false },
	{ 0, 1, false },
	{ 0, RING_SIZE, false },
	{ 0x80000000, 0, false },
	{ 0xffffffff, 0, false },
	{ 1, (__u32)-RING_SIZE, false },
};

START_TEST(claim_refuses_contradictions)
{
	struct knit_ring r;
	struct knit_ring before;
	unsigned int i;

	for (i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		knit_ring_bind(&r, ring.mem, RING_SIZE, sizeof(struct knit_desc));
		ring_pair_shm(&ring)->producer = claims[i].producer;
		ring_pair_shm(&ring)->consumer = claims[i].consumer;
		before = r;
		ck_assert_msg(knit_ring_claim_producer(&r) == claims[i].possible, "row %u", i);
		if (!claims[i].possible)
			ck_assert_mem_eq(&r, &before, sizeof(r));
		r = before;
		ck_assert_msg(knit_ring_claim_consumer(&r) == claims[i].possible, "row %u", i);
		if (!claims[i].possible)
			ck_assert_mem_eq(&r, &before, sizeof(r));
	}
}
END_TEST

START_TEST(arming)
{
	struct knit_ring_shm *shm = ring_pair_shm(&ring);

	ck_assert(ring_pair_init(&ring, 0));
	ck_assert(knit_ring_arm_data(&ring.consumer));
	ck_assert(knit_ring_data_wanted(&ring.producer));
	knit_ring_disarm_data(&ring.consumer);
	ck_assert(!knit_ring_data_wanted(&ring.producer));
	fill_and_submit(RING_SIZE - 2);
	ck_assert(!knit_ring_arm_data(&ring.consumer));
	ck_assert_uint_eq(shm->need_data, 0);

	ck_assert(!knit_ring_arm_space(&ring.producer, 2));
	ck_assert_uint_eq(shm->need_space, 0);
	ck_assert(knit_ring_arm_space(&ring.producer, 3));
	ck_assert(knit_ring_space_wanted(&ring.consumer));
	knit_ring_disarm_space(&ring.producer);
	ck_assert(!knit_ring_space_wanted(&ring.consumer));
}
END_TEST

/* Every entry that a verb allows is inside the ring's memory. */
static void assert_inside(const struct knit_ring *r, __u32 first, __u32 n)
{
	const char *entry;
	__u32 i;

	if (n > RING_SIZE)
		ck_abort_msg("%u entries of a ring of %u", n, RING_SIZE);
	for (i = 0; i < n; i++) {
		entry = knit_ring_entry(r, first + i);
		if (entry < ring.mem + sizeof(struct knit_ring_shm) ||
		    entry + sizeof(struct knit_desc) > ring.mem + sizeof(ring.mem))
			ck_abort_msg("entry %u is outside the ring", first + i);
	}
}

/* Offers the consumer, which knows of good entries, an index that is value past its own. */
static void peek_at(__u32 base, __u32 good, __u32 value)
{
	bool possible = value >= good && value <= RING_SIZE;
	__u32 n;

	ring_pair_shm(&ring)->producer = base + good;
	ring_pair_shm(&ring)->consumer = base;
	ring.consumer.bad_index = 0;
	if (!knit_ring_claim_consumer(&ring.consumer))
		ck_abort_msg("a sane ring was refused");
	ring_pair_shm(&ring)->producer = base + value;
	n = knit_ring_peek(&ring.consumer, RING_SIZE);
	assert_inside(&ring.consumer, base, n);
	if (n != (possible ? value : good) || ring.consumer.bad_index != !possible)
		ck_abort_msg("%u then %u: peek %u, bad_index %u", good, value, n,
			     ring.consumer.bad_index);
	ring_pair_shm(&ring)->producer = base + RING_SIZE;
	if (knit_ring_peek(&ring.consumer, RING_SIZE) != RING_SIZE)
		ck_abort_msg("no recovery after %u", value);
}

START_TEST(corrupt_producer_index)
{
	struct knit_random random = { 1 };
	__u32 value;
	int i;

	knit_ring_bind(&ring.consumer, ring.mem, RING_SIZE, sizeof(struct knit_desc));
	for (i = 0; i < 1000000; i++) {
		value = knit_random_next(&random) >> (32 + knit_random_next(&random) % 32);
		peek_at(knit_random_next(&random), knit_random_next(&random) % RING_SIZE, value);
	}
}
END_TEST

START_TEST(corrupt_consumer_index)
{
	__u32 values[] = {
		1, RING_SIZE, 0x7fffffff, 0x80000000, 0xffffff00, (__u32)-RING_SIZE - 1
	};
	unsigned int i;

	ck_assert(ring_pair_init(&ring, 0));
	fill_and_submit(RING_SIZE - 4);
	/* prod is 60: 61 and up, and everything below -4, are impossible */
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		ring_pair_shm(&ring)->consumer = ring.producer.prod + values[i];
		ck_assert_uint_eq(knit_ring_reserve(&ring.producer, RING_SIZE), 4);
		ck_assert_uint_eq(ring.producer.bad_index, i + 1);
		assert_inside(&ring.producer, ring.producer.prod, 4);
	}
	ring_pair_shm(&ring)->consumer = 0;
	ck_assert_uint_eq(knit_ring_reserve(&ring.producer, RING_SIZE), 4);
	ring_pair_shm(&ring)->consumer = 10;
	ck_assert_uint_eq(knit_ring_reserve(&ring.producer, RING_SIZE), 14);
	ck_assert_uint_eq(ring.producer.bad_index, i);
}
END_TEST

struct vandal {
	pthread_t thread;
	__u32 *word;
	bool stop;
};

static void *vandal_main(void *arg)
{
	struct knit_random random = { 666 };
	struct vandal *v = arg;

	while (!__atomic_load_n(&v->stop, __ATOMIC_RELAXED))
		knit_store(v->word,
			   (__u32)(knit_random_next(&random) >> (knit_random_next(&random) % 64)));
	return NULL;
}

static void vandal_start(struct vandal *v, __u32 *word)
{
	v->word = word;
	v->stop = false;
	ck_assert_int_eq(pthread_create(&v->thread, NULL, vandal_main, v), 0);
}

static void vandal_stop(struct vandal *v)
{
	__atomic_store_n(&v->stop, true, __ATOMIC_RELAXED);
	pthread_join(v->thread, NULL);
}

START_TEST(producer_index_vandalised)
{
	struct vandal vandal;
	__u32 got = 0;
	__u32 n;
	int i;

	ck_assert(ring_pair_init(&ring, 0));
	vandal_start(&vandal, &ring_pair_shm(&ring)->producer);
	for (i = 0; i < 2000000 || ring.consumer.bad_index == 0; i++) {
		n = knit_ring_peek(&ring.consumer, RING_SIZE);
		assert_inside(&ring.consumer, ring.consumer.cons, n);
		got += n;
		knit_ring_release(&ring.consumer, n);
	}
	vandal_stop(&vandal);
	ck_assert_uint_eq(ring.consumer.cons, got);
	ring_pair_shm(&ring)->producer = got + 3;
	ck_assert_uint_eq(knit_ring_peek(&ring.consumer, RING_SIZE), 3);
}
END_TEST

START_TEST(consumer_index_vandalised)
{
	struct vandal vandal;
	__u32 sent = 0;
	__u32 n;
	int i;

	ck_assert(ring_pair_init(&ring, 0));
	vandal_start(&vandal, &ring_pair_shm(&ring)->consumer);
	for (i = 0; i < 2000000 || ring.producer.bad_index == 0; i++) {
		n = knit_ring_reserve(&ring.producer, RING_SIZE);
		assert_inside(&ring.producer, ring.producer.prod, n);
		sent += n;
		knit_ring_submit(&ring.producer, n);
	}
	vandal_stop(&vandal);
	ck_assert_uint_eq(ring_pair_shm(&ring)->producer, sent);
	ring_pair_shm(&ring)->consumer = sent;
	ck_assert_uint_eq(knit_ring_reserve(&ring.producer, RING_SIZE), RING_SIZE);
}
END_TEST

KNIT_SUITE(ring)
{
	knit_add_test(s, "bind touches nothing shared", bind_touches_nothing_shared, 0);
	knit_add_test(s, "reserve and peek commit nothing", reserve_and_peek_commit_nothing, 0);
	knit_add_test(s, "full and empty", full_and_empty, 0);
	knit_add_test(s, "zero is nothing", zero_is_nothing, 0);
	knit_add_test(s, "index wraps at 32 bits", index_wraps_at_32_bits, 0);
	knit_add_test(s, "reset empties", reset_empties, 0);
	knit_add_test(s, "claim starts from shared indexes", claim_starts_from_shared_indexes, 0);
	knit_add_test(s, "claim refuses contradictions", claim_refuses_contradictions, 0);
	knit_add_test(s, "arming", arming, 0);
	knit_add_test(s, "corrupt producer index", corrupt_producer_index, 20);
	knit_add_test(s, "corrupt consumer index", corrupt_consumer_index, 0);
	knit_add_test(s, "producer index vandalised", producer_index_vandalised, 60);
	knit_add_test(s, "consumer index vandalised", consumer_index_vandalised, 60);
}
