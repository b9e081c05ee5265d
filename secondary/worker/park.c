// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_worker
#include "park.h"

#include "attach.h"
#include "idle.h"
#include "kni/base/doorbell.h"
#include "kni/base/log.h"
#include "net_tap.h"
#include "signals.h"
#include "standby.h"
#include "worker.h"

#include <rte_rcu_qsbr.h>

#include <poll.h>

/* The longest time until a changed park word is seen if the doorbell did not ring. */
#define POLL_MS 50

/* Offline. Waits until the primary resumes, or until something ends the worker. */
static void wait_resumed(struct knit_worker *w)
{
	struct pollfd doorbell = { .fd = knit_doorbell_open(w->entry->doorbell), .events = POLLIN };
	uint32_t park;

	if (knit_worker_yield(w))
		return;
	knit_count(&w->stats->parks, 1);
	while ((park = __atomic_load_n(&w->entry->park, __ATOMIC_ACQUIRE)) != 0 &&
	       !knit_stop_requested()) {
		__atomic_store_n(&w->entry->park_ack, park, __ATOMIC_RELEASE);
		knit_beat(&w->beat);
		if (w->promote)
			knit_standby_promote(w);
		if (poll(&doorbell, 1, POLL_MS) > 0)
			knit_doorbell_clear(w->entry->doorbell);
		if (knit_worker_yield(w))
			return;
	}
}

static bool must_leave(const struct knit_worker *w)
{
	if (__atomic_load_n(&w->entry->leave, __ATOMIC_ACQUIRE) != w->entry->generation)
		return false;
	log_notice("worker %u: leaving to start anew, as the primary wants it", w->id);
	return true;
}

/* Online. The primary waits for a quiescent state before it touches anything again. */
static int resume(struct knit_worker *w)
{
	int ret = KNIT_EXIT_OK;

	w->behind = false;
	if (w->unfinished || __atomic_load_n(&w->topo->planned, __ATOMIC_ACQUIRE) != w->plan.number)
		ret = knit_worker_follow(w);
	return ret == KNIT_EXIT_OK && must_leave(w) ? KNIT_EXIT_RESTART : ret;
}

/*
 * The order matters. A worker that comes online and then reads park as 0 may touch everything. The
 * primary stores park first and then looks for online workers. A parked worker may end. It then
 * stays offline. So this function returns while offline only if the worker has to end.
 */
int knit_park_check(struct knit_worker *w)
{
	int ret;

	for (;;) {
		if (likely(__atomic_load_n(&w->entry->park, __ATOMIC_ACQUIRE) == 0) &&
		    !knit_net_tap_stale(w)) {
			ret = resume(w);
			if (ret != KNIT_EXIT_OK || !w->unfinished)
				return ret;
		}
		rte_rcu_qsbr_thread_offline(w->qsbr, 0);
		wait_resumed(w);
		if (w->secondary.replaced)
			return KNIT_WORKER_REPLACED;
		if (knit_stop_requested())
			return KNIT_EXIT_OK;
		ret = knit_net_tap_refresh(w);
		if (ret != KNIT_EXIT_OK)
			return ret;
		knit_idle_rebuild(w);
		rte_rcu_qsbr_thread_online(w->qsbr, 0);
	}
}
