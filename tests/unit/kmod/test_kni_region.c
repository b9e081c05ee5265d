// SPDX-License-Identifier: BSD-3-Clause
#include "kni_region.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define PAGE 4096ULL
#define HUGE (2ULL << 20)
#define BASE 0x7f0000000000ULL
#define MAX_REGIONS 16
#define MAX_PAGES 64

/*
 * The kernel's addresses of the pages: any that differ. Nothing behind them is touched.
 */
static void *va[MAX_REGIONS][MAX_PAGES];
static union {
	struct kni_region_table t;
	char room[sizeof(struct kni_region_table) + MAX_REGIONS * sizeof(struct kni_region)];
} mem;

static void setup(void)
{
	size_t i, k;

	for (i = 0; i < MAX_REGIONS; i++)
		for (k = 0; k < MAX_PAGES; k++)
			va[i][k] = (void *)(uintptr_t)(0x100000000000ULL * (i + 1) + HUGE * k * 3);
	mem.t.n = 0;
}

static void add(__u64 start, __u32 pages, __u32 shift)
{
	struct kni_region *r = &mem.t.r[mem.t.n];

	ck_assert_uint_lt(mem.t.n, MAX_REGIONS);
	ck_assert_uint_le(pages, MAX_PAGES);
	r->start = start;
	r->end = start + ((__u64)pages << shift);
	r->shift = shift;
	r->pages = pages;
	r->va = va[mem.t.n];
	mem.t.n++;
}

static void *ptr(__u64 addr, __u32 len, __u32 *run)
{
	__u32 hint = 0;

	return kni_region_ptr(&mem.t, &hint, addr, len, run);
}

START_TEST(nothing_in_no_memory)
{
	__u32 run = 77, hint = 5;

	setup();
	ck_assert_int_eq(kni_region_find(&mem.t, BASE, 1), -1);
	ck_assert_ptr_null(kni_region_ptr(&mem.t, &hint, 0, 1, &run));
	ck_assert_ptr_null(kni_region_ptr(&mem.t, &hint, BASE, 1, &run));
}
END_TEST

START_TEST(borders)
{
	setup();
	add(BASE, 4, 12);
	add(BASE + 8 * PAGE, 4, 12);
	ck_assert_int_eq(kni_region_find(&mem.t, BASE, 1), 0);
	ck_assert_int_eq(kni_region_find(&mem.t, BASE, 4 * PAGE), 0);
	ck_assert_int_eq(kni_region_find(&mem.t, BASE + 4 * PAGE - 1, 1), 0);
	ck_assert_int_eq(kni_region_find(&mem.t, BASE + 8 * PAGE, 1), 1);
	ck_assert_int_eq(kni_region_find(&mem.t, BASE + 12 * PAGE - 1, 1), 1);
	ck_assert_int_eq(kni_region_find(&mem.t, BASE - 1, 1), -1);
	ck_assert_int_eq(kni_region_find(&mem.t, BASE - 1, 2), -1);
	ck_assert_int_eq(kni_region_find(&mem.t, BASE, 4 * PAGE + 1), -1);
	ck_assert_int_eq(kni_region_find(&mem.t, BASE + 4 * PAGE, 1), -1);
	ck_assert_int_eq(kni_region_find(&mem.t, BASE + 8 * PAGE - 1, 1), -1);
	ck_assert_int_eq(kni_region_find(&mem.t, BASE + 12 * PAGE, 1), -1);
	ck_assert_int_eq(kni_region_find(&mem.t, BASE, 0), -1);
}
END_TEST

START_TEST(no_overflow)
{
	const __u64 top = ~0ULL - 2 * PAGE + 1;

	setup();
	add(BASE, 4, 12);
	add(top, 1, 12);
	ck_assert_int_eq(kni_region_find(&mem.t, top, PAGE), 1);
	ck_assert_int_eq(kni_region_find(&mem.t, top, 0xffffffff), -1);
	ck_assert_int_eq(kni_region_find(&mem.t, top + PAGE - 1, 2), -1);
	ck_assert_int_eq(kni_region_find(&mem.t, ~0ULL, 1), -1);
	ck_assert_int_eq(kni_region_find(&mem.t, ~0ULL, 0xffffffff), -1);
	ck_assert_int_eq(kni_region_find(&mem.t, BASE, 0xffffffff), -1);
}
END_TEST

START_TEST(run_ends_with_the_page)
{
	__u32 run = 0;

	setup();
	add(BASE, 4, 12);
	ck_assert_ptr_eq(ptr(BASE, 64, &run), va[0][0]);
	ck_assert_uint_eq(run, 64);
	ck_assert_ptr_eq(ptr(BASE + 100, PAGE, &run), (char *)va[0][0] + 100);
	ck_assert_uint_eq(run, PAGE - 100);
	ck_assert_ptr_eq(ptr(BASE + PAGE, PAGE, &run), va[0][1]);
	ck_assert_uint_eq(run, PAGE);
	ck_assert_ptr_eq(ptr(BASE + 4 * PAGE - 1, 1, &run), (char *)va[0][3] + PAGE - 1);
	ck_assert_uint_eq(run, 1);
	ck_assert_ptr_null(ptr(BASE + 4 * PAGE - 1, 2, &run));
}
END_TEST

START_TEST(pages_of_different_sizes)
{
	__u32 run = 0;

	setup();
	add(BASE, 3, 21);
	add(BASE + (1ULL << 31), 2, 30);
	ck_assert_ptr_eq(ptr(BASE + HUGE - 1000, 2000, &run), (char *)va[0][0] + HUGE - 1000);
	ck_assert_uint_eq(run, 1000);
	ck_assert_ptr_eq(ptr(BASE + 5 * PAGE, 65535, &run), (char *)va[0][0] + 5 * PAGE);
	ck_assert_uint_eq(run, 65535);
	ck_assert_ptr_eq(ptr(BASE + (1ULL << 31) + (1ULL << 30) + 7, 9, &run),
			 (char *)va[1][1] + 7);
	ck_assert_uint_eq(run, 9);
}
END_TEST

START_TEST(goes_on_where_regions_touch)
{
	__u32 run = 0;

	setup();
	add(BASE, 1, 12);
	add(BASE + PAGE, 1, 12);
	add(BASE + 2 * PAGE, 1, 12);
	add(BASE + 4 * PAGE, 1, 12);
	ck_assert_int_eq(kni_region_find(&mem.t, BASE, 3 * PAGE), 0);
	ck_assert_int_eq(kni_region_find(&mem.t, BASE + 100, 3 * PAGE - 100), 0);
	ck_assert_int_eq(kni_region_find(&mem.t, BASE, 3 * PAGE + 1), -1);
	ck_assert_int_eq(kni_region_find(&mem.t, BASE + 2 * PAGE, 3 * PAGE), -1);
	ck_assert_ptr_eq(ptr(BASE + PAGE - 10, 20, &run), (char *)va[0][0] + PAGE - 10);
	ck_assert_uint_eq(run, 10);
	ck_assert_ptr_eq(ptr(BASE + PAGE, 10, &run), va[1][0]);
	ck_assert_ptr_null(ptr(BASE + 3 * PAGE - 10, 11, &run));
	/* the last one: nothing behind it is looked at */
	ck_assert_ptr_null(ptr(BASE + 5 * PAGE - 10, 11, &run));
}
END_TEST

START_TEST(any_hint)
{
	const __u32 hints[] = { 0, 1, 2, 3, MAX_REGIONS, 0x80000000, 0xffffffff };
	__u32 run, hint;
	size_t i;

	setup();
	add(BASE, 1, 12);
	add(BASE + PAGE, 2, 12);
	add(BASE + 100 * PAGE, 2, 12);
	for (i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		hint = hints[i];
		ck_assert_ptr_eq(kni_region_ptr(&mem.t, &hint, BASE + 101 * PAGE, 5, &run),
				 va[2][1]);
		ck_assert_uint_eq(hint, 2);
		hint = hints[i];
		ck_assert_ptr_null(kni_region_ptr(&mem.t, &hint, BASE + 50 * PAGE, 5, &run));
		ck_assert_uint_eq(hint, hints[i]);
	}
}
END_TEST

/* Byte by byte, without any idea of a region: where the kernel has it, or NULL. */
static char *expected(__u64 addr)
{
	const struct kni_region *r;

	for (r = mem.t.r; r < mem.t.r + mem.t.n; r++)
		if (addr >= r->start && addr < r->end)
			return (char *)r->va[(addr - r->start) >> r->shift] +
			       (addr - r->start) % (1ULL << r->shift);
	return NULL;
}

static bool all_expected(__u64 addr, __u32 len)
{
	__u32 i;

	for (i = 0; i < len; i++)
		if (!expected(addr + i))
			return false;
	return true;
}

static void random_memory(struct knit_random *random)
{
	__u64 at = BASE;

	setup();
	while (mem.t.n < MAX_REGIONS) {
		at += PAGE * (knit_random_next(random) % 3);
		add(at, 1 + knit_random_next(random) % 3, 12);
		at = mem.t.r[mem.t.n - 1].end;
	}
}

START_TEST(as_a_simple_model_has_it)
{
	struct knit_random random = { .state = _i + 1 };
	__u32 len, run, k, hint = 0;
	char *got;
	__u64 addr;
	int i;

	random_memory(&random);
	for (i = 0; i < 300; i++) {
		addr = BASE - 2 * PAGE + knit_random_next(&random) % (80 * PAGE);
		len = 1 + knit_random_next(&random) % (3 * PAGE);
		if (i % 3 == 0)
			addr = addr / PAGE * PAGE + knit_random_next(&random) % 3 - 1;
		got = kni_region_ptr(&mem.t, &hint, addr, len, &run);
		ck_assert_int_eq(got != NULL, all_expected(addr, len));
		ck_assert_int_eq(kni_region_find(&mem.t, addr, len) >= 0, got != NULL);
		if (!got)
			continue;
		ck_assert_uint_ge(run, 1);
		ck_assert_uint_le(run, len);
		for (k = 0; k < run; k++)
			ck_assert_ptr_eq(got + k, expected(addr + k));
	}
}
END_TEST

KNIT_SUITE(kni_region)
{
	TCase *loop = tcase_create("as_a_simple_model_has_it");

	knit_add_test(s, "nothing_in_no_memory", nothing_in_no_memory, 0);
	knit_add_test(s, "borders", borders, 0);
	knit_add_test(s, "no_overflow", no_overflow, 0);
	knit_add_test(s, "run_ends_with_the_page", run_ends_with_the_page, 0);
	knit_add_test(s, "pages_of_different_sizes", pages_of_different_sizes, 0);
	knit_add_test(s, "goes_on_where_regions_touch", goes_on_where_regions_touch, 0);
	knit_add_test(s, "any_hint", any_hint, 0);
	tcase_set_timeout(loop, 30);
	tcase_add_loop_test(loop, as_a_simple_model_has_it, 0, 10);
	suite_add_tcase(s, loop);
}
