// SPDX-License-Identifier: BSD-3-Clause
#include "shared/bind_fake.h"
#include "unit.h"

#include "preflight/hugepages.h"
#include "system/config/config.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)
#define GIB ((size_t)1 << 30)
#define MM "sys/kernel/mm/hugepages/"
#define NODE(n) "sys/devices/system/node/node" #n "/hugepages/"
#define SMALL "hugepages-2048kB/"
#define LARGE "hugepages-1048576kB/"
#define MOUNT_SMALL "none %s hugetlbfs rw,relatime,pagesize=2M 0 0\n"
#define MOUNT_LARGE "none /large hugetlbfs rw,pagesize=1024M 0 0\n"

static struct knit_config conf;
static char dir[32], remedy[300];

static void mounts(const char *more)
{
	char text[300];

	snprintf(text, sizeof(text), "proc /proc proc rw 0 0\n" MOUNT_SMALL "%s", dir, more);
	bind_fake_file("proc/mounts", text);
}

/* Node 0: 100 small pages, 30 free, and one large, free. Node 1: 10 small ones, 5 free. */
static void setup(void)
{
	bind_fake_setup();
	strcpy(dir, "/tmp/knit-huge-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	memset(&conf, 0, sizeof(conf));
	strcpy(conf.eal.prefix, "some");
	mounts("");
	bind_fake_file(NODE(0) SMALL "nr_hugepages", "100\n");
	bind_fake_file(NODE(0) SMALL "free_hugepages", "30\n");
	bind_fake_file(NODE(0) LARGE "nr_hugepages", "1\n");
	bind_fake_file(NODE(0) LARGE "free_hugepages", "1\n");
	bind_fake_file(NODE(1) SMALL "nr_hugepages", "10\n");
	bind_fake_file(NODE(1) SMALL "free_hugepages", "5\n");
	bind_fake_file(MM SMALL "nr_hugepages", "110\n");
	bind_fake_file(MM SMALL "free_hugepages", "35\n");
	bind_fake_file(MM LARGE "nr_hugepages", "1\n");
	bind_fake_file(MM LARGE "free_hugepages", "1\n");
}

static void remove_file(const char *name)
{
	char path[80];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	remove(path);
}

static void teardown(void)
{
	remove_file("somemap_0");
	remove_file("somemap_1");
	remove_file("othermap_0");
	rmdir(dir);
	bind_fake_teardown();
}

static void leave_file(const char *name, size_t pages)
{
	static const char page[4096];
	char path[80];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	out = fopen(path, "w");
	ck_assert_ptr_nonnull(out);
	while (pages-- > 0)
		fwrite(page, sizeof(page), 1, out);
	fclose(out);
}

/* Pages of a size that is mounted nowhere are of no use. */
START_TEST(free_of_all_sizes)
{
	ck_assert_uint_eq(hugepages_free(&conf, 0), 60 * MIB);
	ck_assert_uint_eq(hugepages_free(&conf, 1), 10 * MIB);
	ck_assert_uint_eq(hugepages_free(&conf, -1), 70 * MIB);
	mounts(MOUNT_LARGE);
	ck_assert_uint_eq(hugepages_free(&conf, 0), 60 * MIB + GIB);
	ck_assert_uint_eq(hugepages_free(&conf, 1), 10 * MIB);
	ck_assert_uint_eq(hugepages_free(&conf, -1), 70 * MIB + GIB);
	bind_fake_file("proc/mounts", NULL);
	ck_assert_uint_eq(hugepages_free(&conf, -1), 0);
	bind_fake_file("proc/mounts", "none /old hugetlbfs rw 0 0\n");
	ck_assert_uint_eq(hugepages_free(&conf, 0), 60 * MIB);
	bind_fake_file("proc/mounts", "none /old hugetlbfs rw,pagesize=2048K 0 0\n");
	ck_assert_uint_eq(hugepages_free(&conf, 0), 60 * MIB);
	bind_fake_file("proc/mounts", "none /old hugetlbfs rw,pagesize=1G 0 0\n");
	ck_assert_uint_eq(hugepages_free(&conf, 0), GIB);
}
END_TEST

/* A kernel without NUMA has no nodes. */
START_TEST(no_nodes)
{
	ck_assert_uint_eq(hugepages_free(&conf, 7), 70 * MIB);
	hugepages_remedy(NULL, 7, 1, remedy, sizeof(remedy));
	ck_assert_ptr_nonnull(strstr(remedy, "echo 111 >"));
	ck_assert_ptr_nonnull(strstr(remedy, "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_"));
}
END_TEST

/* What the node has, used or not, and what is missing: never less than before. */
START_TEST(remedies)
{
	hugepages_remedy(NULL, 0, 20 * MIB, remedy, sizeof(remedy));
	ck_assert_ptr_nonnull(strstr(remedy, "echo 110 >"));
	ck_assert_ptr_nonnull(strstr(remedy, "/node0/hugepages/hugepages-2048kB/nr_hugepages"));
	hugepages_remedy(NULL, 1, 20 * MIB + 1, remedy, sizeof(remedy));
	ck_assert_ptr_nonnull(strstr(remedy, "echo 21 >"));
	ck_assert_ptr_nonnull(strstr(remedy, "/node1/hugepages/"));
	hugepages_remedy(NULL, -1, GIB, remedy, sizeof(remedy));
	ck_assert_ptr_nonnull(strstr(remedy, "echo 622 >"));
	/* the smallest that is mounted */
	mounts(MOUNT_LARGE);
	hugepages_remedy(NULL, 0, 20 * MIB, remedy, sizeof(remedy));
	ck_assert_ptr_nonnull(strstr(remedy, "echo 110 >"));
	/* or that the file wants */
	strcpy(conf.eal.huge_dir, "/large");
	hugepages_remedy(&conf, 0, 20 * MIB, remedy, sizeof(remedy));
	ck_assert_ptr_nonnull(strstr(remedy, "echo 2 >"));
	ck_assert_ptr_nonnull(strstr(remedy, "/hugepages-1048576kB/"));
	bind_fake_file("proc/mounts", MOUNT_LARGE);
	hugepages_remedy(NULL, 0, 20 * MIB, remedy, sizeof(remedy));
	ck_assert_ptr_nonnull(strstr(remedy, "echo 2 >"));
	ck_assert_ptr_nonnull(strstr(remedy, "/hugepages-1048576kB/"));
}
END_TEST

static void expect_pages(const char *file, int pages)
{
	ck_assert_int_eq(atoi(bind_fake_text(file)), pages);
}

START_TEST(added)
{
	ck_assert_int_eq(hugepages_add(&conf, 0, 20 * MIB), 0);
	expect_pages(NODE(0) SMALL "nr_hugepages", 110);
	ck_assert_int_eq(hugepages_add(&conf, 1, 20 * MIB + 1), 0);
	expect_pages(NODE(1) SMALL "nr_hugepages", 21);
	/* of the size that this file takes */
	mounts(MOUNT_LARGE);
	strcpy(conf.eal.huge_dir, "/large");
	ck_assert_int_eq(hugepages_add(&conf, 0, 1), 0);
	expect_pages(NODE(0) LARGE "nr_hugepages", 2);
	expect_pages(NODE(0) SMALL "nr_hugepages", 110);
	bind_fake_file("proc/mounts", NULL);
	ck_assert_int_eq(hugepages_add(&conf, 0, 1), -ENOENT);
}
END_TEST

START_TEST(left_by_a_killed_primary)
{
	ck_assert_uint_eq(hugepages_left(&conf), 0);
	leave_file("somemap_0", 2);
	leave_file("somemap_1", 1);
	leave_file("othermap_0", 5);
	ck_assert_uint_eq(hugepages_left(&conf), 3 * 4096);
	strcpy(conf.eal.prefix, "other");
	ck_assert_uint_eq(hugepages_left(&conf), 5 * 4096);
	bind_fake_file("proc/mounts", MOUNT_LARGE);
	ck_assert_uint_eq(hugepages_left(&conf), 0);
	strcpy(conf.eal.huge_dir, dir);
	ck_assert_uint_eq(hugepages_left(&conf), 5 * 4096);
}
END_TEST

/* Those that there are, or that the kernel makes when asked. */
START_TEST(smallest)
{
	mounts(MOUNT_LARGE);
	ck_assert_uint_eq(hugepages_least(&conf), 2 * MIB);
	bind_fake_file(MM SMALL "nr_hugepages", "0\n");
	ck_assert_uint_eq(hugepages_least(&conf), GIB);
	bind_fake_file(MM SMALL "nr_overcommit_hugepages", "1\n");
	ck_assert_uint_eq(hugepages_least(&conf), 2 * MIB);
	strcpy(conf.eal.huge_dir, "/large");
	ck_assert_uint_eq(hugepages_least(&conf), GIB);
	conf.eal.huge_dir[0] = '\0';
	bind_fake_file("proc/mounts", MOUNT_LARGE);
	ck_assert_uint_eq(hugepages_least(&conf), GIB);
	bind_fake_file(MM LARGE "nr_hugepages", "0\n");
	ck_assert_uint_eq(hugepages_least(&conf), GIB);
	bind_fake_file("proc/mounts", NULL);
	ck_assert_uint_eq(hugepages_least(&conf), 2 * MIB);
}
END_TEST

/* What was left counts once, on whatever node it is. */
START_TEST(missing)
{
	size_t left = 50;

	ck_assert_uint_eq(hugepages_missing(100, 100, &left), 0);
	ck_assert_uint_eq(left, 50);
	ck_assert_uint_eq(hugepages_missing(100, 70, &left), 0);
	ck_assert_uint_eq(left, 20);
	ck_assert_uint_eq(hugepages_missing(100, 70, &left), 10);
	ck_assert_uint_eq(left, 0);
	ck_assert_uint_eq(hugepages_missing(100, 70, &left), 30);
}
END_TEST

#define CGROUP(version, root) "30 24 0:26 " root " %s rw - " version " none rw,hugetlb\n"

static void cgroup(const char *own, const char *mounts)
{
	char text[400];

	bind_fake_file("proc/self/cgroup", own);
	snprintf(text, sizeof(text), mounts, dir);
	bind_fake_file("proc/self/mountinfo", text);
}

static void limit(const char *file, const char *text)
{
	char path[80];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	out = fopen(path, "w");
	ck_assert_ptr_nonnull(out);
	fputs(text, out);
	fclose(out);
}

/* The least of its own and all above counts; reservations and use are limited each. */
START_TEST(limits_of_cgroups)
{
	char by[300] = "", inner[80];

	ck_assert_uint_eq(hugepages_cgroup(2048, SIZE_MAX, by, sizeof(by)), SIZE_MAX);
	snprintf(inner, sizeof(inner), "%s/in", dir);
	ck_assert_int_eq(mkdir(inner, 0700), 0);

	cgroup("1:cpu:/x\n0::/in\n", CGROUP("cgroup2", "/"));
	limit("in/hugetlb.2MB.max", "max\n");
	ck_assert_uint_eq(hugepages_cgroup(2048, SIZE_MAX, by, sizeof(by)), SIZE_MAX);
	limit("hugetlb.2MB.max", "10485760\n");
	limit("hugetlb.2MB.current", "4194304\n");
	ck_assert_uint_eq(hugepages_cgroup(2048, SIZE_MAX, by, sizeof(by)), 6 * MIB);
	ck_assert_ptr_nonnull(strstr(by, "hugetlb.2MB.max of cgroup /tmp/knit-huge-"));
	limit("in/hugetlb.2MB.rsvd.max", "2097152\n");
	ck_assert_uint_eq(hugepages_cgroup(2048, SIZE_MAX, by, sizeof(by)), 2 * MIB);
	ck_assert_uint_eq(hugepages_cgroup(1048576, SIZE_MAX, by, sizeof(by)), SIZE_MAX);

	/* version 1, in a container that sees its own cgroup only */
	cgroup("4:memory,hugetlb:/box/in\n0::/\n", CGROUP("cgroup", "/box"));
	limit("in/hugetlb.2MB.limit_in_bytes", "9223372036854771712\n");
	ck_assert_uint_eq(hugepages_cgroup(2048, SIZE_MAX, by, sizeof(by)), SIZE_MAX);
	limit("in/hugetlb.2MB.limit_in_bytes", "2097152\n");
	limit("in/hugetlb.2MB.usage_in_bytes", "4194304\n");
	ck_assert_uint_eq(hugepages_cgroup(2048, SIZE_MAX, by, sizeof(by)), 0);
	ck_assert_ptr_nonnull(strstr(by, "/in"));

	remove_file("in/hugetlb.2MB.max");
	remove_file("in/hugetlb.2MB.rsvd.max");
	remove_file("in/hugetlb.2MB.limit_in_bytes");
	remove_file("in/hugetlb.2MB.usage_in_bytes");
	remove_file("hugetlb.2MB.max");
	remove_file("hugetlb.2MB.current");
	rmdir(inner);
}
END_TEST

KNIT_SUITE(hugepages)
{
	TCase *tc = tcase_create("hugepages");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, free_of_all_sizes);
	tcase_add_test(tc, no_nodes);
	tcase_add_test(tc, remedies);
	tcase_add_test(tc, left_by_a_killed_primary);
	tcase_add_test(tc, smallest);
	tcase_add_test(tc, added);
	tcase_add_test(tc, missing);
	tcase_add_test(tc, limits_of_cgroups);
	suite_add_tcase(s, tc);
}
