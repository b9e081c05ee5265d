// SPDX-License-Identifier: BSD-3-Clause
#include "datapath.h"
#include "system/topology/handoff.h"

/*
 * TX path, after knit_handoff_tx: receives a burst of another worker, as copies, for a port of this
 * one.
 */
uint32_t knit_handoff_rx(struct knit_worker *w, struct knit_input *in, struct knit_burst *b)
{
	unsigned int failed;

	b->m = w->rx;
	b->n = knit_handoff_take(in->handoff, w->rx, w->burst, &failed);
	if (unlikely(failed))
		knit_count(&w->stats->drops[KNIT_WORKER_DROP_HANDOFF_NO_BUFFER], failed);
	if (b->n)
		knit_burst_sum(b);
	return b->n;
}
