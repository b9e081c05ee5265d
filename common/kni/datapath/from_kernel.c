// SPDX-License-Identifier: BSD-3-Clause
#include "datapath.h"
#include "kni/offload/offload.h"
#include "kni/private.h"

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>

/* Empty buffers put on offer in one go, at most */
#define REFILL 64

/* How often an offer waits that could not grow: looking at the pool costs microseconds. */
#define GROW_PAUSE 1024

/*
 * The engine is about to run out of buffers: offers up to twice as many, but no more than a quarter
 * of what the pool has left.
 */
static __rte_noinline void offer_grow(struct knit_tx_end *e)
{
	uint32_t more = RTE_MIN(e->offer, rte_mempool_avail_count(e->pool) / 4);

	e->offer = RTE_MIN(e->offer + more, e->cookies.size);
	e->grow_pause = more < e->offer / 4 ? GROW_PAUSE : 0;
}

static bool runs_out(struct knit_tx_end *e)
{
	return e->alloc_q.size - knit_ring_reserve(&e->alloc_q, e->alloc_q.size) < e->offer / 4;
}

/* Keeps the offer in alloc_q. Returns how many buffers were added. */
static uint32_t offer_refill(struct knit_tx_end *e)
{
	uint32_t step = RTE_MIN((uint32_t)REFILL, e->offer / 4);
	struct rte_mbuf *fresh[REFILL];
	uint32_t i, cookie, total = 0;
	struct knit_desc *d;

	while (e->cookies.size - e->cookies.n_free + step <= e->offer &&
	       knit_ring_reserve(&e->alloc_q, step) == step) {
		if (unlikely(rte_pktmbuf_alloc_bulk(e->pool, fresh, step))) {
			e->no_mbuf++;
			break;
		}
		for (i = 0; i < step; i++) {
			cookie = e->cookies.free_cookie[--e->cookies.n_free];
			e->cookies.mbuf[cookie] = fresh[i];
			d = knit_ring_entry(&e->alloc_q, e->alloc_q.prod + i);
			*d = (struct knit_desc){
				.addr = (uintptr_t)fresh[i]->buf_addr + fresh[i]->data_off,
				.len = rte_pktmbuf_tailroom(fresh[i]),
				.cookie = cookie,
			};
		}
		knit_ring_submit(&e->alloc_q, step);
		total += step;
	}
	return total;
}

/* One returned descriptor, a private copy, to the mbuf it fills; NULL if it can't be believed. */
static struct rte_mbuf *take_segment(struct knit_tx_end *e, const struct knit_desc *d)
{
	struct rte_mbuf *m;
	uint64_t off;

	if (unlikely(d->cookie >= e->cookies.size || e->cookies.mbuf[d->cookie] == NULL)) {
		e->drops[KNIT_USER_DROP_TX_BAD_COOKIE]++;
		return NULL;
	}
	m = e->cookies.mbuf[d->cookie];
	e->cookies.mbuf[d->cookie] = NULL;
	e->cookies.free_cookie[e->cookies.n_free++] = d->cookie;
	off = d->addr - (uintptr_t)m->buf_addr;
	if (unlikely(off > m->buf_len || d->len > m->buf_len - off)) {
		e->drops[KNIT_USER_DROP_TX_BAD_LEN]++;
		rte_pktmbuf_free(m);
		return NULL;
	}
	m->data_off = off;
	m->data_len = d->len;
	m->pkt_len = d->len;
	return m;
}

/*
 * Takes one frame, a chain of descriptors from index at of at most have entries; used says how
 * many it took. NULL: dropped and counted. An engine submits whole frames, so a chain that ends
 * early is a bad one.
 */
static struct rte_mbuf *tx_frame_take(struct rte_kni *kni, struct knit_tx_end *e, uint32_t have,
				      uint32_t *used)
{
	struct rte_mbuf *head = NULL, *tail = NULL, *seg;
	uint32_t at = e->tx_q.cons + *used, i = 0;
	struct knit_desc d, first = { 0 };
	bool bad = false;

	do {
		knit_desc_load(&d, knit_ring_entry(&e->tx_q, at + i));
		seg = take_segment(e, &d);
		if (unlikely(seg == NULL)) {
			bad = true;
		} else if (likely(head == NULL)) {
			head = tail = seg;
			first = d;
		} else {
			tail->next = seg;
			tail = seg;
			head->nb_segs++;
			head->pkt_len += seg->data_len;
		}
		i++;
	} while (unlikely(d.flags & KNIT_DESC_MORE) && i < have - *used);
	*used += i;
	if (unlikely(d.flags & KNIT_DESC_MORE || i > kni->max_segs)) {
		e->drops[KNIT_USER_DROP_TX_BAD_CHAIN]++;
		bad = true;
	}
	if (likely(!bad) && unlikely(knit_offload_from_desc(&first, head) < 0)) {
		e->drops[KNIT_USER_DROP_TX_BAD_LEN]++;
		bad = true;
	}
	if (unlikely(bad)) {
		rte_pktmbuf_free(head);
		return NULL;
	}
	return head;
}

/* TX path, after the kernel: frames that the kernel sent, for the port. */
unsigned int knit_from_kernel(struct rte_kni *kni, uint16_t pair, struct rte_mbuf **mbufs,
			      unsigned int n)
{
	const struct knit_kick *kick = knit_kick_of(kni, pair);
	struct knit_tx_end *e = &kni->pair[pair].tx;
	uint32_t have, used = 0, added;
	unsigned int taken = 0;
	struct rte_mbuf *m;

	have = knit_ring_peek(&e->tx_q, e->tx_q.size);
	if (have == 0 && kick && kick->from_kernel) {
		kick->from_kernel(kni, pair, kick->arg);
		have = knit_ring_peek(&e->tx_q, e->tx_q.size);
	}
	while (used < have && taken < n) {
		m = tx_frame_take(kni, e, have, &used);
		if (unlikely(m == NULL))
			continue;
		e->bytes += m->pkt_len;
		mbufs[taken++] = m;
	}
	e->packets += taken;
	if (used) {
		e->buffers += used;
		knit_ring_release(&e->tx_q, used);
	}
	if (unlikely(e->offer < e->cookies.size) && used && runs_out(e)) {
		if (e->grow_pause == 0)
			offer_grow(e);
		else
			e->grow_pause--;
	}
	added = offer_refill(e);
	if (unlikely(knit_wake_is_due(&e->alloc_q, added, &e->tx_q, used)))
		knit_wake(kni, pair, true);
	return taken;
}

bool knit_from_kernel_any(struct rte_kni *kni, uint16_t pair)
{
	struct knit_ring *r = &kni->pair[pair].tx.tx_q;

	return knit_ring_peek(r, r->size) > 0;
}

uint32_t knit_from_kernel_count(struct rte_kni *kni, uint16_t pair, uint32_t room, uint32_t max)
{
	struct knit_ring *r = &kni->pair[pair].tx.tx_q;
	uint32_t i, n = 0, have = knit_ring_peek(r, r->size);
	const struct knit_desc *d;

	for (i = 0; i < RTE_MIN(have, room) && n < max; i++) {
		d = knit_ring_entry(r, r->cons + i);
		n += !(knit_load(&d->flags) & KNIT_DESC_MORE);
	}
	return n;
}
