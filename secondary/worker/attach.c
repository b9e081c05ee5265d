// SPDX-License-Identifier: BSD-3-Clause
#include "kni/base/doorbell.h"
#include "kni/control/pair.h"
#include "kni/engine/engine.h"
#include "kni/engine/engine_call.h"
#include "system/topology/handoff.h"
#include "worker.h"

#include <rte_errno.h>
#include <rte_mempool.h>
#include <rte_rcu_qsbr.h>

#include <stdarg.h>
#include <stdio.h>

static int open_bell(struct knit_worker *w, uint32_t bell, const char *whose)
{
	int fd = knit_bell_open(bell);

	if (fd >= 0)
		return KNIT_EXIT_OK;
	return knit_worker_fail(w, knit_secondary_bell_exit(fd), "doorbell %u of %s: %s%s", bell,
				whose, rte_strerror(-fd),
				fd == -EPERM ? " (needs the primary's user, or CAP_SYS_PTRACE)"
					     : "");
}

/* Every bell the worker may ring, and its own. */
static int open_bells(struct knit_worker *w)
{
	struct rte_kni *kni;
	uint32_t i, bell;
	int ret;

	ret = open_bell(w, w->slot->bell, "the worker");
	for (i = 0; ret == KNIT_EXIT_OK && i < w->n_outputs; i++) {
		if (w->outputs[i].end == KNIT_END_EXCHANGE)
			ret = open_bell(w, w->outputs[i].exchange->consumer_bell,
					"the worker that sends for this one");
		kni = w->outputs[i].kni;
		if (kni == NULL)
			continue;
		bell = kni->pair[w->outputs[i].queue].engine_bell;
		if (bell != KNIT_BELL_NONE)
			ret = open_bell(w, bell, kni->name);
	}
	return ret;
}

static void close_bells(struct knit_worker *w)
{
	uint32_t i;

	if (w->slot == NULL)
		return;
	for (i = 0; i < w->n_outputs; i++) {
		if (w->outputs[i].kni)
			knit_bell_close(w->outputs[i].kni->pair[w->outputs[i].queue].engine_bell);
		else if (w->outputs[i].exchange)
			knit_bell_close(w->outputs[i].exchange->consumer_bell);
	}
	knit_bell_close(w->slot->bell);
}

static int claim_pair(struct knit_worker *w, const struct knit_output *out)
{
	int ret = knit_pair_claim(out->kni, out->queue, w->slot->pool, w->slot->bell);

	if (ret < 0)
		return ret;
	ret = knit_engine_join_pair(out->kni, out->queue);
	if (ret < 0)
		knit_pair_unclaim(out->kni, out->queue);
	return ret;
}

static int claim_pairs(struct knit_worker *w)
{
	struct knit_output *out;
	int ret;

	/* Interfaces are outputs and inputs alike, so the outputs name them all, once. */
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
		knit_engine_leave_pair(out->kni, out->queue);
		knit_pair_unclaim(out->kni, out->queue);
	}
}

/* The slot is ours, and so are these ends. */
static int claim_exchanges(struct knit_worker *w)
{
	struct knit_exchange *x;
	bool ok = true;
	uint32_t i;

	for (i = 0; ok && i < w->n_outputs; i++) {
		x = w->outputs[i].exchange;
		ok = x == NULL || knit_exchange_claim_producer(x);
	}
	for (i = 0; ok && i < w->n_inputs; i++) {
		x = w->inputs[i].exchange;
		ok = x == NULL || knit_exchange_claim_consumer(x, w->slot->pool);
	}
	if (ok)
		return KNIT_EXIT_OK;
	return knit_worker_fail(w, KNIT_EXIT_FAILURE,
				"an exchange queue with another worker: indexes are corrupt");
}

static void unclaim_exchanges(struct knit_worker *w)
{
	uint32_t i;

	for (i = 0; i < w->n_inputs; i++)
		if (w->inputs[i].exchange)
			knit_exchange_disarm(w->inputs[i].exchange);
}

static int find_slot(struct knit_worker *w)
{
	w->topo = w->secondary.topo;
	w->slot = knit_topo_worker(w->topo, w->id);
	if (w->slot == NULL)
		return knit_worker_fail(w, KNIT_EXIT_CONFIG, "not in the primary's configuration");
	w->qsbr = w->slot->qsbr;
	w->stats = &w->slot->stats;
	w->burst = w->slot->burst;
	if (w->burst == 0 || w->burst > KNIT_BURST_MAX)
		return knit_worker_fail(w, KNIT_EXIT_CONFIG, "burst %u: 1 to %d is allowed",
					w->burst, KNIT_BURST_MAX);
	return KNIT_EXIT_OK;
}

int knit_worker_claim(struct knit_worker *w)
{
	int ret = find_slot(w);

	if (ret == KNIT_EXIT_OK)
		ret = knit_worker_plan(w);
	if (ret == KNIT_EXIT_OK)
		ret = open_bells(w);
	if (ret == KNIT_EXIT_OK)
		ret = claim_pairs(w);
	if (ret == KNIT_EXIT_OK)
		ret = claim_exchanges(w);
	if (ret != KNIT_EXIT_OK)
		return ret;
	/* Offline until the loop starts. */
	rte_rcu_qsbr_thread_register(w->qsbr, 0);
	w->registered = true;
	ret = knit_taps_init(w);
	if (ret != KNIT_EXIT_OK)
		return ret;
	knit_idle_init(w);
	return knit_foreign_start(w);
}

void knit_worker_unclaim(struct knit_worker *w)
{
	knit_foreign_end();
	if (w->registered)
		rte_rcu_qsbr_thread_unregister(w->qsbr, 0);
	w->registered = false;
	unclaim_exchanges(w);
	unclaim_pairs(w);
	/*
	 * The pool's cache stays as it is, for the successor on the same lcore id: the primary may
	 * be working on the pool right now.
	 */
	close_bells(w);
}
