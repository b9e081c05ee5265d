// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_worker
#include "standby.h"

#include "attach.h"
#include "fail.h"
#include "kni/base/clock.h"
#include "kni/base/doorbell.h"
#include "kni/base/log.h"
#include "serves.h"
#include "signals.h"
#include "system/config/cpus.h"
#include "system/session/msg.h"
#include "worker.h"

#include <rte_cycles.h>
#include <rte_lcore.h>

#include <poll.h>
#include <sched.h>

/* A port that was started anew, or another pool, is seen after so long. */
#define LOOK_MS 100
#define HAND_OVER_MS 500
#define TAKE_MS 2000 /* a successor that takes longer has died, or stands still */

static cpu_set_t cpus_of(const struct knit_worker *w, bool others)
{
	struct knit_cpu_set own;
	cpu_set_t cpus;
	unsigned int i;

	knit_cpus_of(w->entry->lcore, w->entry->cpus, &own);
	CPU_ZERO(&cpus);
	for (i = 0; i < CPU_SETSIZE; i++)
		if (knit_cpus_has(&own, i) != others)
			CPU_SET(i, &cpus);
	return cpus;
}

/* It attached on control's CPUs. Asleep it takes nothing from the worker on its own. */
static void enter_cpu(const struct knit_worker *w)
{
	cpu_set_t cpus = cpus_of(w, false);

	if (rte_thread_set_affinity(&cpus) < 0)
		log_warn("worker %u: its CPUs are not allowed here: it runs on others", w->id);
}

static bool is_being_taken(const struct knit_worker *w)
{
	const struct knit_topo_worker *e = w->entry;
	uint32_t generation = __atomic_load_n(&e->generation, __ATOMIC_ACQUIRE);

	return __atomic_load_n(&e->state, __ATOMIC_ACQUIRE) == KNIT_PROCESS_ATTACHED &&
	       __atomic_load_n(&e->taken, __ATOMIC_ACQUIRE) != generation;
}

void knit_standby_leave_cpu(const struct knit_worker *w)
{
	int64_t end = knit_now_ms() + TAKE_MS;
	cpu_set_t cpus = cpus_of(w, true);

	/* Where there is no other CPU it stays. */
	sched_setaffinity(0, sizeof(cpus), &cpus);
	while (is_being_taken(w) && knit_now_ms() < end)
		poll(NULL, 0, 1);
}

void knit_standby_runs(struct knit_worker *w)
{
	w->entry->taken_tsc = rte_rdtsc();
	__atomic_store_n(&w->entry->taken, w->secondary.generation, __ATOMIC_RELEASE);
}

bool knit_standby_hand_over(struct knit_worker *w)
{
	struct pollfd doorbell = { .fd = knit_doorbell_open(w->entry->doorbell), .events = POLLIN };
	struct knit_msg m = { .op = KNIT_OP_REPLACE, .role = KNIT_ROLE_WORKER, .id = w->id };
	int64_t end = knit_now_ms() + HAND_OVER_MS;

	m.instance = w->topo->instance;
	if (__atomic_load_n(&w->topo->stopping, __ATOMIC_ACQUIRE) ||
	    __atomic_load_n(&w->entry->next.state, __ATOMIC_ACQUIRE) != KNIT_PROCESS_ATTACHED ||
	    knit_msg_ask(&m, -1, HAND_OVER_MS) < 0)
		return false;
	while (knit_now_ms() < end) {
		if (knit_worker_yield(w))
			return true;
		if (poll(&doorbell, 1, 1) > 0)
			knit_doorbell_clear(w->entry->doorbell);
	}
	return false;
}

void knit_standby_promote(struct knit_worker *w)
{
	if (__atomic_load_n(&w->entry->next.state, __ATOMIC_ACQUIRE) == KNIT_PROCESS_FREE)
		w->promote = !knit_rundir_promote(w->secondary.prefix, w->id);
	if (!w->promote)
		knit_worker_status(w);
}

static bool is_worker(const struct knit_worker *w)
{
	return __atomic_load_n(&w->entry->generation, __ATOMIC_ACQUIRE) == w->secondary.generation;
}

static bool must_end(const struct knit_worker *w)
{
	return knit_stop_requested() || __atomic_load_n(&w->topo->stopping, __ATOMIC_RELAXED);
}

static int take_over(struct knit_worker *w)
{
	int ret = KNIT_EXIT_OK;

	w->secondary.role = KNIT_ROLE_WORKER;
	w->promote = true;
	if (!knit_worker_prepared(w))
		ret = knit_worker_prepare(w);
	return ret == KNIT_EXIT_OK ? knit_worker_take(w) : ret;
}

/* It is there, awake and ready. */
static void answer(const struct knit_worker *w)
{
	struct knit_topo_next *n = &w->entry->next;

	if (!is_worker(w) && knit_worker_prepared(w))
		__atomic_store_n(&n->answered, __atomic_load_n(&n->called, __ATOMIC_ACQUIRE),
				 __ATOMIC_RELEASE);
}

static int wait_turn(struct knit_worker *w)
{
	struct pollfd doorbell = { .fd = knit_doorbell_open(w->entry->next.doorbell),
				   .events = POLLIN };
	int ret = KNIT_EXIT_OK;

	while (ret == KNIT_EXIT_OK && !is_worker(w) && !must_end(w)) {
		knit_beat(&w->beat);
		if (poll(&doorbell, 1, LOOK_MS) > 0)
			knit_doorbell_clear(w->entry->next.doorbell);
		if (!is_worker(w) && !knit_worker_prepared(w)) {
			ret = knit_worker_prepare(w);
			enter_cpu(w);
		}
		answer(w);
	}
	return ret;
}

int knit_standby_wait(struct knit_worker *w)
{
	int ret = knit_worker_prepare(w);

	if (ret == KNIT_EXIT_OK && knit_doorbell_open(w->entry->next.doorbell) < 0)
		ret = knit_worker_fail(w, KNIT_EXIT_RESOURCES, "the doorbell of who stands by");
	if (ret == KNIT_EXIT_OK)
		ret = knit_secondary_ready(&w->secondary);
	if (ret != KNIT_EXIT_OK)
		return ret;
	enter_cpu(w);
	knit_signals_unblock(w->entry->next.doorbell);
	knit_beat_init(&w->beat);
	knit_notify("READY=1");
	knit_notify_status("stands by for worker %u", w->id);
	ret = wait_turn(w);
	/* Also one that has to end: it is the worker, and leaves as such. */
	return is_worker(w) ? take_over(w) : ret;
}
