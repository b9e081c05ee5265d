// SPDX-License-Identifier: BSD-3-Clause
#include "net_tap_reaper.h"

#include "fail.h"
#include "kni/base/compat.h"
#include "net_tap.h"
#include "worker.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/*
 * Closes queues of net_tap ports that the worker does not use. The driver gives every attached
 * process copies of them at each start of the port. A copy keeps a replaced queue alive, and the
 * kernel would continue to send flows into it. The worker is not parked for such a port. So a
 * thread looks for these copies, a few times per second.
 */
#define POLL_MS 250

static struct {
	struct knit_thread thread;
	int end; /* eventfd: the thread shall end */
	bool running;
} reaper;

static uint32_t reaper_thread(void *arg)
{
	struct pollfd end = { .fd = reaper.end, .events = POLLIN };
	struct knit_worker *w = arg;

	do
		knit_net_tap_reap(w);
	while (poll(&end, 1, POLL_MS) <= 0);
	return 0;
}

int knit_net_tap_reaper_start(struct knit_worker *w)
{
	sigset_t all, old;
	int err;

	if (w->n_unused_taps == 0)
		return KNIT_EXIT_OK;
	reaper.end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (reaper.end < 0)
		return knit_worker_fail(w, KNIT_EXIT_RESOURCES, "eventfd: %m");
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = knit_thread_create(&reaper.thread, "knit-taps", reaper_thread, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err) {
		close(reaper.end);
		return knit_worker_fail(w, KNIT_EXIT_RESOURCES, "thread: %s", strerror(-err));
	}
	reaper.running = true;
	return KNIT_EXIT_OK;
}

void knit_net_tap_reaper_end(void)
{
	static const uint64_t one = 1;

	if (!reaper.running)
		return;
	reaper.running = false;
	if (write(reaper.end, &one, sizeof(one)) == sizeof(one))
		knit_thread_join(&reaper.thread);
	close(reaper.end);
}
