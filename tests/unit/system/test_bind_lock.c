// SPDX-License-Identifier: BSD-3-Clause
#include "shared/bind_fake.h"
#include "unit.h"

#include "system/process/lockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NIC "0000:00:06.0"
#define NEXT "0000:00:07.0"

static struct knit_bind_why why;

static void expect_locker(pid_t pid)
{
	char text[64];

	snprintf(text, sizeof(text), NIC " is in use: process %d (other) has it locked", (int)pid);
	ck_assert_msg(strstr(why.what, text), "\"%s\" says nothing of \"%s\"", why.what, text);
}

static bool file_is_there(const char *name)
{
	char path[80];

	snprintf(path, sizeof(path), "%s/%s.lock", knit_bind_where.run, name);
	return access(path, F_OK) == 0;
}

/* The file of one who is gone says nothing. */
START_TEST(one_at_a_time)
{
	pid_t other;

	ck_assert_int_eq(knit_bind_locked(NIC, &why), 0);
	other = bind_fake_locker(NIC, false);
	ck_assert_int_eq(knit_bind_lock(NEXT, &why), 0);
	ck_assert_int_eq(knit_bind_lock(NIC, &why), -EBUSY);
	expect_locker(other);
	ck_assert_int_eq(knit_bind_locked(NIC, &why), -EBUSY);
	expect_locker(other);
	bind_fake_kill(other);
	ck_assert_int_eq(knit_bind_locked(NIC, &why), 0);
	ck_assert_int_eq(knit_bind_lock(NIC, &why), 0);
	/* what this process has is nobody else's */
	ck_assert_int_eq(knit_bind_lock(NIC, &why), 0);
	ck_assert_int_eq(knit_bind_locked(NIC, &why), 0);
	ck_assert(file_is_there(NEXT));
	knit_bind_unlock(NEXT);
	knit_bind_unlock(NEXT);
	ck_assert(!file_is_there(NEXT));
	other = bind_fake_locker(NEXT, false);
	ck_assert_int_eq(knit_bind_lock(NEXT, &why), -EBUSY);
	bind_fake_kill(other);
}
END_TEST

/* Whether never two were inside. */
static bool in_and_out(unsigned int times)
{
	char path[80];
	int fd;

	snprintf(path, sizeof(path), "%s/inside", knit_bind_where.run);
	while (times > 0) {
		if (knit_bind_lock(NIC, &why) < 0)
			continue;
		times--;
		fd = open(path, O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0)
			return false;
		close(fd);
		unlink(path);
		knit_bind_unlock(NIC);
	}
	return true;
}

/* Whoever leaves removes the file, which others have open by then. */
START_TEST(files_that_go)
{
	pid_t children[3];
	unsigned int i;
	int status;

	for (i = 0; i < 3; i++) {
		children[i] = fork();
		if (children[i] == 0)
			_exit(!in_and_out(300));
	}
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
		ck_assert_int_eq(status, 0);
	}
	ck_assert(!file_is_there(NIC));
}
END_TEST

/* While it gives devices back, a process is another program. */
START_TEST(across_execve)
{
	pid_t other = bind_fake_locker(NIC, true);

	ck_assert_int_eq(knit_bind_lock(NIC, &why), -EBUSY);
	expect_locker(other);
	bind_fake_kill(other);
	ck_assert_int_eq(knit_bind_lock(NIC, &why), 0);
}
END_TEST

static int open_lock(const char *name)
{
	char path[80], fd_path[40];
	int fd;

	snprintf(path, sizeof(path), "%s/%s.lock", knit_bind_where.run, name);
	fd = knit_lock_open(path);
	ck_assert_int_ge(fd, 3);
	snprintf(fd_path, sizeof(fd_path), "proc/self/fd/%d", fd);
	bind_fake_link(fd_path, path);
	return fd;
}

/* Of the files that such a program finds open, those whose lock it has. */
START_TEST(adopted)
{
	pid_t other = bind_fake_locker(NEXT, false);
	int ours = open_lock(NIC), theirs = open_lock(NEXT);

	ck_assert_int_eq(knit_lock_try(ours, F_WRLCK), 0);
	ck_assert_int_eq(fcntl(ours, F_SETFD, 0), 0);
	ck_assert_int_eq(knit_bind_lock(NIC, &why), -EBUSY);
	knit_bind_adopt_locks();
	ck_assert_int_eq(knit_bind_lock(NIC, &why), 0);
	ck_assert_int_eq(fcntl(ours, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(knit_bind_lock(NEXT, &why), -EBUSY);
	knit_bind_unlock(NIC);
	ck_assert_int_eq(fcntl(ours, F_GETFD), -1);
	bind_fake_kill(other);
	close(theirs);
}
END_TEST

START_TEST(no_place_for_locks)
{
	knit_bind_where.run = "/proc/nowhere";
	ck_assert_int_eq(knit_bind_locked(NIC, &why), 0);
	ck_assert_int_eq(knit_bind_lock(NIC, &why), -ENOENT);
	ck_assert_str_eq(why.what, NIC ": /proc/nowhere/" NIC ".lock: No such file or directory");
}
END_TEST

KNIT_SUITE(bind_lock)
{
	TCase *tc = tcase_create("locks");

	tcase_add_checked_fixture(tc, bind_fake_setup, bind_fake_teardown);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, one_at_a_time);
	tcase_add_test(tc, files_that_go);
	tcase_add_test(tc, across_execve);
	tcase_add_test(tc, adopted);
	tcase_add_test(tc, no_place_for_locks);
	suite_add_tcase(s, tc);
}
