// SPDX-License-Identifier: BSD-3-Clause
#include "datapath.h"
#include "system/topology/handoff.h"

static enum knit_worker_drop full_reason(const struct knit_output *out)
{
	if (__atomic_load_n(out->owner_state, __ATOMIC_RELAXED) == KNIT_PROCESS_ATTACHED)
		return KNIT_WORKER_DROP_HANDOFF_FULL;
	return KNIT_WORKER_DROP_HANDOFF_NO_WORKER;
}

/*
 * TX path, for a port on which another worker has the transmit queue: passes a burst to that
 * worker. That worker does the software fallback for the port.
 */
uint32_t knit_handoff_tx(struct knit_worker *w, struct knit_output *out, struct knit_burst *b)
{
	uint64_t lost;
	uint32_t sent;

	if (unlikely(!__atomic_load_n(&out->port->admin_up, __ATOMIC_RELAXED))) {
		knit_drop(w, KNIT_WORKER_DROP_PORT_DOWN, b->m, b->n);
		return 0;
	}
	sent = knit_handoff_put(out->handoff, b->m, b->n);
	knit_count(&w->stats->handed_off, sent);
	if (unlikely(sent < b->n))
		knit_drop(w, full_reason(out), b->m + sent, b->n - sent);
	lost = knit_handoff_lost(out->handoff);
	if (unlikely(lost))
		knit_count(&w->stats->drops[KNIT_WORKER_DROP_HANDOFF_LOST], lost);
	return sent;
}
