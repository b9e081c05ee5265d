/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_WORKER_DATAPATH_H
#define KNIT_WORKER_DATAPATH_H

#include "worker/worker.h"

#include <rte_prefetch.h>

/*
 * A burst of packets between an input and an output. The fields below n summarize all packets. They
 * are computed once per burst. An output looks at single packets only if the summary says that one
 * of them is unusual.
 */
struct knit_burst {
	struct rte_mbuf **m;
	uint32_t n;
	uint32_t max_len; /* pkt_len of the longest */
	uint32_t segs;	  /* all nb_segs or-ed: 1 if there is no chain */
	uint64_t flags;	  /* all ol_flags or-ed */
	uint64_t bytes;
};

/*
 * Flags of packets that an output may be unable to handle. If a burst has one of them, the output
 * looks at each packet. A port's driver may also need to prepare such packets.
 */
#define KNIT_BURST_UNUSUAL (KNIT_OFFLOAD_TX | KNIT_OFFLOAD_RX_PENDING | KNIT_OFFLOAD_UNSUPPORTED)

/*
 * Receive from an input: up to w->burst packets into w->rx. Return b->n. Each function has a file
 * of its own, see worker.h.
 */
uint32_t knit_port_rx(struct knit_worker *w, struct knit_input *in, struct knit_burst *b);
uint32_t knit_iface_rx(struct knit_worker *w, struct knit_input *in, struct knit_burst *b);
uint32_t knit_handoff_rx(struct knit_worker *w, struct knit_input *in, struct knit_burst *b);

/*
 * Send to an output. They take all packets of b. Packets that cannot be sent are freed and counted.
 * Return how many were sent.
 */
uint32_t knit_port_tx(struct knit_worker *w, struct knit_output *out, struct knit_burst *b);
uint32_t knit_iface_tx(struct knit_worker *w, struct knit_output *out, struct knit_burst *b);
uint32_t knit_handoff_tx(struct knit_worker *w, struct knit_output *out, struct knit_burst *b);

/*
 * Software fallback: does in software what m requires and out cannot do. The resulting frames go to
 * w->work[at...], which must have room for KNIT_OFFLOAD_MAX_SEGS. Takes m. Returns the number of
 * frames; 0: m was dropped and counted.
 */
uint32_t knit_worker_fallback(struct knit_worker *w, const struct knit_output *out,
			      struct rte_mbuf *m, uint32_t at);
/* Counts a frame that knit_offload_fallback has just dropped. rte_errno holds the reason. */
void knit_worker_fallback_failed(struct knit_worker *w);

/* Frees the n packets of m and counts them as drops for that reason. */
static inline void knit_drop(struct knit_worker *w, enum knit_worker_drop why, struct rte_mbuf **m,
			     uint32_t n)
{
	if (n == 0)
		return;
	rte_pktmbuf_free_bulk(m, n);
	knit_count(&w->stats->drops[why], n);
}

/*
 * Computes the summary of b from b->m[0..n-1]. prefetch: prefetches the headers, which will be read
 * next.
 */
static __rte_always_inline void knit_burst_sum(struct knit_burst *b, bool prefetch)
{
	uint64_t len, max_len = 0, flags = 0, bytes = 0;
	uint32_t i, segs = 0;
	const struct rte_mbuf *m;

	for (i = 0; i < b->n; i++) {
		m = b->m[i];
		if (prefetch)
			rte_prefetch0(rte_pktmbuf_mtod(m, void *));
		len = m->pkt_len;
		bytes += len;
		max_len = len > max_len ? len : max_len;
		flags |= m->ol_flags;
		segs |= m->nb_segs;
	}
	b->max_len = max_len;
	b->segs = segs;
	b->flags = flags;
	b->bytes = bytes;
}

#endif
