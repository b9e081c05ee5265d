// SPDX-License-Identifier: BSD-3-Clause
#include "signals.h"

#include "kni/base/doorbell.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>

uint32_t knit_stop_flag;

static uint32_t wake_doorbell = KNIT_DOORBELL_NONE;

static void on_signal(int sig)
{
	int saved = errno;

	__atomic_store_n(&knit_stop_flag, 1, __ATOMIC_RELAXED);
	knit_doorbell_ring(wake_doorbell);
	errno = saved;
}

static void signal_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
}

int knit_signals_block(void)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	sigset_t set;

	signal_set(&set);
	sa.sa_mask = set;
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || sigaction(SIGTERM, &sa, NULL) < 0 ||
	    sigaction(SIGINT, &sa, NULL) < 0 || sigaction(SIGHUP, &sa, NULL) < 0)
		return -errno;
	return 0;
}

void knit_signals_unblock(uint32_t doorbell)
{
	sigset_t set;

	wake_doorbell = doorbell;
	signal_set(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}
