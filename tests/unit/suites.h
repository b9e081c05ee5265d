/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_SUITES_H
#define KNIT_SUITES_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * All unit test suites, by the program they are linked into: knit-unit-abi needs nothing but
 * include/abi (and so runs under every sanitizer), knit-unit-kmod links the module's pure files and
 * common/pure, knit-unit-common what is below librte_kni. None of them starts EAL. A suite NAME is
 * `Suite *knit_suite_NAME(void)` in test_NAME.c.
 */
#define KNIT_ABI_SUITES(X) \
	X(ring)            \
	X(ring_flags)      \
	X(ring_sides)      \
	X(ring_death)      \
	X(desc)            \
	X(req)             \
	X(shm)

#define KNIT_KMOD_SUITES(X) \
	X(kni_frame)        \
	X(kni_txbuf)        \
	X(kni_fuzz)         \
	X(kni_flow)         \
	X(kni_region)       \
	X(reqstate)         \
	X(reqstate_random)

#define KNIT_COMMON_SUITES(X) \
	X(bind)               \
	X(bind_check)         \
	X(bind_list)          \
	X(bind_lock)          \
	X(bind_net)           \
	X(config)             \
	X(config_doc)         \
	X(config_errors)      \
	X(forward)            \
	X(handler)            \
	X(handler_role)       \
	X(hugepages)          \
	X(netlink)            \
	X(nics)               \
	X(rundir)             \
	X(sigbus)             \
	X(tap)                \
	X(tap_coalesce)       \
	X(tap_req)            \
	X(tap_tx)             \
	X(topo)

#define KNIT_DECLARE_SUITE(name) Suite *knit_suite_##name(void);
KNIT_ABI_SUITES(KNIT_DECLARE_SUITE)
KNIT_KMOD_SUITES(KNIT_DECLARE_SUITE)
KNIT_COMMON_SUITES(KNIT_DECLARE_SUITE)
#undef KNIT_DECLARE_SUITE

/* A tcase with one test function each, and a time limit in seconds (0: Check's default of 4). */
void knit_add_test(Suite *s, const char *name, const TTest *test, double timeout);

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
