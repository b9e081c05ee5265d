// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_kmod
#include "kmod.h"
#include "kni/base/log.h"

#include <rte_eal.h>
#include <rte_fbarray.h>
#include <rte_memory.h>

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <unistd.h>

/*
 * EAL's memory, as the module is told of it.
 *
 * What EAL never gives back (--no-huge, legacy memory, all that it takes at start) is added in as
 * few regions as there are gaps. What it takes later it gives back in other pieces than it came in,
 * and the module deletes whole regions only: so that is added page by page. Memory that the
 * application registered is one region for each registration.
 *
 * Locks: users_lock around get and put, and around all calls into EAL that take EAL's memory locks
 * there; lock inside those, because EAL calls on_mem_event with them held.
 */
#define CALLBACK_NAME "knit-kmod-mem"
#define SMALL_PAGE 4096

static struct {
	pthread_mutex_t users_lock;
	unsigned int users;
	struct knit_ioc_info info;
	pthread_mutex_t lock;
	int fd;
	pid_t pid;     /* 0: there is no file. Another process: its forked child does not use it */
	bool fixed;    /* all memory is of the kind that is never given back */
	bool external; /* only memory that the application registered is looked at */
	bool reported; /* that memory could not be added */
} mem = { .users_lock = PTHREAD_MUTEX_INITIALIZER, .lock = PTHREAD_MUTEX_INITIALIZER };

/* Whoever held a lock while its process forked is not in the child. */
static void mem_after_fork(void)
{
	pthread_mutex_init(&mem.users_lock, NULL);
	pthread_mutex_init(&mem.lock, NULL);
	mem.users = 0;
	mem.pid = 0;
}

static void mem_watch_forks(void)
{
	pthread_atfork(NULL, NULL, mem_after_fork);
}

static int mem_call(unsigned long call, uint64_t addr, uint64_t len, uint64_t page)
{
	struct knit_ioc_mem m = { .addr = addr, .len = len, .page_size = page };

	return knit_kmod_call(mem.fd, call, &m);
}

/*
 * Pinning may have moved a page. Devices were told physical addresses and go on writing to the old
 * one.
 */
static int check_moved(const struct rte_memseg_list *msl, uint64_t addr, uint64_t len)
{
	const struct rte_memseg *ms;
	uint64_t at;
	rte_iova_t now;

	if (rte_eal_iova_mode() != RTE_IOVA_PA || !rte_eal_has_hugepages() || msl->external)
		return 0;
	for (at = addr; at < addr + len; at += msl->page_sz) {
		ms = rte_mem_virt2memseg((void *)(uintptr_t)at, msl);
		now = rte_mem_virt2phy((void *)(uintptr_t)at);
		if (ms && now == ms->iova)
			continue;
		log_err("memory at %#" PRIx64 " was at %#" PRIx64
			" when devices were told of it, and "
			"is at %#" PRIx64 " now that the kernel has pinned it: use --iova-mode=va, "
			"or boot without movable hugepages (movablecore=, cma=)",
			at, ms ? ms->iova : RTE_BAD_IOVA, now);
		return -EFAULT;
	}
	return 0;
}

/* With lock. -EEXIST, not logged: some of it was added before. */
static int eal_mem_add(const struct rte_memseg_list *msl, uint64_t addr, uint64_t len)
{
	uint64_t page = msl->page_sz;
	int ret;

	ret = mem_call(KNIT_IOC_MEM_ADD, addr, len, page);
	/* Who registers memory may say larger pages than there are. */
	if (ret == -EOPNOTSUPP && msl->external && page != SMALL_PAGE) {
		page = SMALL_PAGE;
		ret = mem_call(KNIT_IOC_MEM_ADD, addr, len, page);
	}
	if (ret == -EEXIST)
		return ret;
	if (ret == 0 && check_moved(msl, addr, len) < 0) {
		mem_call(KNIT_IOC_MEM_DEL, addr, len, page);
		return -EFAULT;
	}
	if (ret < 0 && !mem.reported)
		log_err("%" PRIu64 " bytes at %#" PRIx64 " in pages of %" PRIu64
			" can't be shown to the kernel: %s",
			len, addr, page, knit_kmod_meaning(KNIT_IOC_MEM_ADD, ret));
	mem.reported |= ret < 0;
	return ret;
}

static int eal_mem_del(const struct rte_memseg_list *msl, uint64_t addr, uint64_t len)
{
	int ret = mem_call(KNIT_IOC_MEM_DEL, addr, len, msl->page_sz);

	if (ret < 0 && msl->external && msl->page_sz != SMALL_PAGE)
		ret = mem_call(KNIT_IOC_MEM_DEL, addr, len, SMALL_PAGE);
	return ret;
}

/*
 * EAL has just mapped this. If the module has it, it could not delete what was there before, and
 * holds pages that nobody has any more.
 */
static void eal_mem_add_anew(const struct rte_memseg_list *msl, uint64_t addr, uint64_t len)
{
	int ret = eal_mem_add(msl, addr, len);

	if (ret != -EEXIST)
		return;
	ret = eal_mem_del(msl, addr, len);
	if (ret == 0)
		ret = eal_mem_add(msl, addr, len);
	if (ret < 0)
		log_err("memory at %#" PRIx64
			", which EAL mapped anew, is what it was before for the kernel: %s",
			addr, knit_kmod_meaning(KNIT_IOC_MEM_DEL, ret));
}

static bool is_fixed(const struct rte_memseg_list *msl, unsigned int page)
{
	const struct rte_memseg *ms = rte_fbarray_get(&msl->memseg_arr, page);

	return mem.fixed || (ms && ms->flags & RTE_MEMSEG_FLAG_DO_NOT_FREE);
}

/* Pages from the one at hand on that make one region. */
static unsigned int pages_together(struct rte_memseg_list *msl, int first)
{
	int n, in_use = rte_fbarray_find_contig_used(&msl->memseg_arr, first);

	for (n = 0; n < in_use && is_fixed(msl, first + n); n++)
		;
	return n ? n : 1;
}

/*
 * Memory without which frames are merely refused does not keep an interface from being made. What
 * on_mem_event added a moment ago, or a walk before this one, is there already.
 */
static int eal_mem_add_list(const struct rte_memseg_list *list, void *arg)
{
	struct rte_memseg_list *msl = (struct rte_memseg_list *)(uintptr_t)list;
	uint64_t base = (uintptr_t)msl->base_va, page = msl->page_sz;
	int i, n, ret = 0;

	pthread_mutex_lock(&mem.lock);
	if (msl->external)
		eal_mem_add(msl, base, msl->len);
	else if (!mem.external)
		for (i = rte_fbarray_find_next_used(&msl->memseg_arr, 0); i >= 0 && ret == 0;
		     i = rte_fbarray_find_next_used(&msl->memseg_arr, i + n)) {
			n = pages_together(msl, i);
			ret = eal_mem_add(msl, base + i * page, n * page);
			ret = ret == -EEXIST ? 0 : ret;
		}
	pthread_mutex_unlock(&mem.lock);
	return ret;
}

/*
 * EAL holds its memory lock for writing here: nothing below may allocate from or walk EAL memory.
 */
static void mem_on_event(enum rte_mem_event type, const void *addr, size_t len, void *arg)
{
	const struct rte_memseg_list *msl = rte_mem_virt2memseg_list(addr);
	uint64_t at, page, start = (uintptr_t)addr;
	int ret;

	pthread_mutex_lock(&mem.lock);
	if (msl == NULL || mem.pid != getpid())
		goto out_unlock;
	page = msl->external ? len : msl->page_sz;
	for (at = start; at < start + len; at += page) {
		if (type == RTE_MEM_EVENT_ALLOC) {
			eal_mem_add_anew(msl, at, page);
			continue;
		}
		ret = eal_mem_del(msl, at, page);
		if (ret < 0 && ret != -ENOENT)
			log_err("memory at %#" PRIx64
				", which EAL frees, stays with the kernel: %s",
				at, knit_kmod_meaning(KNIT_IOC_MEM_DEL, ret));
	}
out_unlock:
	pthread_mutex_unlock(&mem.lock);
}

static int open_file(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct knit_kmod_why why;
	int fd;

	pthread_once(&once, mem_watch_forks);
	fd = knit_kmod_open(&mem.info, &why);
	if (fd < 0) {
		log_err("kmod engine: %s; remedy: %s", why.what, why.remedy);
		return fd;
	}
	pthread_mutex_lock(&mem.lock);
	mem.fd = fd;
	mem.pid = getpid();
	mem.reported = false;
	pthread_mutex_unlock(&mem.lock);
	return 0;
}

static void close_file(void)
{
	pthread_mutex_lock(&mem.lock);
	close(mem.fd);
	mem.pid = 0;
	pthread_mutex_unlock(&mem.lock);
}

/* Registered first, then walked: what comes in between is added twice, once in vain. */
static int eal_mem_follow(void)
{
	int ret;

	ret = rte_mem_event_callback_register(CALLBACK_NAME, mem_on_event, NULL);
	mem.fixed = ret < 0 && rte_errno == ENOTSUP;
	/* EEXIST: of before a fork */
	if (ret < 0 && rte_errno != ENOTSUP && rte_errno != EEXIST)
		return errno_log(rte_errno, "follow EAL's memory");
	mem.external = false;
	ret = rte_memseg_list_walk(eal_mem_add_list, NULL);
	if (ret < 0)
		rte_mem_event_callback_unregister(CALLBACK_NAME, NULL);
	return ret;
}

static int first_user(void)
{
	int ret;

	ret = open_file();
	if (ret < 0)
		return ret;
	ret = eal_mem_follow();
	if (ret < 0)
		close_file();
	return ret;
}

int knit_kmod_mem_get(struct knit_ioc_info *info)
{
	int ret = 0;

	pthread_mutex_lock(&mem.users_lock);
	if (mem.users == 0) {
		ret = first_user();
	} else {
		mem.external = true;
		rte_memseg_list_walk(eal_mem_add_list, NULL);
	}
	if (ret == 0) {
		mem.users++;
		*info = mem.info;
		ret = mem.fd;
	}
	pthread_mutex_unlock(&mem.users_lock);
	return ret;
}

void knit_kmod_mem_put(void)
{
	pthread_mutex_lock(&mem.users_lock);
	if (mem.users > 0 && --mem.users == 0) {
		rte_mem_event_callback_unregister(CALLBACK_NAME, NULL);
		close_file();
	}
	pthread_mutex_unlock(&mem.users_lock);
}
