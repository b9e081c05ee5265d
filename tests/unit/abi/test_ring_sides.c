// SPDX-License-Identifier: BSD-3-Clause
#include "ring_util.h"
#include "unit.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

/*
 * Two threads, a real producer and a real consumer, and ten million entries. The sanitizers make
 * each entry some twenty times dearer.
 */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define ENTRIES 1000000U
#define LOCKSTEPS 100000U
#else
#define LOCKSTEPS 200000U
#define ENTRIES 10000000U
#endif
#define FIRST (0U - ENTRIES / 2) /* so that the index wraps half way */
#define WAKE_DEADLINE_MS 10000

struct sides {
	struct ring_pair ring;
	int data_doorbell;
	int space_doorbell;
	bool sleeps;
	unsigned int naps;  /* producer: wo */
	unsigned int waits; /* consumer: wo */
	const char *failure;
};

static struct sides sides;

static void ring_doorbell(int doorbell)
{
	uint64_t one = 1;

	if (write(doorbell, &one, sizeof(one)) != sizeof(one))
		__atomic_store_n(&sides.failure, "cannot ring a doorbell", __ATOMIC_RELAXED);
}

/* False if nobody rang in time: the wake-up was lost. */
static bool wait_doorbell(int doorbell)
{
	struct pollfd fd = { .fd = doorbell, .events = POLLIN };
	uint64_t rings;

	if (poll(&fd, 1, WAKE_DEADLINE_MS) != 1)
		return false;
	return read(doorbell, &rings, sizeof(rings)) == sizeof(rings);
}

static bool wait_for_space(struct knit_ring *r)
{
	if (!sides.sleeps) {
		sched_yield();
		return true;
	}
	if (!knit_ring_arm_space(r, 1))
		return true;
	sides.naps++;
	if (!wait_doorbell(sides.space_doorbell))
		return false;
	knit_ring_disarm_space(r);
	return true;
}

static bool wait_for_data(struct knit_ring *r)
{
	if (!sides.sleeps) {
		sched_yield();
		return true;
	}
	if (!knit_ring_arm_data(r))
		return true;
	sides.waits++;
	if (!wait_doorbell(sides.data_doorbell))
		return false;
	knit_ring_disarm_data(r);
	return true;
}

static void *producer_main(void *arg)
{
	struct knit_ring *r = &sides.ring.producer;
	struct knit_random random = { 11 };
	__u32 sent = 0;
	__u32 n;
	__u32 i;

	while (sent < ENTRIES) {
		n = knit_random_next(&random) % RING_SIZE + 1;
		n = knit_ring_reserve(r, n < ENTRIES - sent ? n : ENTRIES - sent);
		if (n == 0) {
			if (!wait_for_space(r))
				return "lost the wake-up for space";
			continue;
		}
		for (i = 0; i < n; i++)
			ring_pair_fill(r, r->prod + i, ring_pair_value(r->prod + i));
		knit_ring_submit(r, n);
		sent += n;
		if (knit_ring_data_wanted(r))
			ring_doorbell(sides.data_doorbell);
	}
	return NULL;
}

static const char *consume(uint64_t *sum)
{
	struct knit_ring *r = &sides.ring.consumer;
	struct knit_random random = { 12 };
	__u32 got = 0;
	__u32 n;
	__u32 i;

	while (got < ENTRIES) {
		n = knit_ring_peek(r, knit_random_next(&random) % RING_SIZE + 1);
		if (n == 0 && !wait_for_data(r))
			return "lost the wake-up for data";
		for (i = 0; i < n; i++) {
			if (!ring_pair_holds(r, r->cons + i, ring_pair_value(r->cons + i)))
				return "an entry is wrong";
			*sum += ((const struct knit_desc *)knit_ring_entry(r, r->cons + i))->addr;
		}
		knit_ring_release(r, n);
		got += n;
		if (n && knit_ring_space_wanted(r))
			ring_doorbell(sides.space_doorbell);
	}
	return NULL;
}

static void run_sides(bool sleeps)
{
	const char *consumer_failure;
	void *producer_failure;
	uint64_t expected = 0;
	pthread_t producer;
	uint64_t sum = 0;
	uint32_t i;

	ck_assert(ring_pair_init(&sides.ring, FIRST));
	sides.sleeps = sleeps;
	sides.data_doorbell = eventfd(0, 0);
	sides.space_doorbell = eventfd(0, 0);
	ck_assert_int_ge(sides.data_doorbell, 0);
	ck_assert_int_ge(sides.space_doorbell, 0);
	ck_assert_int_eq(pthread_create(&producer, NULL, producer_main, NULL), 0);
	consumer_failure = consume(&sum);
	ck_assert_msg(!consumer_failure, "consumer: %s", consumer_failure);
	ck_assert_int_eq(pthread_join(producer, &producer_failure), 0);
	ck_assert_msg(!producer_failure, "producer: %s", (const char *)producer_failure);
	ck_assert_ptr_null(sides.failure);
	for (i = 0; i < ENTRIES; i++)
		expected += ring_pair_value(FIRST + i);
	ck_assert_uint_eq(sum, expected);
	ck_assert_uint_eq(sides.ring.producer.bad_index + sides.ring.consumer.bad_index, 0);
	ck_assert_uint_eq(knit_ring_peek(&sides.ring.consumer, 1), 0);
}

START_TEST(polling)
{
	run_sides(false);
}
END_TEST

START_TEST(sleeping)
{
	run_sides(true);
	/* else it proved nothing about waking */
	ck_assert_uint_gt(sides.naps + sides.waits, 1000);
}
END_TEST

/*
 * One entry at a time: the producer goes on when the ring is empty again. There is no next submit
 * that would make up for a lost wake-up, so one is enough to stop both. Each side looks for a
 * random while before it arms, so that it now and then meets the other side's store.
 */
static void look_around(struct knit_random *random)
{
	unsigned int turns = knit_random_next(random) % 1024;

	for (; turns; turns--)
		__asm__("" ::: "memory");
}

static bool wait_until_empty(struct knit_ring *r, struct knit_random *random)
{
	while (knit_ring_reserve(r, RING_SIZE) < RING_SIZE) {
		look_around(random);
		if (!knit_ring_arm_space(r, RING_SIZE))
			continue;
		if (!wait_doorbell(sides.space_doorbell))
			return false;
		knit_ring_disarm_space(r);
	}
	return true;
}

static void *lockstep_producer(void *arg)
{
	struct knit_ring *r = &sides.ring.producer;
	struct knit_random random = { 13 };
	__u32 sent;

	for (sent = 0; sent < LOCKSTEPS; sent++) {
		look_around(&random);
		ring_pair_fill(r, r->prod, ring_pair_value(r->prod));
		knit_ring_submit(r, 1);
		if (knit_ring_data_wanted(r))
			ring_doorbell(sides.data_doorbell);
		if (!wait_until_empty(r, &random))
			return "lost the wake-up for space";
	}
	return NULL;
}

static const char *lockstep_consume(void)
{
	struct knit_ring *r = &sides.ring.consumer;
	struct knit_random random = { 14 };
	__u32 got;

	for (got = 0; got < LOCKSTEPS; got++) {
		while (knit_ring_peek(r, 1) == 0) {
			look_around(&random);
			if (!knit_ring_arm_data(r))
				continue;
			if (!wait_doorbell(sides.data_doorbell))
				return "lost the wake-up for data";
			knit_ring_disarm_data(r);
		}
		if (!ring_pair_holds(r, r->cons, ring_pair_value(r->cons)))
			return "an entry is wrong";
		look_around(&random);
		knit_ring_release(r, 1);
		if (knit_ring_space_wanted(r))
			ring_doorbell(sides.space_doorbell);
	}
	return NULL;
}

START_TEST(lockstep)
{
	const char *consumer_failure;
	void *producer_failure;
	pthread_t producer;

	ck_assert(ring_pair_init(&sides.ring, FIRST));
	sides.data_doorbell = eventfd(0, 0);
	sides.space_doorbell = eventfd(0, 0);
	ck_assert_int_eq(pthread_create(&producer, NULL, lockstep_producer, NULL), 0);
	consumer_failure = lockstep_consume();
	ck_assert_msg(!consumer_failure, "consumer: %s", consumer_failure);
	ck_assert_int_eq(pthread_join(producer, &producer_failure), 0);
	ck_assert_msg(!producer_failure, "producer: %s", (const char *)producer_failure);
	ck_assert_ptr_null(sides.failure);
}
END_TEST

KNIT_SUITE(ring_sides)
{
	knit_add_test(s, "polling", polling, 240);
	knit_add_test(s, "sleeping", sleeping, 240);
	knit_add_test(s, "lockstep", lockstep, 240);
}
