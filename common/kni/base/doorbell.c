// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_kni
#include "doorbell.h"
#include "abi/knit_types.h"
#include "broker.h"
#include "compat.h"
#include "log.h"
#include "owner.h"

#include <rte_eal.h>
#include <rte_memzone.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define DOORBELLS_MZ "knit_doorbells"

/*
 * One doorbell. Written by the process that makes it, read by all. pid 0: nobody has the number.
 *
 * gen is one more with each step of its life, and odd while the fd is open: it is stored after the
 * fd was made and before the fd is closed. Whoever takes a copy of the fd looks at gen before and
 * after that: if it is the same odd one, the fd was the doorbell's all the time, and not another
 * file that got its number.
 */
struct doorbell {
	uint32_t pid;
	int32_t fd; /* in that process */
	uint64_t start_time;
	uint64_t gen;
};

static struct doorbell *doorbells; /* shared */

const struct knit_broker *knit_broker;

/* This process's copies. Inherited by fork together with the fds. */
static struct {
	int fd_plus_1; /* 0: not open */
	pid_t maker;   /* this process: it made the doorbell; another one: before a fork; 0 */
	uint64_t gen;
} mine[KNIT_MAX_DOORBELLS];

int knit_doorbell_init(void)
{
	const struct rte_memzone *mz;

	if (doorbells)
		return 0;
	mz = rte_memzone_lookup(DOORBELLS_MZ);
	if (mz == NULL)
		mz = rte_memzone_reserve(DOORBELLS_MZ, sizeof(*doorbells) * KNIT_MAX_DOORBELLS,
					 SOCKET_ID_ANY, 0);
	if (mz == NULL)
		return errno_log(rte_errno, "memzone " DOORBELLS_MZ);
	doorbells = mz->addr;
	return 0;
}

int64_t knit_doorbell_new(void)
{
	uint32_t i, pid, free_pid;
	int fd;

	if (doorbells == NULL)
		return -EINVAL;
	fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (fd < 0)
		return errno_log(errno, "eventfd");
	pid = getpid();
	for (i = 0; i < KNIT_MAX_DOORBELLS; i++) {
		free_pid = 0;
		if (!__atomic_compare_exchange_n(&doorbells[i].pid, &free_pid, pid, false,
						 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			continue;
		/* Whoever had the number may have died with it. */
		__atomic_store_n(&doorbells[i].gen, (doorbells[i].gen | 1) + 1, __ATOMIC_RELEASE);
		knit_mb();
		doorbells[i].start_time = knit_process_start_time(pid);
		doorbells[i].fd = fd;
		mine[i].gen = doorbells[i].gen + 1;
		mine[i].maker = pid;
		mine[i].fd_plus_1 = fd + 1;
		__atomic_store_n(&doorbells[i].gen, mine[i].gen, __ATOMIC_RELEASE);
		return i;
	}
	close(fd);
	return errno_log(ENOSPC, "doorbell: all numbers are in use");
}

void knit_doorbell_free(uint32_t doorbell)
{
	if (doorbells == NULL || doorbell >= KNIT_MAX_DOORBELLS)
		return;
	__atomic_store_n(&doorbells[doorbell].gen, (doorbells[doorbell].gen | 1) + 1,
			 __ATOMIC_RELEASE);
	knit_mb();
	knit_doorbell_close(doorbell);
	__atomic_store_n(&doorbells[doorbell].pid, 0, __ATOMIC_RELEASE);
}

static int fetch_fd(const struct doorbell *b)
{
	int pidfd, fd, err;

	pidfd = syscall(SYS_pidfd_open, b->pid, 0);
	if (pidfd < 0)
		return -errno;
	fd = -1;
	err = ESRCH;
	if (knit_process_start_time(b->pid) == b->start_time) {
		fd = syscall(SYS_pidfd_getfd, pidfd, b->fd, 0);
		err = errno;
	}
	close(pidfd);
	return fd < 0 ? -err : fd;
}

static bool made_here(uint32_t doorbell)
{
	return mine[doorbell].fd_plus_1 && mine[doorbell].maker == getpid();
}

int knit_doorbell_copy(uint32_t doorbell)
{
	int fd;

	if (doorbell >= KNIT_MAX_DOORBELLS || !made_here(doorbell))
		return -ENOENT;
	fd = fcntl(mine[doorbell].fd_plus_1 - 1, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

int knit_doorbell_open(uint32_t doorbell)
{
	const struct doorbell *b;
	uint64_t gen;
	int fd;

	if (doorbells == NULL || doorbell >= KNIT_MAX_DOORBELLS)
		return -ENOENT;
	if (made_here(doorbell))
		return mine[doorbell].fd_plus_1 - 1;
	b = &doorbells[doorbell];
	gen = __atomic_load_n(&b->gen, __ATOMIC_ACQUIRE);
	if (gen % 2 == 0)
		return -ENOENT;
	if (mine[doorbell].fd_plus_1 && mine[doorbell].gen == gen)
		return mine[doorbell].fd_plus_1 - 1;
	knit_doorbell_close(doorbell);
	fd = fetch_fd(b);
	if (fd == -EPERM && knit_broker)
		fd = knit_broker->doorbell(doorbell);
	knit_mb();
	if (__atomic_load_n(&b->gen, __ATOMIC_ACQUIRE) != gen) {
		if (fd >= 0)
			close(fd);
		return -ENOENT;
	}
	if (fd < 0)
		return fd;
	mine[doorbell].gen = gen;
	mine[doorbell].maker = 0;
	mine[doorbell].fd_plus_1 = fd + 1;
	return fd;
}

void knit_doorbell_close(uint32_t doorbell)
{
	int fd;

	if (doorbell >= KNIT_MAX_DOORBELLS)
		return;
	/* Forgotten before it is closed: a signal's handler may ring in between. */
	fd = __atomic_exchange_n(&mine[doorbell].fd_plus_1, 0, __ATOMIC_ACQ_REL) - 1;
	if (fd >= 0)
		close(fd);
}

void knit_doorbell_ring(uint32_t doorbell)
{
	static const uint64_t one = 1;

	if (doorbell >= KNIT_MAX_DOORBELLS || mine[doorbell].fd_plus_1 == 0)
		return;
	/* EAGAIN means that the counter is full: it rings already. */
	if (write(mine[doorbell].fd_plus_1 - 1, &one, sizeof(one)) < 0)
		return;
}

void knit_doorbell_clear(uint32_t doorbell)
{
	uint64_t count;

	if (doorbell >= KNIT_MAX_DOORBELLS || mine[doorbell].fd_plus_1 == 0)
		return;
	if (read(mine[doorbell].fd_plus_1 - 1, &count, sizeof(count)) < 0)
		return;
}
