// SPDX-License-Identifier: BSD-3-Clause
#include "ring_util.h"
#include "unit.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

/*
 * Barriers (E) and (F) of knit_ring.h. Two threads meet again and again at the same instant: one
 * stores an index and looks at the flag, the other raises the flag and looks at the index. That the
 * first saw no flag while the second decided to sleep is the lost wake-up. Without either barrier a
 * store buffer brings it about within some thousand rounds, without a single one being visible in
 * slower traffic.
 */
#define ROUNDS 100000U
#define TRIES 10 /* on a busy machine one side may be late in every round */

struct meeting {
	struct ring_pair ring;
	__u32 arrived[2] KNIT_ALIGNED;
	bool space;	     /* test need_space, else need_data */
	bool wanted[ROUNDS]; /* by the side that stores the index */
	bool sleeps[ROUNDS]; /* by the side that arms */
};

static struct meeting meeting;

/* Both sides leave within some nanoseconds of each other. */
static void meet(int side, __u32 round)
{
	unsigned int spins = 0;

	__atomic_store_n(&meeting.arrived[side], round, __ATOMIC_RELEASE);
	while ((int)(__atomic_load_n(&meeting.arrived[!side], __ATOMIC_ACQUIRE) - round) < 0)
		if (++spins % 4096 == 0)
			sched_yield();
}

static void arm(__u32 round)
{
	if (meeting.space)
		meeting.sleeps[round] = knit_ring_arm_space(&meeting.ring.producer, RING_SIZE);
	else
		meeting.sleeps[round] = knit_ring_arm_data(&meeting.ring.consumer);
}

/* Only when the other side has looked. */
static void disarm(void)
{
	if (meeting.space)
		knit_ring_disarm_space(&meeting.ring.producer);
	else
		knit_ring_disarm_data(&meeting.ring.consumer);
}

static void store_and_look(__u32 round)
{
	if (meeting.space) {
		knit_ring_release(&meeting.ring.consumer, 1);
		meeting.wanted[round] = knit_ring_space_wanted(&meeting.ring.consumer);
	} else {
		knit_ring_submit(&meeting.ring.producer, 1);
		meeting.wanted[round] = knit_ring_data_wanted(&meeting.ring.producer);
	}
}

/* Brings the ring to one entry short of what the armed side waits for; the storing side's work. */
static void prepare(void)
{
	struct knit_ring *producer = &meeting.ring.producer;
	struct knit_ring *consumer = &meeting.ring.consumer;

	if (meeting.space) {
		knit_ring_reserve(producer, 1);
		knit_ring_submit(producer, 1);
		knit_ring_peek(consumer, 1);
	} else {
		knit_ring_release(consumer, knit_ring_peek(consumer, RING_SIZE));
		knit_ring_reserve(producer, RING_SIZE);
	}
}

/* Left to itself the scheduler may leave both on one CPU, where they never meet. */
static void run_on(unsigned int nth)
{
	unsigned int cpu;
	cpu_set_t set;

	sched_getaffinity(0, sizeof(set), &set);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set) && nth-- == 0)
			break;
	CPU_ZERO(&set);
	if (cpu == CPU_SETSIZE)
		return;
	CPU_SET(cpu, &set);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(set), &set), 0);
}

static void *arming_side(void *arg)
{
	struct knit_random random = { 21 };
	unsigned int turns;
	__u32 round;

	run_on(1);
	for (round = 0; round < ROUNDS; round++) {
		meet(0, 2 * round + 1);
		for (turns = knit_random_next(&random) % 64; turns; turns--)
			__asm__("" ::: "memory");
		arm(round);
		meet(0, 2 * round + 2);
		disarm();
	}
	return NULL;
}

static void storing_side(void)
{
	struct knit_random random = { 22 };
	unsigned int turns;
	__u32 round;

	for (round = 0; round < ROUNDS; round++) {
		prepare();
		meet(1, 2 * round + 1);
		for (turns = knit_random_next(&random) % 64; turns; turns--)
			__asm__("" ::: "memory");
		store_and_look(round);
		meet(1, 2 * round + 2);
	}
}

/* Returns in how many of ROUNDS the arming side decided to sleep. */
static unsigned int meet_once(cpu_set_t *all)
{
	unsigned int slept = 0, lost = 0;
	pthread_t other;
	__u32 round;

	memset(meeting.arrived, 0, sizeof(meeting.arrived));
	ck_assert(ring_pair_init(&meeting.ring, 0U - ROUNDS / 2));
	sched_setaffinity(0, sizeof(*all), all);
	ck_assert_int_eq(pthread_create(&other, NULL, arming_side, NULL), 0);
	run_on(0);
	storing_side();
	pthread_join(other, NULL);
	for (round = 0; round < ROUNDS; round++) {
		slept += meeting.sleeps[round];
		lost += meeting.sleeps[round] && !meeting.wanted[round];
	}
	ck_assert_msg(lost == 0, "%u of %u wake-ups lost", lost, ROUNDS);
	return slept;
}

static void meet_often(bool space)
{
	unsigned int slept = 0, tries = 0;
	cpu_set_t all;

	sched_getaffinity(0, sizeof(all), &all);
	meeting.space = space;
	while ((slept == 0 || slept == ROUNDS) && tries++ < TRIES)
		slept = meet_once(&all);
	/* else they did not meet */
	ck_assert_uint_gt(slept, 0);
	ck_assert_uint_lt(slept, ROUNDS);
}

START_TEST(submit_meets_arm_data)
{
	meet_often(false);
}
END_TEST

START_TEST(release_meets_arm_space)
{
	meet_often(true);
}
END_TEST

KNIT_SUITE(ring_flags)
{
	knit_add_test(s, "submit meets arm_data", submit_meets_arm_data, 240);
	knit_add_test(s, "release meets arm_space", release_meets_arm_space, 240);
}
