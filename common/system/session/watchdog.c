// SPDX-License-Identifier: BSD-3-Clause
#include "watchdog.h"
#include "kni/base/owner.h"
#include "system/rundir/rundir.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct pollfd primary = { .fd = -1, .events = POLLIN };
static pid_t primary_pid;
static bool leaving;

static void *watchdog_main(void *arg)
{
	while (poll(&primary, 1, -1) != 1)
		;
	if (__atomic_load_n(&leaving, __ATOMIC_ACQUIRE))
		_exit(KNIT_EXIT_OK);
	dprintf(STDERR_FILENO, "knit: the primary (process %d) is gone\n", (int)primary_pid);
	_exit(KNIT_EXIT_NO_PRIMARY);
}

static int start_thread(void)
{
	sigset_t all, old;
	pthread_t thread;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	err = pthread_create(&thread, NULL, watchdog_main, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		return -err;
	pthread_setname_np(thread, "knit-watchdog");
	pthread_detach(thread);
	return 0;
}

int knit_watchdog_primary(pid_t pid, uint64_t start_time)
{
	int ret = -ESRCH;

	primary_pid = pid;
	primary.fd = syscall(SYS_pidfd_open, pid, 0);
	if (primary.fd < 0)
		return -errno;
	/* After the open: from here on the pid cannot mean another process. */
	if (start_time != 0 && knit_process_start_time(pid) == start_time)
		ret = start_thread();
	if (ret < 0) {
		close(primary.fd);
		primary.fd = -1;
	}
	return ret;
}

void knit_watchdog_leaving(void)
{
	__atomic_store_n(&leaving, true, __ATOMIC_RELEASE);
}
