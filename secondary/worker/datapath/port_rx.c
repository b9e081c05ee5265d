// SPDX-License-Identifier: BSD-3-Clause
#include "datapath.h"

#include <rte_ethdev.h>

/*
 * On this port RX_L4_CKSUM_NONE does not mean a partial checksum: nothing is known of the checksum,
 * and the flag is removed.
 */
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
 * rte_eth_rx_burst calls the function that rte_eth_fp_ops had when this process attached. When the
 * primary restarts the port, this process keeps the old one. So the restart must not select another
 * burst function. The primary fixes everything that the choice depends on, and checks the result.
 * If it differs, it makes the workers start again.
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
	if (in->kernel != in->peer)
		knit_burst_sum_two_ways(b, in->port);
	else
		knit_burst_sum(b);
	/* the bit that RX_L4_CKSUM_NONE shares with BAD */
	if (unlikely(b->flags & RTE_MBUF_F_RX_L4_CKSUM_BAD) && !in->port->rx_partial)
		burst_forget_none(b);
	knit_count(&in->stats->rx_packets, b->n);
	knit_count(&in->stats->rx_bytes, b->bytes);
	return b->n;
}
