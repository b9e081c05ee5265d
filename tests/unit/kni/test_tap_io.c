// SPDX-License-Identifier: BSD-3-Clause
#include "unit.h"

#include "kni/engine/tap/tap_io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Many reads or writes with one call, on pipes. */

static struct {
	struct knit_tap_io *io;
	uint64_t calls;
	int in, out;
	char text[KNIT_TAP_IO_MAX];
	struct iovec iov[KNIT_TAP_IO_MAX];
} rig;

/* The pipe is one that waits; each test says if it shall not. */
static void setup(void)
{
	int fd[2], i;

	memset(&rig, 0, sizeof(rig));
	rig.io = knit_tap_io_new(true);
	ck_assert_ptr_nonnull(rig.io);
	ck_assert_int_eq(pipe2(fd, O_CLOEXEC), 0);
	rig.out = fd[0];
	rig.in = fd[1];
	for (i = 0; i < KNIT_TAP_IO_MAX; i++)
		rig.iov[i] = (struct iovec){ &rig.text[i], 1 };
}

static void teardown(void)
{
	close(rig.in);
	close(rig.out);
	knit_tap_io_free(rig.io);
}

static void never_wait(void)
{
	ck_assert_int_eq(fcntl(rig.in, F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_eq(fcntl(rig.out, F_SETFL, O_NONBLOCK), 0);
}

static void run(bool write, int fd, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		knit_tap_io_add(rig.io, fd, write, &rig.iov[i], 1);
	ck_assert_uint_eq(knit_tap_io_run(rig.io, &rig.calls), n);
	ck_assert_uint_eq(rig.io->n, 0);
}

static void expect(uint32_t i, int result)
{
	ck_assert_int_eq(rig.io->op[i].result, result);
}

START_TEST(in_order)
{
	uint32_t i, n, left;

	never_wait();
	for (n = 1; n <= KNIT_TAP_IO_MAX; n++) {
		for (i = 0; i < n; i++)
			rig.text[i] = 'A' + i % 50;
		rig.calls = 0;
		run(true, rig.in, n);
		ck_assert_uint_eq(rig.calls, rig.io->ring ? 1 : n);
		memset(rig.text, 0, sizeof(rig.text));
		for (left = n; left; left -= i) {
			run(false, rig.out, left > 7 ? 7 : left);
			for (i = 0; i < 7 && i < left; i++) {
				expect(i, 1);
				ck_assert_int_eq(rig.text[i], 'A' + (n - left + i) % 50);
			}
		}
	}
}
END_TEST

/* What is not there ends with an error, at once. */
START_TEST(empty)
{
	never_wait();
	rig.text[0] = 'x';
	run(true, rig.in, 1);
	run(false, rig.out, 3);
	expect(0, 1);
	expect(1, -EAGAIN);
	expect(2, -EAGAIN);
	close(rig.in);
	run(false, rig.out, 2);
	expect(0, 0);
	expect(1, 0);
}
END_TEST

START_TEST(errors)
{
	never_wait();
	close(rig.out);
	signal(SIGPIPE, SIG_IGN);
	run(true, rig.in, 2);
	expect(0, -EPIPE);
	expect(1, -EPIPE);
	run(true, -1, 2);
	expect(0, -EBADF);
	expect(1, -EBADF);
}
END_TEST

/*
 * A full pipe that waits: io_uring leaves the writes for later. They are cancelled, and what comes
 * after that are system calls.
 */
START_TEST(left_for_later)
{
	char page[4096];

	if (!rig.io->ring)
		return;
	ck_assert_int_eq(fcntl(rig.in, F_SETFL, O_NONBLOCK), 0);
	memset(page, 'x', sizeof(page));
	while (write(rig.in, page, sizeof(page)) > 0)
		;
	ck_assert_int_eq(fcntl(rig.in, F_SETFL, 0), 0);
	run(true, rig.in, 3);
	expect(0, -ECANCELED);
	expect(1, -ECANCELED);
	expect(2, -ECANCELED);
	ck_assert_ptr_null(rig.io->ring);
	ck_assert_uint_eq(knit_tap_io_reads(rig.io), 1);
	never_wait();
	run(true, rig.in, 2);
	expect(0, -EAGAIN);
	expect(1, -EAGAIN);
}
END_TEST

/* A file that can't be read without waiting: plain reads take its place, from then on. */
START_TEST(no_reads)
{
	int fd = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	run(false, fd, 3);
	expect(0, 1);
	expect(1, 1);
	expect(2, 1);
	ck_assert(memcmp(rig.text, "kni", 3) == 0);
	ck_assert_uint_eq(knit_tap_io_reads(rig.io), 1);
	close(fd);
}
END_TEST

/* The completion comes when this thread is interrupted, which another process does. */
static bool becomes_loud(void)
{
	uint64_t end = knit_now_ns() + UINT64_C(2000000000);

	while (knit_tap_io_is_quiet(rig.io) && knit_now_ns() < end)
		;
	return !knit_tap_io_is_quiet(rig.io);
}

/* What is watched is quiet until something comes; then once more only if asked for again. */
START_TEST(watch)
{
	int i;

	if (!rig.io->ring)
		return;
	never_wait();
	ck_assert(!knit_tap_io_is_quiet(rig.io));
	for (i = 0; i < 3; i++) {
		rig.calls = 0;
		knit_tap_io_watch(rig.io, rig.out, &rig.calls);
		ck_assert_uint_eq(rig.calls, 1);
		ck_assert(knit_tap_io_is_quiet(rig.io));
		run(true, rig.in, 2);
		ck_assert(becomes_loud());
		run(false, rig.out, 3);
		expect(1, 1);
		expect(2, -EAGAIN);
		ck_assert(!knit_tap_io_is_quiet(rig.io));
	}
}
END_TEST

/* Set in the same call as reads; what those left behind is seen at once. */
START_TEST(watch_behind_reads)
{
	if (!rig.io->ring)
		return;
	never_wait();
	run(true, rig.in, 5);
	rig.calls = 0;
	rig.io->watch_next = rig.out;
	run(false, rig.out, 3);
	ck_assert_uint_eq(rig.calls, 1);
	expect(2, 1);
	ck_assert(!knit_tap_io_is_quiet(rig.io));
	ck_assert_int_eq(rig.io->watch_next, -1);
	rig.io->watch_next = rig.out;
	run(false, rig.out, 3);
	expect(1, 1);
	expect(2, -EAGAIN);
	ck_assert(knit_tap_io_is_quiet(rig.io));
	run(true, rig.in, 1);
	ck_assert(becomes_loud());
}
END_TEST

/* The far end is gone: that is something to look at, too. */
START_TEST(watch_sees_errors)
{
	if (!rig.io->ring)
		return;
	never_wait();
	knit_tap_io_watch(rig.io, rig.out, &rig.calls);
	close(rig.in);
	ck_assert(becomes_loud());
	run(false, rig.out, 2);
	expect(0, 0);
}
END_TEST

static void add(Suite *s, const char *name, const TTest *test)
{
	knit_add_fixture_test(s, name, test, 0, setup, teardown);
}

KNIT_SUITE(tap_io)
{
	add(s, "in order", in_order);
	add(s, "empty", empty);
	add(s, "errors", errors);
	add(s, "left for later", left_for_later);
	add(s, "no reads", no_reads);
	add(s, "watch", watch);
	add(s, "watch behind reads", watch_behind_reads);
	add(s, "watch sees errors", watch_sees_errors);
}
