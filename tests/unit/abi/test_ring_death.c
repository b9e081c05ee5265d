// SPDX-License-Identifier: BSD-3-Clause
#include "ring_util.h"
#include "unit.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Each end of a ring dies at each step of its work, in a process of its own, and a successor claims
 * the end. The n-th entry of the stream is told by its value, so a hole and a stale or repeated
 * entry show.
 */
#define BATCH 24
#define FIRST (0U - 1000) /* so that the index wraps in the course of a test */
#define DEADLINE_NS 30000000000ULL

struct world {
	struct ring_pair ring;
	__u32 read_up_to; /* index after the last entry that a consumer has read */
	bool consumer_saw_wrong;
};

static struct world *world;

enum step {
	BEFORE,
	TAKEN,	/* reserved, peeked */
	HALF,	/* filled, read */
	DONE,	/* filled, read */
	INSIDE, /* the private index moved on, the shared one not yet */
	AFTER,	/* submitted, released */
	STEPS,
};

static void setup(void)
{
	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	ck_assert_ptr_ne(world, MAP_FAILED);
	ck_assert(ring_pair_init(&world->ring, FIRST));
	world->read_up_to = FIRST;
}

static void teardown(void)
{
	munmap(world, sizeof(*world));
}

static void die(bool killed)
{
	if (killed)
		raise(SIGKILL);
	_exit(0);
}

static void fill(struct knit_ring *r, __u32 from, __u32 to)
{
	for (; from < to; from++)
		ring_pair_fill(r, r->prod + from, ring_pair_value(r->prod + from));
}

/* Reads entries as a consumer does that notes how far it came. */
static void take(struct knit_ring *r, __u32 from, __u32 to)
{
	for (; from < to; from++) {
		if (!ring_pair_holds(r, r->cons + from, ring_pair_value(r->cons + from)))
			world->consumer_saw_wrong = true;
		__atomic_store_n(&world->read_up_to, r->cons + from + 1, __ATOMIC_RELAXED);
	}
}

static void produce_and_die(enum step step, bool killed)
{
	struct knit_ring *r = &world->ring.producer;
	__u32 n;

	if (step == BEFORE)
		die(killed);
	n = knit_ring_reserve(r, BATCH);
	if (step == TAKEN)
		die(killed);
	fill(r, 0, n / 2);
	if (step == HALF)
		die(killed);
	fill(r, n / 2, n);
	if (step == DONE)
		die(killed);
	if (step == INSIDE) {
		r->prod += n;
		die(killed);
	}
	knit_ring_submit(r, n);
	die(killed);
}

static void consume_and_die(enum step step, bool killed)
{
	struct knit_ring *r = &world->ring.consumer;
	__u32 n;

	if (step == BEFORE)
		die(killed);
	n = knit_ring_peek(r, BATCH);
	if (step == TAKEN)
		die(killed);
	take(r, 0, n / 2);
	if (step == HALF)
		die(killed);
	take(r, n / 2, n);
	if (step == DONE)
		die(killed);
	if (step == INSIDE) {
		r->cons += n;
		die(killed);
	}
	knit_ring_release(r, n);
	die(killed);
}

static void in_child(void (*work)(enum step, bool), enum step step, bool killed)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		work(step, killed);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (killed)
		ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	else
		ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Consumes all there is; the stream must go on at *next. Returns how many there were. */
static __u32 drain(__u32 *next)
{
	struct knit_ring *r = &world->ring.consumer;
	__u32 n = knit_ring_peek(r, RING_SIZE);
	__u32 i;

	ck_assert_uint_eq(r->cons, *next);
	for (i = 0; i < n; i++)
		ck_assert_msg(ring_pair_holds(r, *next + i, ring_pair_value(*next + i)),
			      "entry %u of the stream is wrong", *next + i - FIRST);
	knit_ring_release(r, n);
	*next += n;
	return n;
}

START_TEST(producer_dies_at_each_step)
{
	__u32 next = FIRST;
	enum step step;
	int round;

	for (round = 0; round < 20; round++) {
		for (step = BEFORE; step < STEPS; step++) {
			in_child(produce_and_die, step, round & 1);
			ck_assert(knit_ring_claim_producer(&world->ring.producer));
			/* all or nothing of what the dead one did ... */
			ck_assert_uint_eq(drain(&next), step == AFTER ? BATCH : 0);
			/* ... and the successor goes on from there */
			ck_assert_uint_eq(knit_ring_reserve(&world->ring.producer, 7), 7);
			fill(&world->ring.producer, 0, 7);
			knit_ring_submit(&world->ring.producer, 7);
			ck_assert_uint_eq(drain(&next), 7);
		}
	}
	ck_assert_uint_eq(next, FIRST + 20 * (STEPS * 7 + BATCH));
	ck_assert_uint_eq(world->ring.consumer.bad_index, 0);
}
END_TEST

START_TEST(consumer_dies_at_each_step)
{
	struct knit_ring *r = &world->ring.consumer;
	__u32 next = FIRST;
	enum step step;
	int round;
	__u32 n;

	for (round = 0; round < 20; round++) {
		for (step = BEFORE; step < STEPS; step++) {
			n = knit_ring_reserve(&world->ring.producer, RING_SIZE);
			fill(&world->ring.producer, 0, n);
			knit_ring_submit(&world->ring.producer, n);
			in_child(consume_and_die, step, round & 1);
			ck_assert(!world->consumer_saw_wrong);
			if (step == AFTER)
				next += BATCH;
			ck_assert(knit_ring_claim_consumer(r));
			/* what was not released comes again, what was released never */
			ck_assert_uint_eq(r->cons, next);
			drain(&next);
		}
	}
	ck_assert_uint_gt(next - FIRST, 20 * RING_SIZE);
	ck_assert_uint_eq(world->ring.producer.bad_index, 0);
}
END_TEST

static void produce_forever(enum step step, bool killed)
{
	struct knit_ring *r = &world->ring.producer;
	struct knit_random random = { getpid() };
	__u32 n;

	if (!knit_ring_claim_producer(r))
		_exit(1);
	for (;;) {
		n = knit_ring_reserve(r, knit_random_next(&random) % BATCH + 1);
		fill(r, 0, n);
		knit_ring_submit(r, n);
		if (n == 0)
			sched_yield();
	}
}

static void consume_forever(enum step step, bool killed)
{
	struct knit_ring *r = &world->ring.consumer;
	struct knit_random random = { getpid() };
	__u32 n;

	if (!knit_ring_claim_consumer(r))
		_exit(1);
	for (;;) {
		n = knit_ring_peek(r, knit_random_next(&random) % BATCH + 1);
		take(r, 0, n);
		knit_ring_release(r, n);
		if (n == 0)
			sched_yield();
	}
}

static pid_t start(void (*work)(enum step, bool))
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		work(BEFORE, false);
	return pid;
}

static void kill_and_reap(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

START_TEST(producer_killed_at_random)
{
	uint64_t deadline;
	struct knit_random random = { 3 };
	__u32 next = FIRST;
	__u32 target;
	pid_t pid;
	int kills;

	for (kills = 0; kills < 100; kills++) {
		target = next + knit_random_next(&random) % 5000;
		pid = start(produce_forever);
		deadline = knit_now_ns() + DEADLINE_NS;
		do {
			if (drain(&next) == 0)
				sched_yield();
			ck_assert_msg(knit_now_ns() < deadline, "no progress after %d kills",
				      kills);
		} while ((int)(next - target) < 0);
		kill_and_reap(pid);
	}
	ck_assert_uint_eq(world->ring.consumer.bad_index, 0);
}
END_TEST

/* The parent produces; what a killed consumer read and did not release is at most one batch. */
START_TEST(consumer_killed_at_random)
{
	uint64_t deadline;
	struct knit_ring *r = &world->ring.producer;
	struct knit_random random = { 4 };
	__u32 released;
	__u32 target;
	pid_t pid;
	int kills;
	__u32 n;

	for (kills = 0; kills < 100; kills++) {
		target = r->prod + RING_SIZE + knit_random_next(&random) % 5000;
		pid = start(consume_forever);
		deadline = knit_now_ns() + DEADLINE_NS;
		do {
			n = knit_ring_reserve(r, BATCH);
			fill(r, 0, n);
			knit_ring_submit(r, n);
			if (n == 0)
				sched_yield();
			ck_assert_msg(knit_now_ns() < deadline, "no progress after %d kills",
				      kills);
		} while ((int)(r->prod - target) < 0);
		kill_and_reap(pid);
		released = knit_load(&ring_pair_shm(&world->ring)->consumer);
		ck_assert_uint_le(world->read_up_to - released, BATCH);
		ck_assert(!world->consumer_saw_wrong);
	}
	ck_assert_uint_eq(r->bad_index, 0);
}
END_TEST

static void add(Suite *s, const char *name, const TTest *test, double timeout)
{
	knit_add_fixture_test(s, name, test, timeout, setup, teardown);
}

KNIT_SUITE(ring_death)
{
	add(s, "producer dies at each step", producer_dies_at_each_step, 60);
	add(s, "consumer dies at each step", consumer_dies_at_each_step, 60);
	add(s, "producer killed at random", producer_killed_at_random, 300);
	add(s, "consumer killed at random", consumer_killed_at_random, 300);
}
