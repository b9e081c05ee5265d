// SPDX-License-Identifier: BSD-3-Clause
#include "datapath.h"
#include "kni/base/compat.h"

static uint64_t bytes_of(struct rte_mbuf **m, uint32_t n)
{
	uint64_t bytes = 0;

	while (n--)
		bytes += m[n]->pkt_len;
	return bytes;
}

/*
 * bytes: of all n packets. Tries again as long as packets are sent: some drivers stop at a frame,
 * and take it in the next call.
 */
static uint32_t port_transmit(struct knit_worker *w, struct knit_output *out, struct rte_mbuf **m,
			      uint32_t n, uint64_t bytes)
{
	uint32_t sent, more;

	sent = rte_eth_tx_burst(out->port_id, out->queue, m, n);
	for (more = sent; unlikely(sent < n) && more; sent += more)
		more = rte_eth_tx_burst(out->port_id, out->queue, m + sent, n - sent);
	if (unlikely(sent < n)) {
		bytes -= bytes_of(m + sent, n - sent);
		knit_drop(w, KNIT_WORKER_DROP_PORT_TX_FULL, m + sent, n - sent);
	}
	knit_count(&out->stats->tx_packets, sent);
	knit_count(&out->stats->tx_bytes, bytes);
	return sent;
}

/* The frame remains a chain of segments only if it does not fit into one buffer. */
static uint64_t plain_capa(const struct knit_offload_port *port, const struct rte_mbuf *m)
{
	uint32_t room = rte_pktmbuf_data_room_size(port->pool) - RTE_PKTMBUF_HEADROOM;

	return knit_offload_wire_len(m) > room ? port->capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS : 0;
}

/* A frame that the driver refuses with its offloads is sent without them. */
static uint32_t port_transmit_plain(struct knit_worker *w, struct knit_output *out,
				    struct rte_mbuf *m)
{
	struct knit_offload_port plain = out->offload;
	struct rte_mbuf *pieces[KNIT_OFFLOAD_MAX_SEGS];
	uint32_t n;

	plain.capa = plain_capa(&plain, m);
	n = knit_offload_fallback(m, &plain, pieces, RTE_DIM(pieces));
	if (n == 0) {
		knit_worker_fallback_failed(w, m);
		return 0;
	}
	if (unlikely(w->watcher))
		knit_watch_changed(w->watcher, m, pieces, n);
	return port_transmit(w, out, pieces, n, bytes_of(pieces, n));
}

static uint32_t port_transmit_prepared(struct knit_worker *w, struct knit_output *out,
				       struct rte_mbuf **m, uint32_t n)
{
	uint32_t at = 0, ok, sent = 0;

	while (at < n) {
		ok = knit_tx_prepare(out->port_id, out->queue, m + at, n - at);
		if (ok)
			sent += port_transmit(w, out, m + at, ok, bytes_of(m + at, ok));
		at += ok;
		if (at < n)
			sent += port_transmit_plain(w, out, m[at++]);
	}
	return sent;
}

/* VLAN tags do not count for the MTU. */
static bool frame_too_long(const struct rte_mbuf *m, uint32_t mtu)
{
	const rte_be16_t *type = rte_pktmbuf_mtod_offset(m, const rte_be16_t *, 12);
	uint32_t room = mtu + RTE_ETHER_HDR_LEN;
	unsigned int tags;

	for (tags = 0; tags < 2; tags++, type += 2) {
		if (*type != RTE_BE16(RTE_ETHER_TYPE_VLAN) &&
		    *type != RTE_BE16(RTE_ETHER_TYPE_QINQ))
			break;
		room += RTE_VLAN_HLEN;
	}
	return knit_offload_wire_len(m) > room;
}

/*
 * Whether a frame is too long. Some are longer than an untagged frame may be; VLAN tags may be the
 * reason.
 */
static bool any_frame_too_long(const struct knit_burst *b, uint32_t mtu)
{
	uint32_t i;

	for (i = 0; i < b->n; i++)
		if (b->m[i]->pkt_len > mtu + RTE_ETHER_HDR_LEN && frame_too_long(b->m[i], mtu))
			return true;
	return false;
}

/*
 * Sends frames one by one, in order. Frames that are too long are dropped. What the port cannot do
 * is done in software here.
 */
static uint32_t port_transmit_unusual(struct knit_worker *w, struct knit_output *out,
				      struct knit_burst *b)
{
	uint32_t i, n = 0, sent = 0;

	for (i = 0; i < b->n; i++) {
		if (n > KNIT_BURST_MAX) {
			sent += port_transmit_prepared(w, out, w->work, n);
			n = 0;
		}
		if (frame_too_long(b->m[i], out->offload.mtu))
			knit_drop(w, KNIT_WORKER_DROP_PORT_TOO_LONG, b->m + i, 1);
		else if (knit_offload_needed(b->m[i], out->offload.capa))
			n += knit_worker_fallback(w, out, b->m[i], n);
		else
			w->work[n++] = b->m[i];
	}
	return sent + port_transmit_prepared(w, out, w->work, n);
}

/* TX path, last step: sends a burst to a port. */
uint32_t knit_port_tx(struct knit_worker *w, struct knit_output *out, struct knit_burst *b)
{
	const struct knit_topo_port *port = out->port;
	uint32_t mtu = __atomic_load_n(&port->mtu, __ATOMIC_RELAXED);
	uint64_t capa = port->tx_capa;

	if (unlikely(!__atomic_load_n(&port->admin_up, __ATOMIC_RELAXED))) {
		knit_drop(w, KNIT_WORKER_DROP_PORT_DOWN, b->m, b->n);
		return 0;
	}
	if (likely(!(b->flags & KNIT_BURST_UNUSUAL) &&
		   (b->segs == 1 || capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) &&
		   (b->max_len <= mtu + RTE_ETHER_HDR_LEN || !any_frame_too_long(b, mtu))))
		return port_transmit(w, out, b->m, b->n, b->bytes);
	out->offload.mtu = mtu;
	out->offload.capa = capa;
	return port_transmit_unusual(w, out, b);
}
