// SPDX-License-Identifier: BSD-3-Clause
#include "unit.h"

#include "kni/base/doorbell.h"

#include <rte_common.h>
#include <rte_memzone.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* EAL's memory is private without hugepages: the table's pages, with what is in them, are not. */
static void share_table(void)
{
	const struct rte_memzone *mz = rte_memzone_lookup("knit_doorbells");
	uintptr_t start, end;
	void *copy;

	ck_assert_ptr_nonnull(mz);
	start = RTE_ALIGN_FLOOR((uintptr_t)mz->addr, 4096);
	end = RTE_ALIGN_CEIL((uintptr_t)mz->addr + mz->len, 4096);
	copy = malloc(end - start);
	memcpy(copy, (void *)start, end - start);
	ck_assert(mmap((void *)start, end - start, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == (void *)start);
	memcpy((void *)start, copy, end - start);
	free(copy);
}

/* Makes and frees one, and lets a file have the fd's number in between. */
static void come_and_go(void)
{
	int64_t doorbell;
	int fd;

	for (;;) {
		doorbell = knit_doorbell_new();
		usleep(300);
		knit_doorbell_free(doorbell);
		fd = memfd_create("not a doorbell", MFD_CLOEXEC);
		usleep(300);
		close(fd);
	}
}

static bool is_eventfd(int fd)
{
	char path[32], target[64] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return readlink(path, target, sizeof(target) - 1) > 0 &&
	       strcmp(target, "anon_inode:[eventfd]") == 0;
}

/* Whatever its owner does meanwhile: what is taken is the doorbell, or nothing. */
START_TEST(never_another_file)
{
	int64_t doorbell;
	int i, fd, n = 0;
	pid_t child;

	ck_assert_int_eq(knit_doorbell_init(), 0);
	share_table();
	doorbell = knit_doorbell_new();
	ck_assert_int_ge(doorbell, 0);
	ck_assert(is_eventfd(knit_doorbell_open(doorbell)));
	knit_doorbell_free(doorbell);
	knit_doorbell_free(doorbell);
	ck_assert_int_eq(knit_doorbell_open(doorbell), -ENOENT);
	child = fork();
	if (child == 0)
		come_and_go();
	for (i = 0; n < 1000; i++) {
		fd = knit_doorbell_open(doorbell);
		ck_assert_msg(fd < 0 || is_eventfd(fd), "try %d: fd %d is another file", i, fd);
		knit_doorbell_close(doorbell);
		n += fd >= 0;
	}
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
}
END_TEST

/* Makes one, says which, and stays until it is killed. */
static void make_and_stay(int out)
{
	int64_t doorbell = knit_doorbell_new();

	if (write(out, &doorbell, sizeof(doorbell)) != sizeof(doorbell))
		_exit(1);
	for (;;)
		pause();
}

/* What is given away is what was made here, whatever others wrote into the table. */
START_TEST(only_own_copies)
{
	const struct rte_memzone *mz;
	int64_t own, other;
	int fd, pipes[2];
	pid_t child;

	ck_assert_int_eq(knit_doorbell_init(), 0);
	share_table();
	own = knit_doorbell_new();
	ck_assert_int_ge(own, 0);
	ck_assert_int_eq(pipe(pipes), 0);
	child = fork();
	if (child == 0)
		make_and_stay(pipes[1]);
	ck_assert_int_eq(read(pipes[0], &other, sizeof(other)), sizeof(other));
	ck_assert(is_eventfd(knit_doorbell_open(other)));
	ck_assert_int_eq(knit_doorbell_copy(other), -ENOENT);
	ck_assert_int_eq(knit_doorbell_copy(UINT32_MAX), -ENOENT);

	mz = rte_memzone_lookup("knit_doorbells");
	memset(mz->addr, 0xff, mz->len);
	fd = knit_doorbell_copy(own);
	ck_assert(is_eventfd(fd));
	ck_assert_int_ne(fd, knit_doorbell_open(own));
	ck_assert(is_eventfd(knit_doorbell_open(own)));
	close(fd);
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
}
END_TEST

KNIT_SUITE_EAL(doorbell, knit_eal_small_pages)
{
	knit_add_test(s, "never another file", never_another_file, 60);
	knit_add_test(s, "only own copies", only_own_copies, 0);
}
