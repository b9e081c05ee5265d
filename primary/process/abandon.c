// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "abandon.h"

#include "kni/base/log.h"
#include "primary.h"
#include "system/process/eal_paths.h"
#include "system/process/exit.h"

#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A copy: the configuration is freed just before an orderly end. */
static char prefix[sizeof(((struct knit_conf_eal *)0)->prefix)];

static void *abandon_main(void *arg)
{
	const struct timespec limit = { .tv_sec = ABANDON_SECONDS };

	nanosleep(&limit, NULL);
	log_err("the end takes more than %d s, maybe for a lock that the dead process held: "
		"ending without order",
		ABANDON_SECONDS);
	knit_eal_remove_files(prefix);
	_exit(KNIT_EXIT_RESTART);
}

void primary_abandon_later(struct primary *p)
{
	static bool begun;
	pthread_t thread;

	if (__atomic_exchange_n(&begun, true, __ATOMIC_ACQ_REL))
		return;
	memcpy(prefix, p->conf->eal.prefix, sizeof(prefix));
	if (pthread_create(&thread, NULL, abandon_main, NULL) == 0)
		pthread_detach(thread);
}
