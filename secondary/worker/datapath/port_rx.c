// SPDX-License-Identifier: BSD-3-Clause
#include "datapath.h"

#include <rte_ethdev.h>

/* Nothing is left to do for these, and nothing known. */
static void burst_forget_none(struct knit_burst *b)
{
	uint32_t i;

	b->flags = 0;
	for (i = 0; i < b->n; i++) {
		knit_offload_forget_none(b->m[i]);
		b->flags |= b->m[i]->ol_flags;
	}
}

/*
 * RX path entry point: a burst from a port.
 *
 * rte_eth_rx_burst calls what rte_eth_fp_ops held when this process attached, and a restart of the
 * port by the primary does not refresh that. So it must not choose another burst function: the
 * primary fixes what the choice depends on, checks, and otherwise starts the workers anew.
 */
uint32_t knit_port_rx(struct knit_worker *w, struct knit_input *in, struct knit_burst *b)
{
	b->m = w->rx;
	b->n = 0;
	if (unlikely(!__atomic_load_n(&in->port->admin_up, __ATOMIC_RELAXED)))
		return 0;
	b->n = rte_eth_rx_burst(in->port_id, in->queue, w->rx, w->burst);
	if (b->n == 0)
		return 0;
	/* Headers are read only if packets of this input may go different ways. */
	if (in->kernel != in->peer)
		knit_burst_sum(b, true);
	else
		knit_burst_sum(b, false);
	/* the bit that RX_L4_CKSUM_NONE shares with BAD */
	if (unlikely(b->flags & RTE_MBUF_F_RX_L4_CKSUM_BAD) && !in->port->rx_partial)
		burst_forget_none(b);
	knit_count(&in->stats->rx_packets, b->n);
	knit_count(&in->stats->rx_bytes, b->bytes);
	return b->n;
}
