// SPDX-License-Identifier: BSD-3-Clause
#include "park.h"

#include "kni/base/doorbell.h"
#include "primary.h"

#include <rte_cycles.h>
#include <rte_rcu_qsbr.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>

/*
 * A burst lasts microseconds. A worker that takes longer is stopped, swapped out, or on a CPU that
 * it does not have for itself.
 */
#define QUIESCE_MS 100

static uint32_t park_count;

static bool worker_has_queue(const struct primary *p, unsigned int i, uint64_t ports)
{
	return p->topo->workers[i].state == KNIT_PROCESS_ATTACHED &&
	       knit_plan_has_queue(&p->plan->workers[i], ports);
}

bool park_is_held(const struct knit_topo_worker *w)
{
	return w->held && w->held == w->generation;
}

static void worker_wake(struct knit_topo_worker *w)
{
	knit_doorbell_ring(w->doorbell);
}

void park_wake(struct primary *p, uint64_t ports)
{
	unsigned int i;

	for (i = 0; i < p->topo->n_workers; i++)
		if (worker_has_queue(p, i, ports))
			worker_wake(&p->topo->workers[i]);
}

void park_resume(struct primary *p)
{
	struct knit_topo_worker *w;
	unsigned int i;

	for (i = 0; i < p->topo->n_workers; i++) {
		w = &p->topo->workers[i];
		if (w->park == 0 || park_is_held(w))
			continue;
		__atomic_store_n(&w->park, 0, __ATOMIC_RELEASE);
		worker_wake(w);
	}
}

bool park_still_stuck(struct primary *p, uint64_t ports)
{
	struct knit_topo_worker *w = p->stuck;

	if (w && !knit_plan_has_queue(&p->plan->workers[w->id], ports))
		return false;
	if (w && w->state == KNIT_PROCESS_ATTACHED &&
	    __atomic_load_n(&w->stats.rounds, __ATOMIC_RELAXED) == p->stuck_rounds)
		return true;
	p->stuck = NULL;
	return false;
}

/*
 * Waits for the workers that were asked to park. Returns one that did not park, or NULL. The
 * worker's answer is a store, so this polls every 100 us, for at most QUIESCE_MS.
 */
static struct knit_topo_worker *wait_workers_quiet(struct primary *p, const uint64_t *token)
{
	uint64_t deadline = rte_get_timer_cycles() + rte_get_timer_hz() * QUIESCE_MS / 1000;
	const struct timespec pause = { .tv_nsec = 100000 };
	struct knit_topo_worker *w;
	unsigned int i;

	for (i = 0; i < p->topo->n_workers; i++) {
		w = &p->topo->workers[i];
		while (w->park && rte_rcu_qsbr_check(w->qsbr, token[i], false) == 0) {
			if (rte_get_timer_cycles() >= deadline)
				return w;
			ppoll(NULL, 0, &pause, NULL);
		}
	}
	return NULL;
}

static void next_park(void)
{
	park_count = park_count == UINT32_MAX ? 1 : park_count + 1;
}

void park_ask(struct primary *p, unsigned int worker)
{
	struct knit_topo_worker *w = &p->topo->workers[worker];

	next_park();
	__atomic_store_n(&w->park, park_count, __ATOMIC_RELEASE);
	worker_wake(w);
}

/*
 * After the park word of a worker is set, there is a full barrier and a grace period. After that
 * the worker either has acknowledged or was offline. A worker that comes online reads park before
 * it touches anything. So all of them stand still. Both sides store one word and then load the word
 * that the other side stores: park and the state of qsbr. So both need a full barrier between the
 * two. Here it is knit_mb, in the worker it is in rte_rcu_qsbr_thread_online.
 */
int park_set(struct primary *p, uint64_t workers, char *why, size_t len)
{
	uint64_t token[KNIT_MAX_WORKERS];
	struct knit_topo_worker *w;
	unsigned int i;

	next_park();
	for (i = 0; i < p->topo->n_workers; i++) {
		w = &p->topo->workers[i];
		if (!(workers & UINT64_C(1) << i))
			continue;
		__atomic_store_n(&w->park, park_count, __ATOMIC_RELEASE);
		worker_wake(w);
	}
	knit_mb();
	for (i = 0; i < p->topo->n_workers; i++)
		token[i] = rte_rcu_qsbr_start(p->topo->workers[i].qsbr);
	w = wait_workers_quiet(p, token);
	if (w == NULL)
		return 0;
	snprintf(why, len, "worker %u (process %u) did not stop within %d ms", w->id, w->pid,
		 QUIESCE_MS);
	p->stuck = w;
	p->stuck_rounds = __atomic_load_n(&w->stats.rounds, __ATOMIC_RELAXED);
	park_resume(p);
	return -EBUSY;
}

int park_workers(struct primary *p, uint64_t ports, char *why, size_t len)
{
	uint64_t workers = 0;
	unsigned int i;

	for (i = 0; i < p->topo->n_workers; i++)
		if (worker_has_queue(p, i, ports))
			workers |= UINT64_C(1) << i;
	return park_set(p, workers, why, len);
}

int park_worker(struct primary *p, unsigned int worker, char *why, size_t len)
{
	return park_set(p, UINT64_C(1) << worker, why, len);
}
