// SPDX-License-Identifier: BSD-3-Clause
#include "unit.h"

#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void knit_add_test(Suite *s, const char *name, const TTest *test, double timeout)
{
	knit_add_fixture_test(s, name, test, timeout, NULL, NULL);
}

void knit_add_fixture_test(Suite *s, const char *name, const TTest *test, double timeout,
			   SFun setup, SFun teardown)
{
	TCase *tcase = tcase_create(name);

	if (timeout > 0)
		tcase_set_timeout(tcase, timeout);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test);
	suite_add_tcase(s, tcase);
}

/* splitmix64 */
uint64_t knit_random_next(struct knit_random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

uint64_t knit_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void knit_own_run(const char *prefix)
{
	char path[64];

	if (unshare(CLONE_NEWNS) < 0)
		ck_assert_int_eq(unshare(CLONE_NEWUSER | CLONE_NEWNS), 0);
	ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	ck_assert_int_eq(mount("none", "/run", "tmpfs", 0, NULL), 0);
	ck_assert_int_eq(mkdir("/run/knit", 0700), 0);
	snprintf(path, sizeof(path), "/run/knit/%s", prefix);
	ck_assert_int_eq(mkdir(path, 0700), 0);
}
