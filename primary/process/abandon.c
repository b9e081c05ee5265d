// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "abandon.h"

#include "kni/base/log.h"
#include "primary.h"
#include "system/process/eal_paths.h"
#include "system/process/exit.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

static void *abandon_main(void *arg)
{
	const struct timespec limit = { .tv_sec = ABANDON_SECONDS };
	const struct primary *p = arg;

	nanosleep(&limit, NULL);
	log_err("a lock that the dead process held is waited for: ending without order");
	knit_eal_remove_files(p->conf->eal.prefix);
	_exit(KNIT_EXIT_RESTART);
}

void primary_abandon_later(struct primary *p)
{
	static bool begun;
	pthread_t thread;

	if (__atomic_exchange_n(&begun, true, __ATOMIC_ACQ_REL))
		return;
	if (pthread_create(&thread, NULL, abandon_main, p) == 0)
		pthread_detach(thread);
}
