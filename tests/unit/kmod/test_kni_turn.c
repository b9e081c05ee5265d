// SPDX-License-Identifier: BSD-3-Clause
#include "unit.h"

#include "kni_turn.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * A producer, the packet thread, the core, and one that kicks once for each submit, whenever it
 * likes, meet on one ring, and each of them pauses where it pleases. The next submit waits until
 * all is taken: a wake-up that is lost is never made up for. KNIT_TURNS: how many entries instead.
 */
#define SIZE 128
#define VISIT 16 /* entries that one visit takes */
#define PATIENCE_S 20
#define ENTRIES 60000

static struct {
	_Alignas(64) char shm[sizeof(struct knit_ring_shm) + SIZE * sizeof(uint32_t)];
	struct knit_ring in; /* producer's */
	struct knit_ring rx_q;
	struct kni_turn turn;
	uint32_t next; /* who took the turn: the entry that is expected */
	bool wrong, stop;
	uint32_t submits;
	sem_t rung, scheduled;
} w;

static void setup(void)
{
	memset(&w, 0, sizeof(w));
	knit_ring_bind(&w.in, w.shm, SIZE, sizeof(uint32_t));
	knit_ring_bind(&w.rx_q, w.shm, SIZE, sizeof(uint32_t));
	kni_turn_note(&w.turn, &w.rx_q, 1);
	ck_assert_int_eq(sem_init(&w.rung, 0, 0), 0);
	ck_assert_int_eq(sem_init(&w.scheduled, 0, 0), 0);
}

static uint32_t roll(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* Anywhere between two steps. */
static void linger(uint32_t *seed)
{
	uint32_t n = roll(seed) % 256;

	if (n == 0)
		sched_yield();
	for (n &= n >> 4; n; n--)
		__asm__ volatile("" ::: "memory");
}

static bool stopped(void)
{
	return __atomic_load_n(&w.stop, __ATOMIC_ACQUIRE);
}

/* As kni_rx: a visit. False: something was left. The turn is taken. */
static bool visit(uint32_t *seed, uint32_t *took)
{
	uint32_t i, n = knit_ring_peek(&w.rx_q, VISIT);

	for (i = 0; i < n; i++)
		if (*(uint32_t *)knit_ring_entry(&w.rx_q, w.rx_q.cons + i) != w.next++)
			w.wrong = true;
	linger(seed);
	knit_ring_release(&w.rx_q, n);
	*took = n;
	return w.rx_q.prod == w.rx_q.cons;
}

/* As kni_thread_rung. */
static void ring(void)
{
	knit_ring_disarm_data(&w.rx_q);
	sem_post(&w.rung);
}

/* As kni_kick. */
static void kick(uint32_t *seed)
{
	bool all, arm;
	uint32_t n;

	if (!kni_turn_take(&w.turn, &w.rx_q))
		return;
	all = visit(seed, &n);
	arm = kni_turn_give(&w.turn, &w.rx_q, n);
	linger(seed);
	if (!all || (arm && !kni_turn_arm(&w.turn, &w.rx_q)))
		ring();
}

static void wait_for(sem_t *sem)
{
	while (sem_wait(sem) < 0 && errno == EINTR)
		continue;
}

/* As kni_thread.c; it dozes now and then, with the flag as it is. */
static void *packet_thread(void *arg)
{
	uint32_t seed = 1, n;
	bool arm;

	while (!stopped()) {
		n = 0;
		arm = false;
		if (kni_turn_take(&w.turn, &w.rx_q)) {
			visit(&seed, &n);
			arm = kni_turn_give(&w.turn, &w.rx_q, n);
		}
		linger(&seed);
		if (n || roll(&seed) % 8 == 0)
			continue;
		if (!arm || kni_turn_arm(&w.turn, &w.rx_q)) {
			wait_for(&w.rung);
			linger(&seed);
		}
		knit_ring_disarm_data(&w.rx_q);
		knit_mb(); /* as kni_thread.c's rung: before it looks whether somebody has it */
	}
	return NULL;
}

void __napi_schedule(struct napi_struct *n)
{
	ck_assert_ptr_eq(n, &w.turn.napi);
	sem_post(&w.scheduled);
}

/* As kni_napi_poll. */
static void *core(void *arg)
{
	uint32_t seed = 4, n;
	bool all;

	for (;;) {
		wait_for(&w.scheduled);
		if (stopped())
			return NULL;
		do {
			kni_turn_begin(&w.rx_q);
			all = visit(&seed, &n);
			linger(&seed);
		} while (!all);
		if (kni_turn_give(&w.turn, &w.rx_q, n) && !kni_turn_arm(&w.turn, &w.rx_q))
			napi_schedule(&w.turn.napi);
	}
}

static void *kicker(void *arg)
{
	uint32_t seed = 2, seen = 0, now;

	while (!stopped()) {
		now = __atomic_load_n(&w.submits, __ATOMIC_ACQUIRE);
		if (now == seen) {
			sched_yield();
			continue;
		}
		seen = now;
		linger(&seed);
		kick(&seed);
	}
	return NULL;
}

static bool all_taken(void)
{
	struct timespec now;
	uint32_t spins = 0;
	time_t end;

	clock_gettime(CLOCK_MONOTONIC, &now);
	end = now.tv_sec + PATIENCE_S;
	/* the next one is to come just when the others go to sleep */
	while (knit_load_acquire(&w.rx_q.shm->consumer) != w.in.prod) {
		if (++spins < 2000)
			continue;
		sched_yield();
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec > end)
			return false;
	}
	return true;
}

/* As the doorbell of a pair that the core serves. */
static void schedule(void)
{
	knit_ring_disarm_data(&w.rx_q);
	napi_schedule(&w.turn.napi);
}

/* Kicks, or rings, where it is asked to, or has the core poll. */
static bool send_all(uint32_t entries, bool kicks)
{
	uint32_t sent, n, i, seed = 3;

	for (sent = 0; sent < entries; sent += n) {
		n = roll(&seed) % 8 ? 1 : 1 + roll(&seed) % (3 * VISIT);
		if (knit_ring_reserve(&w.in, n) < n)
			return false; /* all were taken */
		for (i = 0; i < n; i++)
			*(uint32_t *)knit_ring_entry(&w.in, w.in.prod + i) = sent + i;
		__atomic_add_fetch(&w.submits, 1, __ATOMIC_RELEASE);
		linger(&seed);
		knit_ring_submit(&w.in, n);
		if (knit_ring_data_wanted(&w.in)) {
			linger(&seed);
			if (kicks && roll(&seed) % 16)
				kick(&seed);
			else if (roll(&seed) % 2)
				ring();
			else
				schedule();
		}
		if (!all_taken())
			return false;
		linger(&seed);
	}
	return true;
}

static void play(bool kicks, bool others)
{
	const char *text = getenv("KNIT_TURNS");
	pthread_t thread, other, napi;
	bool good;

	ck_assert_int_eq(pthread_create(&thread, NULL, packet_thread, NULL), 0);
	ck_assert_int_eq(pthread_create(&napi, NULL, core, NULL), 0);
	if (others)
		ck_assert_int_eq(pthread_create(&other, NULL, kicker, NULL), 0);
	good = send_all(text ? strtoul(text, NULL, 10) : ENTRIES, kicks);
	__atomic_store_n(&w.stop, true, __ATOMIC_RELEASE);
	sem_post(&w.rung);
	sem_post(&w.scheduled);
	pthread_join(thread, NULL);
	pthread_join(napi, NULL);
	if (others)
		pthread_join(other, NULL);
	ck_assert(good);
	ck_assert(!w.wrong);
}

START_TEST(rings)
{
	play(false, false);
}
END_TEST

START_TEST(kicks)
{
	play(true, false);
}
END_TEST

START_TEST(kicks_meet)
{
	play(true, true);
}
END_TEST

START_TEST(rings_meet_kicks)
{
	play(false, true);
}
END_TEST

START_TEST(one_at_a_time)
{
	ck_assert(kni_turn_take(&w.turn, &w.rx_q));
	ck_assert(!kni_turn_take(&w.turn, &w.rx_q));
	ck_assert(kni_turn_give(&w.turn, &w.rx_q, 0));
	ck_assert(kni_turn_take(&w.turn, &w.rx_q));
	/* whose wish came meanwhile has it served */
	napi_schedule(&w.turn.napi);
	ck_assert(!kni_turn_give(&w.turn, &w.rx_q, 0));
	ck_assert_int_eq(sem_trywait(&w.scheduled), 0);
	ck_assert(!kni_turn_take(&w.turn, &w.rx_q));
}
END_TEST

/* What an index of user space's can be. */
START_TEST(news)
{
	ck_assert(kni_turn_arm(&w.turn, &w.rx_q));
	ck_assert_uint_eq(w.rx_q.shm->need_data, 1);
	w.rx_q.shm->producer = 1;
	ck_assert(!kni_turn_arm(&w.turn, &w.rx_q));
	w.rx_q.shm->producer = SIZE;
	ck_assert(!kni_turn_arm(&w.turn, &w.rx_q));
	w.rx_q.shm->producer = SIZE + 1; /* impossible: it must not stay awake for that */
	ck_assert(kni_turn_arm(&w.turn, &w.rx_q));
	w.rx_q.shm->producer = -1u;
	ck_assert(kni_turn_arm(&w.turn, &w.rx_q));
	/* but what was good before is still to be taken */
	w.rx_q.prod = 2;
	kni_turn_note(&w.turn, &w.rx_q, 1);
	ck_assert(!kni_turn_arm(&w.turn, &w.rx_q));
	/* not if it can't be, until more comes */
	kni_turn_note(&w.turn, &w.rx_q, 0);
	w.rx_q.shm->producer = 2;
	ck_assert(kni_turn_arm(&w.turn, &w.rx_q));
	w.rx_q.shm->producer = 1;
	ck_assert(kni_turn_arm(&w.turn, &w.rx_q));
	w.rx_q.shm->producer = 3;
	ck_assert(!kni_turn_arm(&w.turn, &w.rx_q));
	/* somebody is on it, and will arm */
	ck_assert(kni_turn_take(&w.turn, &w.rx_q));
	ck_assert(kni_turn_arm(&w.turn, &w.rx_q));
}
END_TEST

KNIT_SUITE(kni_turn)
{
	TCase *c = tcase_create("turn");

	tcase_add_checked_fixture(c, setup, NULL);
	tcase_set_timeout(c, 120);
	tcase_add_test(c, one_at_a_time);
	tcase_add_test(c, news);
	tcase_add_test(c, rings);
	tcase_add_test(c, kicks);
	tcase_add_test(c, kicks_meet);
	tcase_add_test(c, rings_meet_kicks);
	suite_add_tcase(s, c);
}
