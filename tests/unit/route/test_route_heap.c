// SPDX-License-Identifier: BSD-3-Clause
#include "route/heap.h"
#include "route_rig.h"

#include <stdlib.h>
#include <string.h>

#define UNITS 5000U /* no power of two */
#define FIRST 77U

static uint64_t passed_until, started;

static uint64_t start(void *arg)
{
	return ++started;
}

static bool passed(void *arg, uint64_t token)
{
	return token <= passed_until;
}

static const struct knit_route_grace grace = { .start = start, .passed = passed };

struct taken {
	uint32_t at;
	uint32_t units;
};

static void mark(uint8_t *map, const struct taken *t, uint8_t as)
{
	uint32_t i;

	ck_assert_uint_ge(t->at, FIRST);
	ck_assert_uint_le(t->at + t->units, UNITS);
	for (i = t->at; i < t->at + t->units; i++) {
		ck_assert_uint_eq(map[i], !as);
		map[i] = as;
	}
}

/* What is taken overlaps nothing, and what was given back is there again as a whole. */
START_TEST(random_sizes)
{
	struct knit_random random = { .state = 21 };
	struct taken taken[601], *t;
	uint8_t map[UNITS] = { 0 };
	struct knit_heap heap;
	unsigned int n = 0, used = FIRST;
	int i;

	ck_assert_int_eq(knit_heap_open(&heap, FIRST, UNITS, &grace), 0);
	for (i = 0; i < 30000; i++) {
		t = &taken[n];
		t->units = 1 + knit_random_next(&random) % (i % 50 ? 32 : 512);
		t->at = KNIT_HEAP_NONE;
		if (n < 600 && knit_random_next(&random) % 2)
			t->at = knit_heap_take(&heap, t->units, 0);
		if (t->at != KNIT_HEAP_NONE) {
			mark(map, t, 1);
			used += t->units;
			n++;
		} else if (n) {
			t = &taken[knit_random_next(&random) % n];
			mark(map, t, 0);
			used -= t->units;
			knit_heap_free(&heap, t->at, t->units);
			*t = taken[--n];
		}
		ck_assert_uint_eq(heap.used, used);
	}
	while (n--)
		knit_heap_free(&heap, taken[n].at, taken[n].units);
	ck_assert_uint_eq(heap.used, FIRST);
	ck_assert_uint_eq(knit_heap_take(&heap, 2048, 0), 2048);
	knit_heap_close(&heap);
}
END_TEST

/* Down to the last unit, and the last ones only for who may. */
START_TEST(to_the_end)
{
	struct knit_heap heap;
	uint32_t n = 0;

	ck_assert_int_eq(knit_heap_open(&heap, FIRST, UNITS, &grace), 0);
	while (knit_heap_take(&heap, 1, 10) != KNIT_HEAP_NONE)
		n++;
	ck_assert_uint_eq(n, UNITS - FIRST - 10);
	ck_assert_uint_eq(heap.exhausted, 1);
	while (knit_heap_take(&heap, 1, 0) != KNIT_HEAP_NONE)
		n++;
	ck_assert_uint_eq(n, UNITS - FIRST);
	ck_assert_uint_eq(heap.exhausted, 2);
	ck_assert_uint_eq(knit_heap_take(&heap, UNITS + 1, 0), KNIT_HEAP_NONE);
	knit_heap_close(&heap);
}
END_TEST

/* What was retired is taken again after its grace period only. */
START_TEST(grace_period)
{
	uint32_t at[UNITS], n = 0, i;
	struct knit_heap heap;

	ck_assert_int_eq(knit_heap_open(&heap, 0, UNITS, &grace), 0);
	while (n < UNITS)
		at[n++] = knit_heap_take(&heap, 1, 0);
	ck_assert_uint_eq(started, 0);
	for (i = 0; i < 1000; i++)
		knit_heap_retire(&heap, at[i], 1);
	ck_assert_uint_gt(started, 1);
	ck_assert_uint_eq(heap.waiting, 1000);
	ck_assert_uint_eq(knit_heap_take(&heap, 1, 0), KNIT_HEAP_NONE);
	passed_until = 1;
	i = knit_heap_take(&heap, 1, 0);
	ck_assert_uint_ne(i, KNIT_HEAP_NONE);
	ck_assert_uint_lt(heap.waiting, 1000);
	ck_assert_uint_gt(heap.waiting, 0);
	passed_until = UINT64_MAX;
	knit_heap_poll(&heap);
	ck_assert_uint_eq(heap.waiting, 0);
	ck_assert_uint_eq(heap.used, UNITS - 999);
	ck_assert_uint_eq(heap.lost, 0);
	knit_heap_close(&heap);
}
END_TEST

KNIT_SUITE(route_heap)
{
	knit_add_test(s, "random sizes", random_sizes, 30);
	knit_add_test(s, "to the end", to_the_end, 0);
	knit_add_test(s, "grace period", grace_period, 0);
}
