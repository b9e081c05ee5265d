// SPDX-License-Identifier: BSD-3-Clause
#include "datapath.h"
#include "kni/offload/offload.h"
#include "kni/private.h"

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

/* mbufs freed, and descriptors looked at, in one go */
#define BATCH 64

static struct rte_mbuf *cookie_take(struct knit_cookies *s, uint32_t cookie)
{
	struct rte_mbuf *m;

	if (unlikely(cookie >= s->size || s->mbuf[cookie] == NULL))
		return NULL;
	m = s->mbuf[cookie];
	s->mbuf[cookie] = NULL;
	s->free_cookie[s->n_free++] = cookie;
	return m;
}

/*
 * Frees what the engine is done with. Segments of a chain come back one by one, each with its
 * cookie.
 */
static uint32_t cookies_reclaim(struct knit_rx_end *e)
{
	uint32_t i, n, bulk, total = 0;
	struct rte_mbuf *done[BATCH];
	const struct knit_desc *d;
	struct rte_mbuf *m;

	while ((n = knit_ring_peek(&e->free_q, BATCH)) != 0) {
		bulk = 0;
		for (i = 0; i < n; i++) {
			d = knit_ring_entry(&e->free_q, e->free_q.cons + i);
			m = cookie_take(&e->cookies, knit_load(&d->cookie));
			if (unlikely(m == NULL))
				e->drops[KNIT_USER_DROP_FREE_BAD_COOKIE]++;
			else if (unlikely(m->next))
				rte_pktmbuf_free_seg(m);
			else
				done[bulk++] = m;
		}
		knit_ring_release(&e->free_q, n);
		rte_pktmbuf_free_bulk(done, bulk);
		total += n;
	}
	return total;
}

static inline void put_segment(struct knit_rx_end *e, uint32_t at, const struct rte_mbuf *m)
{
	struct knit_desc *d = knit_ring_entry(&e->rx_q, at);
	uint32_t cookie = e->cookies.free_cookie[--e->cookies.n_free];

	e->cookies.mbuf[cookie] = (struct rte_mbuf *)(uintptr_t)m;
	d->addr = (uintptr_t)m->buf_addr + m->data_off;
	d->len = m->data_len;
	d->cookie = cookie;
	d->flags = m->next ? KNIT_DESC_MORE : 0;
	d->vlan_tci = 0;
	d->gso_size = 0;
	d->gso_type = KNIT_GSO_NONE;
	d->hdr_len = 0;
	d->hash = 0;
	d->reserved = 0;
}

static void rx_frame_put(struct knit_rx_end *e, uint32_t at, const struct rte_mbuf *m,
			 uint32_t features)
{
	const struct rte_mbuf *seg = m->next;
	struct knit_desc *first = knit_ring_entry(&e->rx_q, at);

	put_segment(e, at, m);
	knit_offload_to_desc(m, features, first);
	for (; unlikely(seg); seg = seg->next)
		put_segment(e, ++at, seg);
}

static bool is_too_long(const struct rte_kni *kni, const struct rte_mbuf *m)
{
	if (unlikely(m->nb_segs > KNIT_DESC_MAX_SEGS))
		return true;
	if (likely(m->pkt_len <= KNIT_FRAME_MAX))
		return false;
	return !(kni->features & KNIT_FEAT_BIG_TCP) || m->pkt_len > KNIT_BIG_FRAME_MAX ||
	       !(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG);
}

/* RX path entry point: frames from a port, or another interface, to the kernel. */
unsigned int knit_to_kernel(struct rte_kni *kni, uint16_t pair, struct rte_mbuf **mbufs,
			    unsigned int n)
{
	struct knit_rx_end *e = &kni->pair[pair].rx;
	uint32_t used = 0, room, freed;
	struct rte_mbuf *m;
	unsigned int i;

	freed = cookies_reclaim(e);
	room = knit_ring_reserve(&e->rx_q, e->rx_q.size);
	if (room > e->cookies.n_free)
		room = e->cookies.n_free;
	for (i = 0; i < n; i++) {
		m = mbufs[i];
		if (unlikely(is_too_long(kni, m))) {
			e->drops[KNIT_USER_DROP_RX_TOO_LONG]++;
			rte_pktmbuf_free(m);
			continue;
		}
		if (unlikely(used + m->nb_segs > room))
			break;
		rx_frame_put(e, e->rx_q.prod + used, m, kni->features);
		used += m->nb_segs;
		e->packets++;
		e->bytes += m->pkt_len;
	}
	if (used)
		knit_ring_submit(&e->rx_q, used);
	if (unlikely(knit_wake_is_due(&e->rx_q, used, &e->free_q, freed)))
		knit_wake(kni, pair, false);
	return i;
}

uint32_t knit_to_kernel_room(struct rte_kni *kni, uint16_t pair)
{
	struct knit_rx_end *e = &kni->pair[pair].rx;

	knit_to_kernel(kni, pair, NULL, 0);
	return RTE_MIN(knit_ring_reserve(&e->rx_q, e->rx_q.size), e->cookies.n_free);
}
