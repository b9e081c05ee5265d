/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_UNIT_H
#define KNIT_UNIT_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Defines a suite, and enters it into the program that the file is linked into. What follows is the
 * body of a function that adds test cases to `Suite *s`:
 *
 *	KNIT_SUITE(ring)
 *	{
 *		knit_add_test(s, "wraps around", wraps_around, 0);
 *	}
 */
#define KNIT_SUITE(suite_name) KNIT_SUITE_EAL(suite_name, NULL)

/*
 * The same for tests that need EAL. The start is a function below. It runs once before the body, in
 * a process of all suites with this start.
 */
#define KNIT_SUITE_EAL(suite_name, start_function)                                   \
	static void suite_##suite_name(Suite *s);                                    \
	__attribute__((constructor)) static void suite_##suite_name##_register(void) \
	{                                                                            \
		static struct knit_suite suite = { .name = #suite_name,              \
						   .start = (start_function),        \
						   .fill = suite_##suite_name };     \
                                                                                     \
		knit_suite_register(&suite);                                         \
	}                                                                            \
	static void suite_##suite_name(Suite *s)

struct knit_suite {
	const char *name;
	void (*start)(void);
	void (*fill)(Suite *s);
	bool chosen;
	struct knit_suite *next;
};
void knit_suite_register(struct knit_suite *suite);

/*
 * The ways to start EAL. None makes files or probes devices. With 64 MiB of anonymous memory, which
 * is enough for mbufs and memzones; with hugepages that come and go; with hugepages and IOVAs that
 * are physical addresses, which only root can see.
 */
void knit_eal_small_pages(void);
void knit_eal_hugepages(void);
void knit_eal_physical(void);

/* Ends the program: what it needs for its tests fails with this errno. */
_Noreturn void knit_unit_fail(const char *what, int error);

/* A tcase with one test function each, and a time limit in seconds (0: Check's default of 4). */
void knit_add_test(Suite *s, const char *name, const TTest *test, double timeout);

/* The same with a fixture: setup runs before the test in its process, teardown after it. */
void knit_add_fixture_test(Suite *s, const char *name, const TTest *test, double timeout,
			   SFun setup, SFun teardown);

/* Reproducible random numbers: the same seed gives the same sequence everywhere. */
struct knit_random {
	uint64_t state;
};
uint64_t knit_random_next(struct knit_random *r);

/* For a test in a process of its own: a /run that nobody else sees, with /run/knit/PREFIX. */
void knit_own_run(const char *prefix);

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t knit_now_ns(void);

#endif
