// SPDX-License-Identifier: GPL-2.0
#include "kni.h"

#include <linux/nospec.h>

/* On 64 bits a counter is one load; those of one moment are of no use to anybody. */
static void pair_stats(const struct kni_pair *p, struct knit_ioc_stats *out)
{
	const struct kni_rx_stats *rx = &p->rx;
	const struct kni_tx_stats *tx = &p->tx;

	out->rx_packets = u64_stats_read(&rx->packets);
	out->rx_bytes = u64_stats_read(&rx->bytes);
	out->rx_down = u64_stats_read(&rx->down);
	out->rx_no_memory = u64_stats_read(&rx->no_memory);
	out->free_full = u64_stats_read(&rx->free_full);
	out->kicks = u64_stats_read(&rx->kicks);
	out->kicks_over = u64_stats_read(&rx->kicks_over);
	out->tx_packets = u64_stats_read(&tx->packets);
	out->tx_bytes = u64_stats_read(&tx->bytes);
	out->tx_no_worker = u64_stats_read(&tx->no_worker);
	out->tx_too_long = u64_stats_read(&tx->too_long);
	out->tx_bad_frame = u64_stats_read(&tx->bad_frame);
	out->tx_stops = u64_stats_read(&tx->stops);
	out->tx_wakes = u64_stats_read(&tx->wakes);
#define X(reason, name, text)                                            \
	out->name = u64_stats_read(&rx->rejects[KNIT_REJECT_##reason]) + \
		    u64_stats_read(&tx->rejects[KNIT_REJECT_##reason]);
	KNIT_REJECT_TABLE(X)
#undef X
}

int kni_stats(struct kni_iface *i, struct knit_ioc_stats *out)
{
	if (out->pair >= i->n_pairs)
		return -ENOENT;
	pair_stats(&i->pair[array_index_nospec(out->pair, i->n_pairs)], out);
	mutex_lock(&i->lock);
	out->wakeups = i->quiet ? 0 : kni_thread_wakeups(i);
	mutex_unlock(&i->lock);
	kni_req_stats(i, out);
	return 0;
}
