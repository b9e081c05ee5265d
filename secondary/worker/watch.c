// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_worker
#include "watch.h"

#include "kni/base/log.h"
#include "system/topology/handoff.h"
#include "system/topology/watch_program.h"
#include "worker.h"
#include "worker/datapath/watch.h"

#include <rte_cycles.h>
#include <rte_memzone.h>

/* Unused time of so long is kept: a burst after a pause is always looked at. */
#define BUDGET_US 10000
/* A packet of 64 KiB in many pieces, all of which are copied and looked at. */
#define LONGEST_US 20

static struct knit_watcher watcher;

static unsigned int worker_index(const struct knit_worker *w)
{
	return w->entry - w->topo->workers;
}

static bool has_bit(const uint64_t sets[2], uint8_t direction, uint16_t index)
{
	return sets[direction == KNIT_WATCH_TX] >> index & 1;
}

static struct knit_watch_device port_device(const struct knit_worker *w,
					    const struct knit_topo_port *port, uint8_t direction)
{
	uint16_t i = port - w->topo->ports;

	return (struct knit_watch_device){ .watched = has_bit(watcher.spec.ports, direction, i),
					   .end = KNIT_WATCH_PORT,
					   .direction = direction,
					   .index = i };
}

static struct knit_watch_device iface_device(const struct knit_worker *w, const struct rte_kni *kni,
					     uint8_t direction)
{
	uint16_t i;

	for (i = 0; i < w->topo->n_ifaces && i < KNIT_MAX_CONF_IFACES; i++)
		if (w->topo->ifaces[i].kni == kni)
			return (struct knit_watch_device){ .watched = has_bit(watcher.spec.ifaces,
									      direction, i),
							   .end = KNIT_WATCH_IFACE,
							   .direction = direction,
							   .index = i };
	return (struct knit_watch_device){ .end = KNIT_WATCH_NOWHERE };
}

/* An interface sends what is an input here. */
static void place_input(const struct knit_worker *w, const struct knit_input *in,
			struct knit_watch_place *at)
{
	*at = (struct knit_watch_place){ .receive = in->receive, .queue = in->queue };
	if (in->end == KNIT_END_PORT)
		at->device = port_device(w, in->port, KNIT_WATCH_RX);
	else if (in->end == KNIT_END_IFACE)
		at->device = iface_device(w, in->kni, KNIT_WATCH_TX);
	at->end = at->device.end;
	at->index = at->device.index;
	if (in->end == KNIT_END_HANDOFF) {
		at->end = KNIT_WATCH_HANDOFF;
		at->index = in->handoff->producer;
	}
}

/*
 * What is given to another worker for a port is on a journey to that port. It is not sent there
 * yet.
 */
static void place_output(const struct knit_worker *w, const struct knit_output *out,
			 struct knit_watch_place *at)
{
	*at = (struct knit_watch_place){ .send = out->send, .queue = out->queue };
	if (out->end == KNIT_END_PORT || out->end == KNIT_END_HANDOFF)
		at->device = port_device(w, out->port, KNIT_WATCH_TX);
	else if (out->end == KNIT_END_IFACE)
		at->device = iface_device(w, out->kni, KNIT_WATCH_RX);
	at->end = at->device.end;
	at->index = at->device.index;
	if (out->end == KNIT_END_HANDOFF) {
		at->end = KNIT_WATCH_HANDOFF;
		at->index = out->handoff->consumer;
		at->device.watched = at->device.watched && watcher.spec.journeys;
	}
}

static void install(struct knit_worker *w)
{
	uint32_t i;

	for (i = 0; i < w->n_inputs; i++) {
		place_input(w, &w->inputs[i], &watcher.inputs[i]);
		w->inputs[i].receive = knit_watch_receive;
	}
	for (i = 0; i < w->n_outputs; i++) {
		place_output(w, &w->outputs[i], &watcher.outputs[i]);
		w->outputs[i].send = knit_watch_send;
	}
	w->watcher = &watcher;
}

static void uninstall(struct knit_worker *w)
{
	uint32_t i;

	if (w->watcher == NULL)
		return;
	for (i = 0; i < w->n_inputs; i++)
		w->inputs[i].receive = watcher.inputs[i].receive;
	for (i = 0; i < w->n_outputs; i++)
		w->outputs[i].send = watcher.outputs[i].send;
	w->watcher = NULL;
	knit_watch_publish(&watcher);
}

/* What the primary, or whoever has its memory, wants: is it possible? */
static bool spec_is_good(const struct knit_watch_spec *s)
{
	return s->snaplen >= KNIT_WATCH_SNAP_MIN && s->snaplen <= KNIT_WATCH_SNAP_MAX &&
	       s->share >= 1 && s->share <= 100 && knit_watch_program_valid(s->insns, s->n_insns);
}

/* The ring and its size lie in the memzone. */
static bool ring_is_good(const struct rte_memzone *mz, const struct knit_watch *watch,
			 const struct knit_watch_ring *r, uint32_t bytes)
{
	size_t at = (uintptr_t)r - (uintptr_t)watch;

	return mz && mz->addr == watch && at % RTE_CACHE_LINE_SIZE == 0 && at >= sizeof(*watch) &&
	       at < mz->len && bytes >= KNIT_WATCH_RING_MIN && (bytes & (bytes - 1)) == 0 &&
	       sizeof(*r) + (size_t)bytes <= mz->len - at;
}

void knit_watch_open(struct knit_worker *w)
{
	struct knit_watch *watch = w->topo->watch;
	const struct rte_memzone *mz;
	struct knit_watch_ring *r;
	uint32_t bytes;

	if (watch == NULL)
		return;
	r = watch->ring[worker_index(w)];
	if (r == NULL)
		return;
	mz = rte_memzone_lookup(KNIT_WATCH_MZ);
	/* Its place first: the size is read there. */
	bytes = ring_is_good(mz, watch, r, KNIT_WATCH_RING_MIN) ? r->bytes : 0;
	if (!ring_is_good(mz, watch, r, bytes)) {
		log_warn("worker %u: the memory for watched packets is damaged", w->id);
		return;
	}
	watcher.ring = r;
	watcher.bytes = bytes;
}

static void begin(struct knit_worker *w)
{
	const struct knit_watch_spec *s = &watcher.spec;
	struct knit_watch_ring *r = watcher.ring;

	if (!spec_is_good(s)) {
		log_warn("worker %u: what is to be watched is damaged", w->id);
		return;
	}
	/* A predecessor may have left any number. */
	watcher.head = RTE_ALIGN_CEIL(r->head, 8);
	watcher.records = 0;
	watcher.n_entries = watcher.n_pieces = watcher.left = 0;
	watcher.budget = watcher.budget_max =
		(int64_t)(rte_get_tsc_hz() / 1000000 * BUDGET_US * s->share);
	watcher.budget_at = rte_rdtsc();
	watcher.longest = rte_get_tsc_hz() / 1000000 * LONGEST_US;
	if (r->counted != watcher.serial) {
		r->counts = (struct knit_watch_counts){ 0 };
		__atomic_store_n(&r->counted, watcher.serial, __ATOMIC_RELEASE);
	}
	if (s->workers & UINT64_C(1) << worker_index(w))
		install(w);
	__atomic_store_n(&r->following, watcher.serial, __ATOMIC_RELEASE);
}

void knit_watch_look(struct knit_worker *w)
{
	struct knit_watch *watch = w->topo->watch;

	if (watcher.ring == NULL ||
	    __atomic_load_n(&watch->serial, __ATOMIC_RELAXED) == watcher.serial)
		return;
	knit_watch_end(w);
	watcher.serial = knit_watch_read(watch, &watcher.spec);
	if (watcher.serial)
		begin(w);
}

void knit_watch_end(struct knit_worker *w)
{
	if (watcher.serial == 0)
		return;
	uninstall(w);
	__atomic_store_n(&watcher.ring->following, 0, __ATOMIC_RELEASE);
	watcher.serial = 0;
}
