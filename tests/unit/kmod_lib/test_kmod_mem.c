// SPDX-License-Identifier: BSD-3-Clause
#include "kmod_fake.h"
#include "unit.h"

#include <rte_eal.h>
#include <rte_malloc.h>
#include <rte_memory.h>

#include <errno.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* EAL's memory, as the module is told of it. The programs' mains start EAL. */
#define PAGE (2 << 20)

static struct knit_ioc_info info;

static void setup(void)
{
	kmod_fake_reset();
}

static int check_seg(const struct rte_memseg_list *msl, const struct rte_memseg *ms, void *arg)
{
	unsigned int *file = arg;

	ck_assert_msg(kmod_fake_holds(*file, ms->addr, ms->len), "%p is missing", ms->addr);
	return 0;
}

/* The file holds what EAL has, each byte in one region, and nothing else. */
static void check_all(unsigned int file)
{
	const struct kmod_fake_file *f = &kmod_fake.file[file];
	uint64_t bytes = 0;
	unsigned int i;

	ck_assert_int_eq(rte_memseg_walk(check_seg, &file), 0);
	for (i = 0; i < f->n_regions; i++)
		bytes += f->region[i].len;
	ck_assert_uint_eq(bytes, rte_eal_get_physmem_size());
}

START_TEST(all_memory)
{
	int fd = knit_kmod_mem_get(&info);

	ck_assert_int_ge(fd, 0);
	ck_assert_uint_eq(info.abi, KNIT_ABI_VERSION);
	check_all(0);
	ck_assert_int_eq(knit_kmod_mem_get(&info), fd);
	ck_assert_uint_eq(kmod_fake.opens, 1);
	check_all(0);
	knit_kmod_mem_put();
	ck_assert_uint_eq(kmod_fake_open_files(), 1);
	knit_kmod_mem_put();
	ck_assert_uint_eq(kmod_fake_open_files(), 0);
	/* and again */
	ck_assert_int_ge(knit_kmod_mem_get(&info), 0);
	check_all(1);
	knit_kmod_mem_put();
}
END_TEST

START_TEST(fixed_is_one_region)
{
	ck_assert_int_ge(knit_kmod_mem_get(&info), 0);
	ck_assert_uint_eq(kmod_fake.file[0].n_regions, 1);
	knit_kmod_mem_put();
}
END_TEST

START_TEST(refused)
{
	kmod_fake.fail = KNIT_IOC_MEM_ADD;
	kmod_fake.fail_times = 1;
	kmod_fake.error = -ENOMEM;
	ck_assert_int_eq(knit_kmod_mem_get(&info), -ENOMEM);
	ck_assert_uint_eq(kmod_fake_open_files(), 0);
	/* no trace of the attempt */
	ck_assert_int_ge(knit_kmod_mem_get(&info), 0);
	check_all(1);
	knit_kmod_mem_put();
	ck_assert_uint_eq(kmod_fake_open_files(), 0);
}
END_TEST

START_TEST(no_module)
{
	kmod_fake.fail = KNIT_IOC_INFO;
	kmod_fake.error = -EPROTO;
	ck_assert_int_eq(knit_kmod_mem_get(&info), -EPROTO);
	knit_kmod_mem_put();
	kmod_fake.fail = 0;
	ck_assert_int_ge(knit_kmod_mem_get(&info), 0);
	knit_kmod_mem_put();
	ck_assert_uint_eq(kmod_fake_open_files(), 0);
}
END_TEST

static void *registered(size_t len)
{
	char *addr =
		mmap(NULL, len + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	addr = RTE_PTR_ALIGN_CEIL(addr, PAGE);
	ck_assert_int_eq(rte_extmem_register(addr, len, NULL, 0, PAGE), 0);
	return addr;
}

/* Registered after the first interface was made; not of the pages that its owner says. */
START_TEST(external)
{
	void *addr;

	ck_assert_int_ge(knit_kmod_mem_get(&info), 0);
	addr = registered(2 * PAGE);
	ck_assert(!kmod_fake_holds(0, addr, 2 * PAGE));
	kmod_fake.no_pages_of = PAGE;
	ck_assert_int_ge(knit_kmod_mem_get(&info), 0);
	ck_assert(kmod_fake_holds(0, addr, 2 * PAGE));
	knit_kmod_mem_put();
	knit_kmod_mem_put();
}
END_TEST

/* Of no use to the kernel at all: the interface is made without it. */
START_TEST(external_refused)
{
	void *addr = registered(PAGE);

	ck_assert_int_ge(knit_kmod_mem_get(&info), 0);
	kmod_fake.fail = KNIT_IOC_MEM_ADD;
	kmod_fake.fail_times = 2;
	kmod_fake.error = -EOPNOTSUPP;
	rte_extmem_unregister(addr, PAGE);
	registered(PAGE);
	ck_assert_int_ge(knit_kmod_mem_get(&info), 0);
	ck_assert_uint_eq(kmod_fake.fail_times, 0);
	knit_kmod_mem_put();
	knit_kmod_mem_put();
}
END_TEST

/* The parent's file stays open in the child, which never uses it and has its own. */
START_TEST(child)
{
	unsigned int calls;
	int status;
	pid_t pid;

	ck_assert_int_ge(knit_kmod_mem_get(&info), 0);
	calls = kmod_fake_calls(KNIT_IOC_MEM_ADD);
	pid = fork();
	if (pid == 0) {
		rte_free(rte_malloc(NULL, 4 * PAGE, 0));
		if (kmod_fake_calls(KNIT_IOC_MEM_ADD) != calls)
			_exit(1);
		knit_kmod_mem_put();
		if (kmod_fake_open_files() != 1)
			_exit(2);
		if (knit_kmod_mem_get(&info) != kmod_fake.file[1].fd)
			_exit(3);
		check_all(1);
		knit_kmod_mem_put();
		_exit(kmod_fake_open_files() == 1 ? 0 : 4);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	knit_kmod_mem_put();
}
END_TEST

/* Allocations span pages, and the pages of several are freed in any order. */
START_TEST(followed)
{
	void *a, *b, *c;

	ck_assert_int_ge(knit_kmod_mem_get(&info), 0);
	a = rte_malloc(NULL, 3 * PAGE, 0);
	b = rte_malloc(NULL, 5 * PAGE, 0);
	c = rte_malloc(NULL, 2 * PAGE, 0);
	ck_assert(a && b && c);
	check_all(0);
	rte_free(a);
	rte_free(b);
	check_all(0);
	a = rte_malloc(NULL, 6 * PAGE, 0);
	check_all(0);
	rte_free(c);
	rte_free(a);
	check_all(0);
	ck_assert_uint_gt(kmod_fake_calls(KNIT_IOC_MEM_DEL), 6);
	knit_kmod_mem_put();
	/* nobody is told any more */
	rte_free(rte_malloc(NULL, 3 * PAGE, 0));
	ck_assert_uint_eq(kmod_fake_open_files(), 0);
}
END_TEST

static void fail_deletes(bool on)
{
	kmod_fake.fail = on ? KNIT_IOC_MEM_DEL : 0;
	kmod_fake.fail_times = UINT_MAX;
	kmod_fake.error = -ENOMEM;
}

/* Pages of another mapping than the one that the module has for their addresses. */
START_TEST(followed_stale)
{
	unsigned int adds, dels, stale;
	uintptr_t address;
	void *a;

	ck_assert_int_ge(knit_kmod_mem_get(&info), 0);
	a = rte_malloc(NULL, 3 * PAGE, 0);
	address = (uintptr_t)a;
	dels = kmod_fake_calls(KNIT_IOC_MEM_DEL);
	fail_deletes(true);
	rte_free(a);
	fail_deletes(false);
	stale = kmod_fake_calls(KNIT_IOC_MEM_DEL) - dels;
	ck_assert_uint_ge(stale, 3);
	adds = kmod_fake_calls(KNIT_IOC_MEM_ADD);
	dels = kmod_fake_calls(KNIT_IOC_MEM_DEL);
	a = rte_malloc(NULL, 3 * PAGE, 0);
	ck_assert_uint_eq((uintptr_t)a, address);
	ck_assert_uint_eq(kmod_fake_calls(KNIT_IOC_MEM_DEL) - dels, stale);
	ck_assert_uint_eq(kmod_fake_calls(KNIT_IOC_MEM_ADD) - adds, 2 * stale);
	check_all(0);
	/* and if they can't be deleted then, either */
	fail_deletes(true);
	rte_free(a);
	a = rte_malloc(NULL, 3 * PAGE, 0);
	ck_assert_uint_eq((uintptr_t)a, address);
	fail_deletes(false);
	rte_free(a);
	check_all(0);
	knit_kmod_mem_put();
}
END_TEST

/* What can't be added is refused later, frame by frame; EAL goes on. */
START_TEST(followed_refused)
{
	void *a;

	ck_assert_int_ge(knit_kmod_mem_get(&info), 0);
	kmod_fake.fail = KNIT_IOC_MEM_ADD;
	kmod_fake.fail_times = 1;
	kmod_fake.error = -ENOSPC;
	a = rte_malloc(NULL, 3 * PAGE, 0);
	ck_assert_ptr_nonnull(a);
	rte_free(a);
	ck_assert_uint_eq(kmod_fake.fail_times, 0);
	check_all(0);
	knit_kmod_mem_put();
}
END_TEST

/* The address that devices were told is no longer the page's. */
START_TEST(moved)
{
	void *a = rte_malloc(NULL, PAGE, 0);
	struct rte_memseg *ms = rte_mem_virt2memseg(a, NULL);
	rte_iova_t before = ms->iova;

	ck_assert_int_eq(rte_eal_iova_mode(), RTE_IOVA_PA);
	ck_assert_int_ge(knit_kmod_mem_get(&info), 0);
	check_all(0);
	knit_kmod_mem_put();
	ms->iova ^= PAGE;
	ck_assert_int_eq(knit_kmod_mem_get(&info), -EFAULT);
	ck_assert_uint_eq(kmod_fake_open_files(), 0);
	ck_assert_uint_gt(kmod_fake_calls(KNIT_IOC_MEM_DEL), 0);
	ms->iova = before;
	rte_free(a);
}
END_TEST

static TCase *common_case(const char *name)
{
	TCase *c = tcase_create(name);

	tcase_add_checked_fixture(c, setup, NULL);
	tcase_add_test(c, all_memory);
	tcase_add_test(c, refused);
	tcase_add_test(c, no_module);
	tcase_add_test(c, external);
	tcase_add_test(c, external_refused);
	tcase_add_test(c, child);
	return c;
}

KNIT_SUITE_EAL(kmod_mem, knit_eal_small_pages)
{
	TCase *c = common_case("small pages");

	tcase_add_test(c, fixed_is_one_region);
	suite_add_tcase(s, c);
}

KNIT_SUITE_EAL(kmod_mem_huge, knit_eal_hugepages)
{
	TCase *c = common_case("hugepages");

	tcase_add_test(c, followed);
	tcase_add_test(c, followed_stale);
	tcase_add_test(c, followed_refused);
	suite_add_tcase(s, c);
}

KNIT_SUITE_EAL(kmod_mem_pa, knit_eal_physical)
{
	TCase *c = tcase_create("IOVA as PA");

	tcase_add_checked_fixture(c, setup, NULL);
	tcase_add_test(c, moved);
	suite_add_tcase(s, c);
}
