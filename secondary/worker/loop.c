// SPDX-License-Identifier: BSD-3-Clause
#include "loop.h"

#include "idle.h"
#include "park.h"
#include "signals.h"
#include "standby.h"
#include "system/topology/watch.h"
#include "watch.h"
#include "worker.h"
#include "worker/datapath/datapath.h"
#include "worker/datapath/forward.h"

#include <rte_cycles.h>
#include <rte_rcu_qsbr.h>

static void send_to(struct knit_worker *w, enum knit_end from, struct knit_output *out,
		    struct knit_burst *b)
{
	knit_count(out->sent[from], out->send(w, out, b));
}

/* Sorts b by output, without a change of order, and sends each part as one burst. */
static void send_mixed(struct knit_worker *w, enum knit_end from, const struct knit_burst *b)
{
	uint16_t used[KNIT_BURST_MAX];
	uint32_t i, n_used = 0;
	struct knit_output *out;
	struct knit_burst part;

	for (i = 0; i < b->n; i++) {
		out = &w->outputs[w->verdict[i]];
		if (out->n == 0)
			used[n_used++] = w->verdict[i];
		out->buf[out->n++] = b->m[i];
	}
	for (i = 0; i < n_used; i++) {
		out = &w->outputs[used[i]];
		part.m = out->buf;
		part.n = out->n;
		out->n = 0;
		knit_burst_sum(&part);
		send_to(w, from, out, &part);
	}
}

static uint32_t poll_input(struct knit_worker *w, struct knit_input *in)
{
	struct knit_burst b;
	uint16_t to;

	if (in->receive(w, in, &b) == 0)
		return 0;
	to = knit_forward(in, &b, w->verdict);
	if (likely(to != KNIT_OUT_MIXED))
		send_to(w, in->end, &w->outputs[to], &b);
	else
		send_mixed(w, in->end, &b);
	return b.n;
}

static bool must_end(const struct knit_worker *w)
{
	return knit_stop_requested() || __atomic_load_n(&w->topo->stopping, __ATOMIC_RELAXED);
}

/*
 * The work between two rounds, when the worker holds no mbuf. Returns what knit_park_check returns.
 */
static int between_rounds(struct knit_worker *w, bool busy, uint64_t now)
{
	struct knit_worker_idle *idle = &w->idle;
	int ret = KNIT_EXIT_OK;

	rte_rcu_qsbr_quiescent(w->qsbr, 0);
	/* The worker shall park: it touches no ring any more, not even to arm it for a sleep. */
	if (unlikely(__atomic_load_n(&w->entry->park, __ATOMIC_ACQUIRE))) {
		idle->last_busy = now;
	} else if (busy) {
		idle->last_busy = now;
		idle->sleeping = false;
	} else if (__atomic_load_n(&w->entry->idle, __ATOMIC_RELAXED) == KNIT_IDLE_ADAPTIVE) {
		knit_idle_step(w, now);
	}
	if (unlikely(__atomic_load_n(&w->entry->park, __ATOMIC_ACQUIRE) || idle->slept ||
		     w->behind))
		ret = knit_park_check(w);
	if (idle->slept && ret == KNIT_EXIT_OK && !knit_stop_requested())
		knit_idle_awake(w);
	return ret;
}

/* What is due every few milliseconds. The time is looked at in the loop without a system call. */
static void look(struct knit_worker *w, uint64_t now)
{
	uint32_t burst = __atomic_load_n(&w->entry->burst, __ATOMIC_RELAXED);

	knit_beat(&w->beat);
	knit_watch_look(w);
	if (unlikely(w->promote))
		knit_standby_promote(w);
	if (burst && burst <= KNIT_BURST_MAX)
		w->burst = burst;
	/* Nobody parks a worker that the next plan gives the same share. */
	w->behind = __atomic_load_n(&w->topo->planned, __ATOMIC_RELAXED) != w->plan.number;
	w->next_look = now + rte_get_tsc_hz() / 1000 * KNIT_WATCH_LOOK_MS;
}

int knit_worker_run(struct knit_worker *w)
{
	struct knit_worker_stats *s = w->stats;
	uint64_t now, before = rte_rdtsc();
	uint32_t i, n;
	int ret;

	knit_beat_init(&w->beat);
	w->next_look = before;
	rte_rcu_qsbr_thread_online(w->qsbr, 0);
	ret = knit_park_check(w);
	if (w->promote)
		knit_standby_runs(w);
	while (ret == KNIT_EXIT_OK && likely(!must_end(w))) {
		n = 0;
		for (i = 0; i < w->n_inputs; i++)
			n += poll_input(w, &w->inputs[i]);
		now = rte_rdtsc();
		knit_count(&s->rounds, 1);
		if (n) {
			knit_count(&s->busy_rounds, 1);
			knit_count(&s->cycles_busy, now - before);
		}
		before = now;
		if (unlikely(now >= w->next_look))
			look(w, now);
		ret = between_rounds(w, n != 0, now);
		if (unlikely(w->idle.slept && ret != KNIT_WORKER_REPLACED)) {
			w->idle.slept = false;
			before = rte_rdtsc();
			look(w, before);
		}
	}
	if (ret == KNIT_WORKER_REPLACED)
		return ret;
	knit_watch_end(w);
	rte_rcu_qsbr_thread_offline(w->qsbr, 0);
	if (ret == KNIT_EXIT_OK && knit_standby_hand_over(w))
		return KNIT_WORKER_REPLACED;
	return ret;
}
