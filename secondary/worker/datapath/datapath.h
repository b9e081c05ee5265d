/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_WORKER_DATAPATH_H
#define KNIT_WORKER_DATAPATH_H

#include "burst.h"
#include "watch.h"
#include "worker/worker.h"

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
/* There is no interface: drops them all, and returns how many these were. */
uint32_t knit_no_iface_tx(struct knit_worker *w, struct knit_output *out, struct knit_burst *b);

/*
 * Software fallback: does in software what m requires and out cannot do. The resulting frames go to
 * w->work[at...], which must have room for KNIT_OFFLOAD_MAX_SEGS. Takes m. Returns the number of
 * frames; 0: m was dropped and counted.
 */
uint32_t knit_worker_fallback(struct knit_worker *w, const struct knit_output *out,
			      struct rte_mbuf *m, uint32_t at);
/* Counts m, which knit_offload_fallback has just dropped. rte_errno holds the reason. */
void knit_worker_fallback_failed(struct knit_worker *w, struct rte_mbuf *m);

/* Frees the n packets of m and counts them as drops for that reason. */
static inline void knit_drop(struct knit_worker *w, enum knit_worker_drop why, struct rte_mbuf **m,
			     uint32_t n)
{
	if (n == 0)
		return;
	if (unlikely(w->watcher))
		knit_watch_dropped(w->watcher, why, m, n);
	rte_pktmbuf_free_bulk(m, n);
	knit_count(&w->stats->drops[why], n);
}

#endif
