// SPDX-License-Identifier: BSD-3-Clause
#include "datapath.h"
#include "kni/datapath/datapath.h"

static uint32_t iface_transmit(struct knit_worker *w, struct knit_output *out, struct rte_mbuf **m,
			       uint32_t n)
{
	uint32_t sent = n ? knit_to_kernel(out->kni, out->queue, m, n) : 0;

	knit_drop(w, KNIT_WORKER_DROP_IFACE_FULL, m + sent, n - sent);
	return sent;
}

/* Sends frames one by one, in order. What the engine cannot do is done in software here. */
static uint32_t iface_transmit_unusual(struct knit_worker *w, struct knit_output *out,
				       struct knit_burst *b)
{
	uint32_t i, n = 0, sent = 0;

	for (i = 0; i < b->n; i++) {
		if (n > KNIT_BURST_MAX) {
			sent += iface_transmit(w, out, w->work, n);
			n = 0;
		}
		if (knit_offload_fits(b->m[i], out->kni->features))
			w->work[n++] = b->m[i];
		else
			n += knit_worker_fallback(w, out, b->m[i], n);
	}
	return sent + iface_transmit(w, out, w->work, n);
}

/* RX path: a burst for the kernel. */
uint32_t knit_iface_tx(struct knit_worker *w, struct knit_output *out, struct knit_burst *b)
{
	if (unlikely(b->flags & KNIT_BURST_UNUSUAL))
		return iface_transmit_unusual(w, out, b);
	return iface_transmit(w, out, b->m, b->n);
}

uint32_t knit_no_iface_tx(struct knit_worker *w, struct knit_output *out, struct knit_burst *b)
{
	RTE_SET_USED(out);
	if (unlikely(w->watcher))
		knit_watch_dropped(w->watcher, KNIT_WORKER_DROP_NO_IFACE, b->m, b->n);
	rte_pktmbuf_free_bulk(b->m, b->n);
	return b->n;
}
