// SPDX-License-Identifier: BSD-3-Clause
#include "unit.h"

#include "kni/datapath/datapath.h"
#include "kni/kick.h"

#include <stdlib.h>
#include <sys/eventfd.h>

/* Bursts do the engine's work where this process may, else they ring. */
#define IFACE 3
#define GENERATION 77

static struct {
	unsigned int calls;
	uint16_t pair;
	void *arg;
	bool wanted_space, done;
} engine;

static bool serve(const struct rte_kni *kni, uint16_t pair, void *arg, bool wanted_space)
{
	engine.calls++;
	engine.pair = pair;
	engine.arg = arg;
	engine.wanted_space = wanted_space;
	return engine.done;
}

static const struct knit_kick kick = { .to_kernel = serve, .arg = &engine, .fd = -1 };

static struct rte_kni *kni;

static uint64_t rings(void)
{
	eventfd_t n;

	return eventfd_read(knit_doorbell_open(kni->pair[1].engine_doorbell), &n) < 0 ? 0 : n;
}

static void setup(void)
{
	int64_t doorbell;

	memset(&engine, 0, sizeof(engine));
	engine.done = true;
	ck_assert_int_eq(knit_doorbell_init(), 0);
	doorbell = knit_doorbell_new();
	ck_assert_int_ge(doorbell, 0);
	kni = calloc(1, sizeof(*kni));
	kni->index = IFACE;
	kni->generation = GENERATION;
	kni->pair[0].engine_doorbell = doorbell;
	kni->pair[1].engine_doorbell = doorbell;
}

static void teardown(void)
{
	knit_kick_clear(IFACE, 1);
	knit_doorbell_free(kni->pair[1].engine_doorbell);
	free(kni);
}

START_TEST(kicks)
{
	knit_kick_set(kni, 1, &kick);
	knit_wake(kni, 1, false);
	ck_assert_uint_eq(engine.calls, 1);
	ck_assert_uint_eq(engine.pair, 1);
	ck_assert_ptr_eq(engine.arg, &engine);
	ck_assert(!engine.wanted_space);
	knit_wake(kni, 1, true);
	ck_assert(engine.wanted_space);
	ck_assert_uint_eq(rings(), 0);
}
END_TEST

START_TEST(rings_instead)
{
	knit_wake(kni, 1, false); /* nothing was set */
	ck_assert_uint_eq(rings(), 1);
	knit_kick_set(kni, 1, &kick);
	knit_wake(kni, 0, false); /* another pair */
	ck_assert_uint_eq(rings(), 1);
	kni->generation = GENERATION + 1; /* a later interface in the same place */
	knit_wake(kni, 1, false);
	ck_assert_uint_eq(rings(), 1);
	kni->generation = GENERATION;
	knit_kick_clear(IFACE, 1);
	knit_wake(kni, 1, false);
	ck_assert_uint_eq(rings(), 1);
	ck_assert_uint_eq(engine.calls, 0);
}
END_TEST

/* The pair was taken away: what it is rung for is for its next owner. */
START_TEST(refused)
{
	knit_kick_set(kni, 1, &kick);
	engine.done = false;
	knit_wake(kni, 1, false);
	ck_assert_uint_eq(engine.calls, 1);
	ck_assert_uint_eq(rings(), 1);
}
END_TEST

KNIT_SUITE_EAL(kick, knit_eal_small_pages)
{
	TCase *c = tcase_create("kick");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, kicks);
	tcase_add_test(c, rings_instead);
	tcase_add_test(c, refused);
	suite_add_tcase(s, c);
}
