// SPDX-License-Identifier: BSD-3-Clause
#include "unit.h"

#include "system/quirks/sigbus.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT "7f1000000000-7f1000020000 "
#define START 0x7f1000000000
#define END 0x7f1000020000
#define SYSFS "/sys/devices/pci0000:00/0000:00:10.0/"

struct match_case {
	const char *line;
	uintptr_t addr;
	bool matches;
};

static const struct match_case match_cases[] = {
	{ AT "rw-s 00000000 00:15 1234    " SYSFS "resource0", START, true },
	{ AT "rw-s 00000000 00:15 1234    " SYSFS "resource0", END - 1, true },
	{ AT "rw-s 00000000 00:15 1234    " SYSFS "resource0", END, false },
	{ AT "rw-s 00000000 00:15 1234    " SYSFS "resource0", START - 1, false },
	{ AT "rw-s 00000000 00:15 1234    " SYSFS "resource2_wc", START, true },
	{ AT "rw-s 00000000 00:15 1234    " SYSFS "resource0 (deleted)", START, true },
	{ AT "rw-s 00000000 00:15 1234    /0000:00:10.0/resource0", START, true },
	{ AT "rw-s 00000000 00:15 1234    " SYSFS "resource", START, false },
	{ AT "rw-s 00000000 00:15 1234    " SYSFS "resource0/file", START, false },
	{ AT "rw-s 00000000 00:15 1234    /var/lib/resource0", START, false },
	{ AT "rw-s 00000000 00:15 1234    /resource0", START, false },
	{ AT "rw-s 1000 00:05 99 /dev/uio0", START, true },
	{ AT "rw-s 1000 00:05 99 /dev/uio12 (deleted)", START, true },
	{ AT "rw-s 1000 00:05 99 /dev/uio", START, false },
	{ AT "rw-s 0 00:0e 1062 anon_inode:[vfio-device]", START, true },
	{ AT "rw-s 0 00:0e 1062 anon_inode:[eventfd]", START, false },
	{ AT "rw-p 00000000 00:15 1234    " SYSFS "resource0", START, false },
	{ AT "rw-s 00000000 00:10 1234    /dev/hugepages/knitmap_0", START, false },
	{ AT "rw-p 00000000 00:00 0", START, false },
	{ AT "rw-p 00000000 00:00 0 ", START, false },
	{ AT "rw-s", START, false },
	{ AT, START, false },
	{ "7f1000000000", START, false },
	{ "", 0, false },
	{ "-", 0, false },
};

START_TEST(match)
{
	const struct match_case *c = &match_cases[_i];
	uintptr_t start = 0, end = 0;

	ck_assert_int_eq(knit_sigbus_match(c->line, c->addr, &start, &end), c->matches);
	if (c->matches) {
		ck_assert_uint_eq(start, START);
		ck_assert_uint_eq(end, END);
	}
}
END_TEST

/* Two pages of a file that is then shorter: their touch is a SIGBUS. */
static char *lost_mapping(const char *folder, const char *name)
{
	char dir[] = "/tmp/knit-unit-XXXXXX", path[256];
	void *at;
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/%s", dir, folder);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/%s/%s", dir, folder, name);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, 8192), 0);
	at = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(at, MAP_FAILED);
	memset(at, 1, 8192);
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	close(fd);
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	rmdir(dir);
	return at;
}

START_TEST(device_lost)
{
	char *regs = lost_mapping("0000:00:10.0", "resource0");
	uint64_t faults = 0;

	knit_sigbus_init();
	knit_sigbus_count(&faults);
	ck_assert_int_eq(__atomic_load_n(&regs[0], __ATOMIC_RELAXED), 0);
	__atomic_store_n(&regs[4096], 7, __ATOMIC_RELAXED);
	ck_assert_int_eq(regs[4096], 7);
	ck_assert_uint_eq(faults, 1);
	knit_sigbus_count(NULL);
}
END_TEST

static int signal_that_ends(void (*touch)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		knit_sigbus_init();
		touch();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void touch_file(void)
{
	__atomic_load_n(lost_mapping("0000:00:10.0", "hugepage0"), __ATOMIC_RELAXED);
}

static void send_one(void)
{
	raise(SIGBUS);
}

/* As the kernel does it when memory is broken: only to itself may a process send such a code. */
static void send_code(int code, void *addr)
{
	siginfo_t info = { .si_signo = SIGBUS, .si_code = code, .si_addr = addr };

	syscall(SYS_rt_sigqueueinfo, getpid(), SIGBUS, &info);
}

static void broken_memory(void)
{
	send_code(BUS_MCEERR_AO, lost_mapping("0000:00:10.0", "resource0"));
}

static void not_aligned(void)
{
	send_code(BUS_ADRALN, lost_mapping("0000:00:10.0", "resource0"));
}

static void page_lost(void)
{
	send_code(BUS_ADRERR, lost_mapping("0000:00:10.0", "resource0"));
}

START_TEST(others_end_the_process)
{
	ck_assert_int_eq(signal_that_ends(broken_memory), SIGBUS);
	ck_assert_int_eq(signal_that_ends(not_aligned), SIGBUS);
	ck_assert_int_eq(signal_that_ends(page_lost), 0);
	ck_assert_int_eq(signal_that_ends(touch_file), SIGBUS);
	ck_assert_int_eq(signal_that_ends(send_one), SIGBUS);
}
END_TEST

KNIT_SUITE(sigbus)
{
	TCase *tc = tcase_create("match");

	tcase_add_loop_test(tc, match, 0, sizeof(match_cases) / sizeof(match_cases[0]));
	suite_add_tcase(s, tc);
	knit_add_test(s, "device lost", device_lost, 0);
	knit_add_test(s, "others", others_end_the_process, 0);
}
