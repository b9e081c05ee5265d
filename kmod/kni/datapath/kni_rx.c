// SPDX-License-Identifier: GPL-2.0
#include "kni_rx.h"

#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <net/busy_poll.h>

#define CREATE_TRACE_POINTS
#include "kni_trace.h"

/*
 * rx_q -> the stack. One poll copies what is there into skbs, gives all buffers back, and then
 * hands the skbs over: user space refills while the stack works.
 */

/* Longest frame that is copied into one piece: what the page-sized allocations of NAPI take. */
#define COPY_MAX (SKB_WITH_OVERHEAD(PAGE_SIZE) - NET_SKB_PAD - NET_IP_ALIGN)
/* Of longer ones: kept in one piece; all headers of a frame to be cut are (hdr_len has 8 bits). */
#define LINEAR 256
/* Not worth a fragment of its own. */
#define SHORT_FRAGMENT 2048u
/* What the rest is copied to. */
#define LARGE_SIZE SZ_32K
#define LARGE_PAGES 8

/* Copies bytes of a frame one after the other. */
struct cursor {
	const struct kni_run *run;
	u32 at; /* in the run */
};

static void copy_next(struct cursor *c, void *to, u32 len)
{
	u32 n;

	while (len) {
		n = min(len, c->run->len - c->at);
		memcpy(to, c->run->ptr + c->at, n);
		to += n;
		len -= n;
		c->at += n;
		if (c->at == c->run->len) {
			c->run++;
			c->at = 0;
		}
	}
}

/*
 * A further skb for fragments, behind last in skb's list. It has nothing else, so wherever the
 * stack cuts, pieces of it can be shared.
 */
static struct sk_buff *add_to_list(struct sk_buff *skb, struct sk_buff *last)
{
	struct sk_buff *more = alloc_skb(0, GFP_ATOMIC | __GFP_NOWARN);

	if (unlikely(!more))
		return NULL;
	if (last == skb)
		skb_shinfo(skb)->frag_list = more;
	else
		last->next = more;
	skb->truesize += more->truesize;
	return more;
}

/*
 * 17 fragments of a page each hold KNIT_FRAME_MAX, also if the first one is SHORT_FRAGMENT. Longer
 * ones need more where memory is fragmented.
 */
static bool copy_to_pages(struct kni_pair *p, struct cursor *c, struct sk_buff *skb, u32 len)
{
	struct sk_buff *to = skb;
	struct kni_piece piece;

	for (; len; len -= piece.len) {
		if (unlikely(skb_shinfo(to)->nr_frags == MAX_SKB_FRAGS)) {
			to = add_to_list(skb, to);
			if (!to)
				return false;
		}
		if (!kni_pages_take(&p->large, min(len, SHORT_FRAGMENT), len, &piece))
			return false;
		copy_next(c, page_address(piece.page) + piece.offset, piece.len);
		skb_add_rx_frag(to, skb_shinfo(to)->nr_frags, piece.page, piece.offset, piece.len,
				piece.len);
		if (likely(to == skb))
			continue;
		skb->len += piece.len;
		skb->data_len += piece.len;
		skb->truesize += piece.len;
	}
	return true;
}

/*
 * As napi_alloc_skb does: who keeps a short frame is charged for a quarter of a page, which it may
 * keep from being used; of longer ones more share a larger page.
 */
static struct sk_buff *skb_in_page(struct kni_pair *p, u32 len)
{
	u32 size = SKB_DATA_ALIGN(len + NET_SKB_PAD + NET_IP_ALIGN) +
		   SKB_DATA_ALIGN(sizeof(struct skb_shared_info));
	struct kni_pages *pages = size <= SZ_1K ? &p->small : &p->large;
	struct kni_piece piece;
	struct sk_buff *skb;

	size = max_t(u32, size, SZ_1K);
	if (unlikely(!kni_pages_take(pages, size, size, &piece)))
		return NULL;
	skb = kni_build_skb(page_address(piece.page) + piece.offset, size);
	if (unlikely(!skb)) {
		put_page(piece.page);
		return NULL;
	}
	skb_reserve(skb, NET_SKB_PAD + NET_IP_ALIGN);
	skb->dev = p->turn.napi.dev;
	return skb;
}

struct sk_buff *kni_poll_skb(struct kni_poll *v, struct kni_pair *p)
{
	u32 more = p->merge.on ? KNI_ROW_HEADROOM : 0;
	const struct kni_frame *f = &p->frame;
	u32 linear = f->len <= COPY_MAX - more ? f->len : LINEAR;
	struct cursor c = { f->run };
	struct sk_buff *skb;

	skb = PAGE_SIZE == SZ_4K ? skb_in_page(p, linear + more)
				 : napi_alloc_skb(&p->turn.napi, linear + more);
	if (unlikely(!skb))
		goto no_memory;
	skb_reserve(skb, more);
	copy_next(&c, skb_put(skb, linear), linear);
	if (unlikely(f->len > linear) && !copy_to_pages(p, &c, skb, f->len - linear))
		goto no_memory;
	return skb;

no_memory:
	kfree_skb(skb);
	v->no_memory++;
	return NULL;
}

/* With data at the Ethernet header; all headers are in one piece. */
static enum knit_reject set_gso(struct sk_buff *skb, const struct knit_desc *d)
{
	struct skb_shared_info *info = skb_shinfo(skb);

	if (!kni_frame_gso_fits(d, skb->data, skb_headlen(skb), skb->len))
		return KNIT_REJECT_BAD_GSO;
	switch (d->gso_type & KNIT_GSO_TYPE) {
	case KNIT_GSO_TCPV4:
		info->gso_type = SKB_GSO_TCPV4;
		break;
	case KNIT_GSO_TCPV6:
		info->gso_type = SKB_GSO_TCPV6;
		break;
	default:
		info->gso_type = SKB_GSO_UDP_L4;
	}
	if (d->gso_type & KNIT_GSO_ECN)
		info->gso_type |= SKB_GSO_TCP_ECN;
	/* the core checks the headers again */
	info->gso_type |= SKB_GSO_DODGY;
	info->gso_size = d->gso_size;
	info->gso_segs = 0;
	return KNIT_REJECT_NONE;
}

/* The position is inside the frame; the core wants it in the linear part, and in 16 bits. */
static enum knit_reject set_partial(struct sk_buff *skb, const struct knit_desc *d)
{
	if (skb_headroom(skb) + d->csum_start >= U16_MAX ||
	    !pskb_may_pull(skb, (u32)d->csum_start + d->csum_offset + sizeof(__sum16)) ||
	    !skb_partial_csum_set(skb, d->csum_start, d->csum_offset))
		return KNIT_REJECT_BAD_CSUM;
	return KNIT_REJECT_NONE;
}

bool kni_poll_offloads(struct kni_poll *v, struct kni_pair *p, struct sk_buff *skb)
{
	netdev_features_t features = p->iface->dev->features;
	const struct knit_desc *d = &p->frame.desc;
	enum knit_reject why = KNIT_REJECT_NONE;

	if (d->flags & KNIT_DESC_CSUM_PARTIAL)
		why = set_partial(skb, d);
	else if (d->flags & KNIT_DESC_CSUM_GOOD && features & NETIF_F_RXCSUM)
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	/* what fits into one segment needs no cutting, and the core takes it for an error */
	if (unlikely(d->gso_type) && !why && skb->len - d->hdr_len > d->gso_size)
		why = set_gso(skb, d);
	if (d->flags & KNIT_DESC_VLAN)
		__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q), d->vlan_tci);
	if (d->flags & KNIT_DESC_HASH && features & NETIF_F_RXHASH)
		skb_set_hash(skb, d->hash, PKT_HASH_TYPE_L4);
	if (unlikely(why))
		v->rejects[why]++;
	return !why;
}

void kni_poll_begin(struct kni_poll *v, struct kni_pair *p, u32 most)
{
	*v = (struct kni_poll){
		.w = {
			.rx = {
				.rx_q = &p->rx_q,
				.free_q = &p->free_q,
				.short_ok = kni_loopback(),
			},
			.mem = kni_mem_table(p->iface->mem),
			.hint = &p->rx_hint,
			.features = p->iface->features,
		},
		.most = min_t(u32, most, KNI_BATCH),
		.bad_index = p->rx_q.bad_index + p->free_q.bad_index,
	};
	knit_frames_begin(&v->w.rx);
}

bool kni_poll_next(struct kni_poll *v, struct kni_pair *p)
{
	while (v->frames < v->most && v->copied < KNI_BATCH_BYTES) {
		v->before = v->w.rx.at;
		if (!kni_frame_next(&v->w, &p->frame))
			return false;
		v->frames++;
		if (likely(!p->frame.why)) {
			v->copied += p->frame.len;
			trace_kni_rx_take(p->iface->dev, p->index, p->frame.len,
					  v->w.rx.at - v->before);
			return true;
		}
		v->rejects[p->frame.why]++;
	}
	return false;
}

void kni_poll_undo(struct kni_poll *v)
{
	v->w.rx.at = v->before;
	v->frames--;
}

static void poll_count(const struct kni_poll *v, struct kni_rx_stats *s, u32 lost_cookies)
{
	u32 i;

	u64_stats_update_begin(&s->sync);
	u64_stats_add(&s->packets, v->packets);
	u64_stats_add(&s->bytes, v->bytes);
	u64_stats_add(&s->down, v->down);
	u64_stats_add(&s->no_memory, v->no_memory);
	u64_stats_add(&s->free_full, lost_cookies);
	for (i = 0; i < KNIT_REJECT_COUNT; i++)
		u64_stats_add(&s->rejects[i], v->rejects[i]);
	u64_stats_update_end(&s->sync);
}

void kni_poll_end(struct kni_poll *v, struct kni_pair *p, const struct kni_attach *live)
{
	u32 bad = p->rx_q.bad_index + p->free_q.bad_index - v->bad_index;

	v->rejects[KNIT_REJECT_BAD_INDEX] += bad;
	/* first, so that whoever has his cookies back finds them counted */
	if (v->w.rx.at || unlikely(bad))
		poll_count(v, &p->rx, knit_frames_lost(&v->w.rx));
	if (!v->w.rx.at)
		return;
	knit_frames_end(&v->w.rx);
	/* (F) for both flags at once: both indexes are stored, one full barrier */
	if (unlikely(knit_ring_space_wanted(&p->rx_q) || knit_load(&p->free_q.shm->need_data)))
		kni_doorbell_ring(live->doorbell);
}

static struct sk_buff *poll_take_skb(struct kni_poll *v, struct kni_pair *p)
{
	struct net_device *dev = p->iface->dev;
	struct sk_buff *skb;

	if (unlikely(!netif_running(dev))) {
		v->down++;
		return NULL;
	}
	skb = kni_poll_skb(v, p);
	if (unlikely(!skb))
		return NULL;
	if (unlikely(!kni_poll_offloads(v, p, skb))) {
		kfree_skb(skb);
		return NULL;
	}
	skb_record_rx_queue(skb, p->index);
	skb_mark_napi_id(skb, &p->turn.napi);
	skb->protocol = eth_type_trans(skb, dev);
	v->packets++;
	v->bytes += p->frame.len;
	return skb;
}

static bool is_tcp(const struct sk_buff *skb)
{
	/* behind the option that says the length of a long one */
	if (skb_is_gso_tcp(skb))
		return true;
	if (skb->protocol == htons(ETH_P_IP))
		return skb_headlen(skb) >= sizeof(struct iphdr) &&
		       ((const struct iphdr *)skb->data)->protocol == IPPROTO_TCP;
	if (skb->protocol == htons(ETH_P_IPV6))
		return skb_headlen(skb) >= sizeof(struct ipv6hdr) &&
		       ((const struct ipv6hdr *)skb->data)->nexthdr == IPPROTO_TCP;
	return false;
}

/*
 * As NICs do, all goes to GRO; but datagrams that may be rows already do not. A flow is all of one
 * kind, so its order is kept. What GRO keeps is flushed when the turn is given back.
 */
static void pass_to_stack(struct kni_pair *p, struct list_head *skbs)
{
	netdev_features_t features = p->iface->dev->features;
	bool all = !p->merge.on;
	struct sk_buff *skb, *next;

	list_for_each_entry_safe(skb, next, skbs, list) {
		trace_kni_rx_stack(p->iface->dev, p->index, skb);
		if (!(features & NETIF_F_GRO) || !(all || is_tcp(skb)))
			continue;
		skb_list_del_init(skb);
		/* Its extra header makes GRO take it for another flow's: it would overtake. */
		if (unlikely(skb->len > KNIT_GSO_MAX_BYTES))
			napi_gro_flush(&p->turn.napi, false);
		napi_gro_receive(&p->turn.napi, skb);
	}
	netif_receive_skb_list(skbs);
}

/* RX path entry point: frames that user space put into rx_q, to the stack. */
unsigned int kni_rx(struct kni_pair *p, const struct kni_attach *live, u32 most)
{
	struct kni_poll v;
	struct sk_buff *skb;
	LIST_HEAD(skbs);

	kni_poll_begin(&v, p, most);
	kni_merge_begin(p);
	while (kni_poll_next(&v, p)) {
		skb = poll_take_skb(&v, p);
		if (likely(skb) && !kni_merge(p, skb))
			list_add_tail(&skb->list, &skbs);
	}
	kni_merge_end(p);
	kni_poll_end(&v, p, live);
	if (!list_empty(&skbs))
		pass_to_stack(p, &skbs);
	return v.frames;
}

void kni_pair_reset(struct kni_pair *p)
{
	p->rx_hint = 0;
	kni_turn_note(&p->turn, &p->rx_q, 1);
	p->turn.left = 1; /* who polls first raises the flag */
	p->wanted = 0;
	p->pending_packets = 0;
	p->pending_bytes = 0;
	p->bad_index = p->alloc_q.bad_index + p->tx_q.bad_index;
	memset(&p->txbuf, 0, sizeof(p->txbuf));
	p->txbuf.alloc_q = &p->alloc_q;
	p->txbuf.tx_q = &p->tx_q;
	p->txbuf.max_segs = p->iface->max_segs;
	p->txbuf.buffer_len = KNIT_MIN_BUFFER;
}

void kni_pair_init(struct kni_pair *p)
{
	p->small.most = KNI_PAGES;
	p->large.order = get_order(LARGE_SIZE);
	p->large.most = LARGE_PAGES;
}

void kni_pair_free(struct kni_pair *p)
{
	kni_pages_free(&p->small);
	kni_pages_free(&p->large);
}
