// SPDX-License-Identifier: BSD-3-Clause
#include "attach.h"

#include "fail.h"
#include "idle.h"
#include "kni/base/doorbell.h"
#include "kni/control/pair.h"
#include "kni/engine/engine.h"
#include "kni/engine/engine_call.h"
#include "net_tap.h"
#include "net_tap_reaper.h"
#include "plan.h"
#include "system/topology/handoff.h"
#include "watch.h"
#include "worker.h"

#include <rte_errno.h>
#include <rte_mempool.h>
#include <rte_rcu_qsbr.h>

#include <stdarg.h>
#include <stdio.h>

static int open_doorbell(struct knit_worker *w, uint32_t doorbell, const char *whose)
{
	int fd = knit_doorbell_open(doorbell);

	if (fd >= 0)
		return KNIT_EXIT_OK;
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
	uint32_t i;

	if (w->entry == NULL)
		return;
	for (i = 0; i < w->n_outputs; i++) {
		if (w->outputs[i].kni)
			knit_doorbell_close(
				w->outputs[i].kni->pair[w->outputs[i].queue].engine_doorbell);
		else if (w->outputs[i].handoff)
			knit_doorbell_close(w->outputs[i].handoff->consumer_doorbell);
	}
	knit_doorbell_close(w->entry->doorbell);
}

static int claim_pair(struct knit_worker *w, const struct knit_output *out)
{
	int ret = knit_pair_claim(out->kni, out->queue, w->entry->pool, w->entry->doorbell);

	if (ret < 0)
		return ret;
	ret = knit_engine_bind_pair(out->kni, out->queue);
	if (ret < 0)
		knit_pair_unclaim(out->kni, out->queue);
	return ret;
}

static int claim_pairs(struct knit_worker *w)
{
	struct knit_output *out;
	int ret;

	/* An interface is both output and input, so the outputs contain each interface once. */
	for (; w->n_claimed < w->n_outputs; w->n_claimed++) {
		out = &w->outputs[w->n_claimed];
		if (out->kni == NULL)
			continue;
		ret = claim_pair(w, out);
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
	struct knit_output *out;

	while (w->n_claimed) {
		out = &w->outputs[--w->n_claimed];
		if (out->kni == NULL)
			continue;
		knit_engine_unbind_pair(out->kni, out->queue);
		knit_pair_unclaim(out->kni, out->queue);
	}
}

/* Only this worker has the entry, so only it has these ends. */
static int claim_handoffs(struct knit_worker *w)
{
	struct knit_handoff *x;
	bool ok = true;
	uint32_t i;

	for (i = 0; ok && i < w->n_outputs; i++) {
		x = w->outputs[i].handoff;
		ok = x == NULL || knit_handoff_claim_producer(x);
	}
	for (i = 0; ok && i < w->n_inputs; i++) {
		x = w->inputs[i].handoff;
		ok = x == NULL || knit_handoff_claim_consumer(x, w->entry->pool);
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
		ret = claim_handoffs(w);
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
	return knit_net_tap_reaper_start(w);
}

void knit_worker_unclaim(struct knit_worker *w)
{
	knit_net_tap_reaper_end();
	if (w->registered)
		rte_rcu_qsbr_thread_unregister(w->qsbr, 0);
	w->registered = false;
	unclaim_handoffs(w);
	unclaim_pairs(w);
	/*
	 * The pool's cache stays as it is for the successor, which has the same lcore id. It is not
	 * flushed here because the primary may be working on the pool right now.
	 */
	close_doorbells(w);
}
