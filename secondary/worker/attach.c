// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_worker
#include "attach.h"

#include "fail.h"
#include "idle.h"
#include "kni/base/clock.h"
#include "kni/base/doorbell.h"
#include "kni/base/log.h"
#include "kni/control/pair.h"
#include "kni/engine/engine.h"
#include "kni/engine/engine_call.h"
#include "net_tap.h"
#include "net_tap_reaper.h"
#include "plan.h"
#include "serves.h"
#include "system/topology/handoff.h"
#include "watch.h"
#include "worker.h"

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mempool.h>
#include <rte_rcu_qsbr.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int open_doorbell(struct knit_worker *w, uint32_t doorbell, const char *whose)
{
	int fd = knit_doorbell_open(doorbell);

	if (fd >= 0) {
		w->doorbells[w->n_doorbells++] = doorbell;
		return KNIT_EXIT_OK;
	}
	return knit_worker_fail(w, knit_secondary_doorbell_exit(fd), "doorbell %u of %s: %s%s",
				doorbell, whose, rte_strerror(-fd),
				fd == -EPERM ? " (needs the primary's user, or CAP_SYS_PTRACE)"
					     : "");
}

/* Opens every doorbell that the worker may ring, and its own. */
static int open_doorbells(struct knit_worker *w)
{
	struct rte_kni *kni;
	uint32_t i, doorbell;
	int ret;

	ret = open_doorbell(w, w->entry->doorbell, "the worker");
	for (i = 0; ret == KNIT_EXIT_OK && i < w->n_outputs; i++) {
		if (w->outputs[i].end == KNIT_END_HANDOFF)
			ret = open_doorbell(w, w->outputs[i].handoff->consumer_doorbell,
					    "the worker that sends for this one");
		kni = w->outputs[i].kni;
		if (kni == NULL)
			continue;
		doorbell = kni->pair[w->outputs[i].queue].engine_doorbell;
		if (doorbell != KNIT_DOORBELL_NONE)
			ret = open_doorbell(w, doorbell, kni->name);
	}
	return ret;
}

static void close_doorbells(struct knit_worker *w)
{
	while (w->n_doorbells)
		knit_doorbell_close(w->doorbells[--w->n_doorbells]);
}

/*
 * A plan may give this worker a pair that another one had by the plan before. That one empties it
 * and lets it go when it follows the plan, which takes it microseconds, if it runs. If it has ended
 * the primary does it.
 */
#define PAIR_WAIT_MS 500

static bool is_released(const struct knit_worker *w, const struct rte_kni *kni, uint16_t pair)
{
	const struct knit_plan *before = &w->topo->plan[(w->plan.number + 1) % 2];
	unsigned int i, k;

	if (__atomic_load_n(&w->topo->changing, __ATOMIC_ACQUIRE) != w->plan.number)
		return true;
	for (k = 0; k < KNIT_MAX_CONF_IFACES && w->topo->ifaces[k].kni != kni; k++)
		;
	for (i = 0; k < KNIT_MAX_CONF_IFACES && i < KNIT_MAX_WORKERS; i++)
		if (i != w->id && before->workers[i].pair[k] == (int)pair &&
		    __atomic_load_n(&w->topo->workers[i].released, __ATOMIC_ACQUIRE) !=
			    w->plan.number)
			return false;
	return true;
}

static int await_pair(const struct knit_worker *w, const struct rte_kni *kni, uint16_t pair)
{
	const struct timespec pause = { .tv_nsec = 20000 };
	int64_t end = knit_now_ms() + PAIR_WAIT_MS;

	while (!is_released(w, kni, pair)) {
		/* Whoever has the pair may have died: the reset of its domain needs this worker. */
		if (w->registered && __atomic_load_n(&w->entry->park, __ATOMIC_ACQUIRE))
			return -EAGAIN;
		if (knit_now_ms() >= end)
			return -EBUSY;
		nanosleep(&pause, NULL);
	}
	return 0;
}

static int claim_pair(struct knit_worker *w, struct rte_kni *kni, uint16_t pair)
{
	int ret;

	ret = await_pair(w, kni, pair);
	if (ret < 0)
		return ret;
	ret = knit_pair_claim(kni, pair, w->entry->pool, w->entry->doorbell);
	if (ret < 0)
		return ret;
	ret = w->promote ? knit_engine_take_pair(kni, pair) : knit_engine_bind_pair(kni, pair);
	if (ret < 0)
		knit_pair_unclaim(kni, pair);
	else
		w->claims[w->n_claims++] = (struct knit_worker_pair){ kni, pair };
	return ret;
}

static bool has_claim(const struct knit_worker *w, const struct rte_kni *kni, uint16_t pair)
{
	uint32_t i;

	for (i = 0; i < w->n_claims; i++)
		if (w->claims[i].kni == kni && w->claims[i].pair == pair)
			return true;
	return false;
}

/* An interface is both output and input, so the outputs contain each interface once. */
static int claim_pairs(struct knit_worker *w)
{
	const struct knit_output *out;
	uint32_t i;
	int ret;

	for (i = 0; i < w->n_outputs; i++) {
		out = &w->outputs[i];
		if (out->kni == NULL || has_claim(w, out->kni, out->queue))
			continue;
		ret = claim_pair(w, out->kni, out->queue);
		w->unfinished = ret == -EAGAIN;
		if (w->unfinished)
			return KNIT_EXIT_OK;
		if (ret < 0)
			return knit_worker_fail(w,
						ret == -EBUSY ? KNIT_EXIT_TAKEN : KNIT_EXIT_FAILURE,
						"interface %s, queue pair %u: %s", out->kni->name,
						out->queue, rte_strerror(-ret));
	}
	return KNIT_EXIT_OK;
}

static void unclaim_pairs(struct knit_worker *w)
{
	const struct knit_worker_pair *c;

	while (w->n_claims) {
		c = &w->claims[--w->n_claims];
		knit_engine_unbind_pair(c->kni, c->pair);
		knit_pair_unclaim(c->kni, c->pair);
	}
}

static bool is_output(const struct knit_worker *w, const struct knit_worker_pair *c)
{
	uint32_t i;

	for (i = 0; i < w->n_outputs; i++)
		if (w->outputs[i].kni == c->kni && w->outputs[i].queue == c->pair)
			return true;
	return false;
}

/*
 * Gives up the pairs that the plan takes away. The engine has left them alone since the primary
 * parked this worker. Their mbufs are of this worker's pool, which nobody else may touch.
 */
static void release_pairs(struct knit_worker *w)
{
	struct knit_worker_pair *c;
	uint32_t i = 0;

	while (i < w->n_claims) {
		c = &w->claims[i];
		if (is_output(w, c)) {
			i++;
			continue;
		}
		knit_engine_unbind_pair(c->kni, c->pair);
		knit_pair_empty(c->kni, c->pair);
		knit_pair_unclaim(c->kni, c->pair);
		*c = w->claims[--w->n_claims];
	}
}

static bool has_handoff(const struct knit_plan *plan, const struct knit_handoff *x)
{
	unsigned int i, k;

	for (i = 0; i < KNIT_MAX_WORKERS; i++)
		for (k = 0; k < KNIT_MAX_PORTS; k++)
			if (plan->workers[i].handoff[k] == x)
				return true;
	return false;
}

/* Only this worker has the entry, so only it has these ends. before: what it followed, or NULL. */
static int claim_handoffs(struct knit_worker *w, const struct knit_plan *before)
{
	struct knit_handoff *x;
	bool ok = true;
	uint32_t i;

	for (i = 0; ok && i < w->n_outputs; i++) {
		x = w->outputs[i].handoff;
		if (x && (before == NULL || !has_handoff(before, x)))
			ok = knit_handoff_claim_producer(x);
	}
	for (i = 0; ok && i < w->n_inputs; i++) {
		x = w->inputs[i].handoff;
		if (x && (before == NULL || !has_handoff(before, x)))
			ok = knit_handoff_claim_consumer(x, w->entry->pool);
	}
	if (ok)
		return KNIT_EXIT_OK;
	return knit_worker_fail(w, KNIT_EXIT_FAILURE,
				"a hand-off queue with another worker: indexes are corrupt");
}

static void unclaim_handoffs(struct knit_worker *w)
{
	uint32_t i;

	for (i = 0; i < w->n_inputs; i++)
		if (w->inputs[i].handoff)
			knit_handoff_disarm(w->inputs[i].handoff);
}

static int find_entry(struct knit_worker *w)
{
	w->topo = w->secondary.topo;
	w->entry = knit_topo_worker(w->topo, w->id);
	if (w->entry == NULL)
		return knit_worker_fail(w, KNIT_EXIT_CONFIG, "not in the primary's configuration");
	w->qsbr = w->entry->qsbr;
	w->stats = &w->entry->stats;
	w->burst = w->entry->burst;
	if (w->burst == 0 || w->burst > KNIT_BURST_MAX)
		return knit_worker_fail(w, KNIT_EXIT_CONFIG, "burst %u: 1 to %d is allowed",
					w->burst, KNIT_BURST_MAX);
	return KNIT_EXIT_OK;
}

int knit_worker_claim(struct knit_worker *w)
{
	int ret = find_entry(w);

	if (ret == KNIT_EXIT_OK)
		ret = knit_worker_plan(w);
	if (ret == KNIT_EXIT_OK)
		ret = open_doorbells(w);
	if (ret == KNIT_EXIT_OK)
		ret = claim_pairs(w);
	if (ret == KNIT_EXIT_OK)
		ret = claim_handoffs(w, NULL);
	if (ret != KNIT_EXIT_OK)
		return ret;
	/* The worker is offline until the loop starts. */
	rte_rcu_qsbr_thread_register(w->qsbr, 0);
	w->registered = true;
	ret = knit_net_tap_init(w);
	if (ret != KNIT_EXIT_OK)
		return ret;
	knit_idle_init(w);
	knit_watch_open(w);
	__atomic_store_n(&w->entry->follows, w->plan.number, __ATOMIC_RELEASE);
	return knit_net_tap_reaper_start(w);
}

/* What no plan needs any more is closed only now: the new plan may ring the same doorbells. */
static int open_new_doorbells(struct knit_worker *w)
{
	uint32_t before[RTE_DIM(w->doorbells)], n = w->n_doorbells, i, k;
	int ret;

	memcpy(before, w->doorbells, sizeof(before));
	w->n_doorbells = 0;
	ret = open_doorbells(w);
	for (i = 0; i < n; i++) {
		for (k = 0; k < w->n_doorbells && w->doorbells[k] != before[i]; k++)
			;
		if (k == w->n_doorbells)
			knit_doorbell_close(before[i]);
	}
	return ret;
}

static int follow(struct knit_worker *w, const struct knit_plan *before)
{
	int ret;

	ret = knit_worker_plan(w);
	release_pairs(w);
	__atomic_store_n(&w->entry->released, w->plan.number, __ATOMIC_RELEASE);
	if (ret == KNIT_EXIT_OK)
		ret = open_new_doorbells(w);
	if (ret == KNIT_EXIT_OK)
		ret = claim_pairs(w);
	if (ret == KNIT_EXIT_OK && !w->unfinished)
		ret = claim_handoffs(w, before);
	if (ret == KNIT_EXIT_OK && !w->unfinished)
		ret = knit_net_tap_follow(w);
	return ret;
}

int knit_worker_follow(struct knit_worker *w)
{
	static struct knit_plan before;
	int ret;

	if (!w->unfinished)
		before = w->plan;
	w->unfinished = false;
	knit_net_tap_reaper_end();
	knit_watch_end(w);
	knit_idle_awake(w);
	ret = follow(w, &before);
	if (ret != KNIT_EXIT_OK || w->unfinished)
		return ret;
	w->behind = false;
	knit_idle_rebuild(w);
	__atomic_store_n(&w->entry->follows, w->plan.number, __ATOMIC_RELEASE);
	if (!w->mine->there)
		return knit_worker_fail(w, KNIT_EXIT_MISMATCH,
					"no longer in the primary's configuration");
	log_notice("worker %u: follows plan %u", w->id, w->plan.number);
	knit_worker_status(w);
	return knit_net_tap_reaper_start(w);
}

static void unprepare_pairs(struct knit_worker *w)
{
	const struct knit_worker_pair *c;

	while (w->n_prepared) {
		c = &w->prepared[--w->n_prepared];
		knit_engine_unbind_pair(c->kni, c->pair);
	}
}

static void prepare_pairs(struct knit_worker *w)
{
	const struct knit_output *out;
	uint32_t i;

	for (i = 0; i < w->n_outputs; i++) {
		out = &w->outputs[i];
		if (out->kni == NULL)
			continue;
		knit_engine_prepare_pair(out->kni, out->queue);
		w->prepared[w->n_prepared++] = (struct knit_worker_pair){ out->kni, out->queue };
	}
}

bool knit_worker_prepared(const struct knit_worker *w)
{
	return w->plan.number == __atomic_load_n(&w->topo->planned, __ATOMIC_ACQUIRE) &&
	       w->pool == w->entry->pool && !knit_net_tap_stale(w);
}

int knit_worker_prepare(struct knit_worker *w)
{
	bool again = w->entry != NULL;
	uint32_t number = w->plan.number;
	int ret = find_entry(w);

	if (ret != KNIT_EXIT_OK)
		return ret;
	if (rte_lcore_id() != w->entry->lcore)
		return knit_worker_fail(w, KNIT_EXIT_RESTART,
					"the worker has another lcore id now");
	knit_net_tap_reaper_end();
	w->pool = w->entry->pool;
	ret = knit_worker_plan(w);
	if (ret == KNIT_EXIT_OK && !w->mine->there)
		ret = knit_worker_fail(w, KNIT_EXIT_MISMATCH,
				       "no longer in the primary's configuration");
	if (ret == KNIT_EXIT_OK)
		ret = open_new_doorbells(w);
	if (ret == KNIT_EXIT_OK && !again)
		ret = knit_net_tap_init(w);
	else if (ret == KNIT_EXIT_OK && number != w->plan.number)
		ret = knit_net_tap_follow(w);
	else if (ret == KNIT_EXIT_OK)
		ret = knit_net_tap_refresh(w);
	if (ret != KNIT_EXIT_OK)
		return ret;
	if (!again || number != w->plan.number) {
		unprepare_pairs(w);
		prepare_pairs(w);
	}
	knit_watch_open(w);
	__atomic_store_n(&w->entry->next.prepared, w->plan.number, __ATOMIC_RELEASE);
	return knit_net_tap_reaper_start(w);
}

int knit_worker_take(struct knit_worker *w)
{
	int ret = claim_pairs(w);

	if (ret == KNIT_EXIT_OK)
		ret = claim_handoffs(w, NULL);
	if (ret != KNIT_EXIT_OK)
		return ret;
	w->n_prepared = 0;
	rte_rcu_qsbr_thread_register(w->qsbr, 0);
	w->registered = true;
	knit_idle_init(w);
	__atomic_store_n(&w->entry->released, w->plan.number, __ATOMIC_RELEASE);
	__atomic_store_n(&w->entry->follows, w->plan.number, __ATOMIC_RELEASE);
	return KNIT_EXIT_OK;
}

static void yield_all(struct knit_worker *w)
{
	uint32_t i;

	w->entry->yield_tsc = rte_rdtsc();
	knit_watch_end(w);
	knit_idle_awake(w);
	unclaim_handoffs(w);
	for (i = 0; i < w->n_claims; i++) {
		knit_engine_yield_pair(w->claims[i].kni, w->claims[i].pair);
		knit_pair_unclaim(w->claims[i].kni, w->claims[i].pair);
	}
	rte_rcu_qsbr_thread_unregister(w->qsbr, 0);
	w->registered = false;
	w->secondary.replaced = true;
	__atomic_store_n(&w->entry->yielded, w->secondary.generation, __ATOMIC_RELEASE);
}

bool knit_worker_yield(struct knit_worker *w)
{
	uint32_t mine = w->secondary.generation;

	if (likely(__atomic_load_n(&w->entry->yield, __ATOMIC_ACQUIRE) != mine) ||
	    !__atomic_compare_exchange_n(&w->entry->yield, &mine, KNIT_YIELDING, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return false;
	yield_all(w);
	return true;
}

/* Of what it had open only; the rest is its successor's. */
static void close_yielded(struct knit_worker *w)
{
	while (w->n_claims) {
		w->n_claims--;
		knit_engine_unbind_pair(w->claims[w->n_claims].kni, w->claims[w->n_claims].pair);
	}
	close_doorbells(w);
}

void knit_worker_unclaim(struct knit_worker *w)
{
	knit_net_tap_reaper_end();
	if (w->secondary.replaced) {
		close_yielded(w);
		return;
	}
	unprepare_pairs(w);
	if (w->registered)
		rte_rcu_qsbr_thread_unregister(w->qsbr, 0);
	w->registered = false;
	/* One that only stood by has claimed nothing. */
	if (w->secondary.role == KNIT_ROLE_WORKER) {
		unclaim_handoffs(w);
		unclaim_pairs(w);
	}
	/*
	 * The pool's cache stays as it is for the successor, which has the same lcore id. It is not
	 * flushed here because the primary may be working on the pool right now.
	 */
	close_doorbells(w);
}
