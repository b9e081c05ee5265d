// SPDX-License-Identifier: BSD-3-Clause
#include "system/quirks/net_tap_fds.h"
#include "unit.h"

#include <linux/if_tun.h>

#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "knit-unit-fds"

static int open_queue(void)
{
	struct ifreq ifr = { .ifr_name = NAME, .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ioctl(fd, TUNSETIFF, &ifr), 0);
	return fd;
}

START_TEST(found_by_name)
{
	int first = open_queue(), second = open_queue(), fds[4];
	uint64_t netns = 0;
	struct stat st;

	ck_assert_uint_eq(knit_tap_fds(NAME, fds, 4), 2);
	ck_assert_int_eq(fds[0], first);
	ck_assert_int_eq(fds[1], second);
	ck_assert_uint_eq(knit_tap_fds("knit-unit-none", fds, 4), 0);
	ck_assert_uint_eq(knit_tap_fds(NAME, fds, 1), 2);
	ck_assert_int_eq(stat("/proc/self/ns/net", &st), 0);
	ck_assert_int_eq(knit_tap_fd_netns(first, &netns), 0);
	ck_assert_uint_eq(netns, st.st_ino);
	ck_assert_uint_eq(knit_tap_fds_close_all(), 2);
	ck_assert_uint_eq(knit_tap_fds(NULL, fds, 4), 0);
}
END_TEST

START_TEST(same_files_again)
{
	int a = open_queue(), b = open_queue();
	int fds[] = { a, b, dup(a), dup(b), dup(a), dup(b) };
	int swapped[] = { a, b, fds[3], fds[2] };

	ck_assert(knit_tap_fds_repeat(fds, 2, 2));
	ck_assert(knit_tap_fds_repeat(fds, 4, 2));
	ck_assert(knit_tap_fds_repeat(fds, 6, 2));
	ck_assert(!knit_tap_fds_repeat(fds, 6, 3));
	ck_assert(!knit_tap_fds_repeat(fds, 2, 1));
	ck_assert(!knit_tap_fds_repeat(fds, 3, 2));
	ck_assert(!knit_tap_fds_repeat(fds, 0, 2));
	ck_assert(!knit_tap_fds_repeat(fds, 2, 0));
	ck_assert(!knit_tap_fds_repeat(swapped, 4, 2));
	close(b);
	fds[1] = open_queue();
	ck_assert(!knit_tap_fds_repeat(fds, 4, 2));
}
END_TEST

KNIT_SUITE(net_tap_fds)
{
	knit_add_test(s, "found by name", found_by_name, 0);
	knit_add_test(s, "same files again", same_files_again, 0);
}
