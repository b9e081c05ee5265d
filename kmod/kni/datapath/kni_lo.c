// SPDX-License-Identifier: GPL-2.0
#include "kni_rx.h"
#include "kni_trace.h"

/*
 * Loopback modes: what comes in rx_q goes back through tx_q, also while the interface is down, also
 * if it is shorter than an Ethernet header. The packet thread is the producer of tx_q then. It
 * alone serves the pairs, so nobody takes turns.
 */

static void copy_runs(const struct kni_run *to, const struct kni_run *from, u32 len)
{
	u32 to_at = 0, from_at = 0, n;

	while (len) {
		n = min(to->len - to_at, from->len - from_at);
		memcpy(to->ptr + to_at, from->ptr + from_at, n);
		len -= n;
		to_at += n;
		from_at += n;
		if (to_at == to->len) {
			to++;
			to_at = 0;
		}
		if (from_at == from->len) {
			from++;
			from_at = 0;
		}
	}
}

/* The offload fields mean the same in both directions. */
static void copy_offloads(struct knit_desc *to, const struct knit_desc *from)
{
	to->flags |= from->flags & ~KNIT_DESC_MORE;
	to->vlan_tci = from->vlan_tci;
	to->gso_size = from->gso_size;
	to->gso_type = from->gso_type;
	to->hdr_len = from->hdr_len;
	to->hash = from->hash;
}

/* As kni_tx_put. */
static int put_frame(struct kni_pair *p)
{
	struct kni_txbuf *r = &p->txbuf;
	enum kni_fit fit;

	r->mem = kni_mem_table(p->iface->mem);
	fit = kni_txbuf_find(r, p->frame.len);
	kni_tx_count(p, fit);
	if (fit != KNI_FIT)
		return fit == KNI_SHORT ? -EBUSY : 1;
	copy_runs(r->run, p->frame.run, p->frame.len);
	copy_offloads(&r->desc[0], &p->frame.desc);
	kni_tx_take(p, p->frame.len);
	return 0;
}

static int through_skb(struct kni_poll *v, struct kni_pair *p)
{
	struct sk_buff *skb = kni_poll_skb(v, p);
	int ret = 1;

	if (unlikely(!skb))
		return 1;
	if (p->frame.len < KNIT_ETH_HLEN || kni_poll_offloads(v, p, skb))
		ret = kni_tx_put(p, skb);
	if (likely(ret == 0))
		consume_skb(skb);
	else
		kfree_skb(skb);
	return ret;
}

static int frame_return(struct kni_poll *v, struct kni_pair *p)
{
	return kni_params.lo_mode == KNI_LO_FIFO ? put_frame(p) : through_skb(v, p);
}

/* Loopback entry point: what user space put into rx_q, to tx_q. */
unsigned int kni_lo(struct kni_pair *p, const struct kni_attach *live)
{
	struct kni_poll v;
	int ret;

	if (p->wanted && kni_txbuf_ready(&p->txbuf, p->wanted) < p->wanted)
		return 0;
	p->wanted = 0;
	kni_poll_begin(&v, p, KNI_BATCH);
	while (kni_poll_next(&v, p)) {
		ret = frame_return(&v, p);
		if (ret == -EBUSY) {
			kni_poll_undo(&v);
			break;
		}
		v.packets += ret == 0;
		v.bytes += ret == 0 ? p->frame.len : 0;
	}
	kni_tx_commit(p, live);
	kni_poll_end(&v, p, live);
	kni_turn_note(&p->turn, &p->rx_q, v.frames);
	return v.frames;
}

bool kni_lo_arm(struct kni_pair *p)
{
	return p->wanted ? kni_tx_arm(p) : kni_turn_arm(&p->turn, &p->rx_q);
}

void kni_lo_disarm(struct kni_pair *p)
{
	kni_tx_disarm(p);
	knit_ring_disarm_data(&p->rx_q);
}
