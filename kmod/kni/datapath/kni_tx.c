// SPDX-License-Identifier: GPL-2.0
#include "kni.h"
#include "kni_trace.h"

#include <linux/if_vlan.h>
#include <linux/tcp.h>
#include <linux/udp.h>

/* Frames between two commits, while the core says that more follow. */
#define BURST 16
/* Buffers, at most, that the queue is stopped for before a frame needs them. */
#define AHEAD 4
/* How often a frame may find that the buffers it waited for are too small, or bad. */
#define TRIES 4

static void count_drop(struct kni_pair *p, u64_stats_t *counter, u32 n)
{
	u64_stats_update_begin(&p->tx.sync);
	u64_stats_add(counter, n);
	u64_stats_update_end(&p->tx.sync);
}

static void count_rejects(struct kni_pair *p)
{
	u32 bad = p->alloc_q.bad_index + p->tx_q.bad_index, i;
	struct kni_txbuf *r = &p->txbuf;

	if (likely(r->rejected == 0 && bad == p->bad_index))
		return;
	r->rejects[KNIT_REJECT_BAD_INDEX] += bad - p->bad_index;
	p->bad_index = bad;
	u64_stats_update_begin(&p->tx.sync);
	for (i = 0; i < KNIT_REJECT_COUNT; i++)
		u64_stats_add(&p->tx.rejects[i], r->rejects[i]);
	u64_stats_update_end(&p->tx.sync);
	memset(r->rejects, 0, sizeof(r->rejects));
	r->rejected = 0;
}

/* Bytes before the payload; U32_MAX: it has no such headers. */
static u32 gso_header(const struct sk_buff *skb)
{
	u32 l4;

	if (!skb_transport_header_was_set(skb))
		return U32_MAX;
	l4 = skb_transport_offset(skb);
	if (skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4)
		return l4 + sizeof(struct udphdr);
	if (l4 + sizeof(struct tcphdr) > skb_headlen(skb))
		return U32_MAX;
	return l4 + tcp_hdrlen(skb);
}

/* False: not what the interface offers; the core does not let such frames through. */
static bool set_gso(const struct sk_buff *skb, u32 features, struct knit_desc *d)
{
	const struct skb_shared_info *info = skb_shinfo(skb);
	u32 hdr_len = gso_header(skb), need = KNIT_FEAT_TSO;

	if (info->gso_type & SKB_GSO_TCPV4) {
		d->gso_type = KNIT_GSO_TCPV4;
	} else if (info->gso_type & SKB_GSO_TCPV6) {
		d->gso_type = KNIT_GSO_TCPV6;
	} else if (info->gso_type & SKB_GSO_UDP_L4) {
		d->gso_type = KNIT_GSO_UDP_L4;
		need = KNIT_FEAT_USO;
	} else {
		return false;
	}
	if (info->gso_type & SKB_GSO_TCP_ECN)
		d->gso_type |= KNIT_GSO_ECN;
	d->gso_size = info->gso_size;
	d->hdr_len = hdr_len;
	return features & need && hdr_len <= U8_MAX && d->flags & KNIT_DESC_CSUM_PARTIAL;
}

static bool set_offloads(const struct kni_pair *p, const struct sk_buff *skb, struct knit_desc *d)
{
	u32 features = p->iface->features;

	d->hash = 0;
	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		if (unlikely(!(features & KNIT_FEAT_CSUM)))
			return false;
		d->flags |= KNIT_DESC_CSUM_PARTIAL;
		d->csum_start = skb_checksum_start_offset(skb);
		d->csum_offset = skb->csum_offset;
	} else {
		if (skb->ip_summed == CHECKSUM_UNNECESSARY)
			d->flags |= KNIT_DESC_CSUM_GOOD;
		d->hash = skb_get_hash_raw(skb);
		if (d->hash)
			d->flags |= KNIT_DESC_HASH;
	}
	if (skb_vlan_tag_present(skb)) {
		if (unlikely(!(features & KNIT_FEAT_VLAN)))
			return false;
		d->flags |= KNIT_DESC_VLAN;
		d->vlan_tci = skb_vlan_tag_get(skb);
	}
	return !skb_is_gso(skb) || set_gso(skb, features, d);
}

/*
 * Runs and fragments each have their own sizes. skb_copy_bits for each run would look for its place
 * from the first fragment on.
 */
static bool copy_fragments(const struct kni_txbuf *r, struct sk_buff *skb)
{
	u32 at = 0, have = 0, done, n, i;
	struct skb_seq_state seq;
	const u8 *from = NULL;

	skb_prepare_seq_read(skb, 0, skb->len, &seq);
	for (i = 0; i < r->n_runs; i++) {
		for (done = 0; done < r->run[i].len; done += n) {
			if (have == 0)
				have = skb_seq_read(at, &from, &seq);
			if (unlikely(have == 0))
				goto out_abort;
			n = min(have, r->run[i].len - done);
			memcpy(r->run[i].ptr + done, from, n);
			from += n;
			have -= n;
			at += n;
		}
	}
out_abort:
	skb_abort_seq_read(&seq);
	return i == r->n_runs;
}

static bool copy_out(const struct kni_txbuf *r, struct sk_buff *skb)
{
	if (likely(r->n_runs == 1 && !skb_is_nonlinear(skb))) {
		memcpy(r->run[0].ptr, skb->data, r->run[0].len);
		return true;
	}
	return copy_fragments(r, skb);
}

void kni_tx_count(struct kni_pair *p, enum kni_fit fit)
{
	count_rejects(p);
	if (unlikely(fit == KNI_SHORT))
		WRITE_ONCE(p->wanted, p->txbuf.need);
	else if (unlikely(fit == KNI_TOO_LONG))
		count_drop(p, &p->tx.too_long, 1);
}

void kni_tx_take(struct kni_pair *p, u32 len)
{
	kni_txbuf_take(&p->txbuf);
	p->pending_packets++;
	p->pending_bytes += len;
	trace_kni_tx_submit(p->iface->dev, p->index, len, p->txbuf.n);
}

static bool is_too_long(const struct kni_iface *i, const struct sk_buff *skb)
{
	if (likely(skb->len <= KNIT_FRAME_MAX))
		return false;
	return !(i->features & KNIT_FEAT_BIG_TCP) || skb->len > KNIT_BIG_FRAME_MAX ||
	       !skb_is_gso_tcp(skb);
}

int kni_tx_put(struct kni_pair *p, struct sk_buff *skb)
{
	struct kni_txbuf *r = &p->txbuf;
	enum kni_fit fit = KNI_TOO_LONG;

	r->mem = kni_mem_table(p->iface->mem);
	if (likely(!is_too_long(p->iface, skb)))
		fit = kni_txbuf_find(r, skb->len);
	kni_tx_count(p, fit);
	if (unlikely(fit != KNI_FIT))
		return fit == KNI_SHORT ? -EBUSY : 1;
	if (unlikely(!set_offloads(p, skb, &r->desc[0]) || !copy_out(r, skb))) {
		count_drop(p, &p->tx.bad_frame, 1);
		return 1;
	}
	skb_tx_timestamp(skb);
	kni_tx_take(p, skb->len);
	return 0;
}

void kni_tx_commit(struct kni_pair *p, const struct kni_attach *live)
{
	if (!kni_txbuf_commit(&p->txbuf))
		return;
	u64_stats_update_begin(&p->tx.sync);
	u64_stats_add(&p->tx.packets, p->pending_packets);
	u64_stats_add(&p->tx.bytes, p->pending_bytes);
	u64_stats_update_end(&p->tx.sync);
	p->pending_packets = 0;
	p->pending_bytes = 0;
	/* (F) for both flags at once */
	if (unlikely(knit_ring_data_wanted(&p->tx_q) || knit_load(&p->alloc_q.shm->need_space)))
		kni_doorbell_ring(live->doorbell);
}

bool kni_tx_arm(struct kni_pair *p)
{
	/* whoever is woken because of a flag sees what is wanted */
	knit_store_release(&p->alloc_q.shm->need_data, 1);
	knit_store_release(&p->tx_q.shm->need_space, 1);
	knit_mb(); /* (E) for both */
	if (kni_txbuf_ready(&p->txbuf, p->wanted) < p->wanted)
		return true;
	kni_tx_disarm(p);
	return false;
}

void kni_tx_disarm(struct kni_pair *p)
{
	knit_ring_disarm_data(&p->alloc_q);
	knit_ring_disarm_space(&p->tx_q);
}

/* False: it need not be, what was wanted is there now. */
static bool queue_stop(struct kni_pair *p, struct netdev_queue *q)
{
	netif_tx_stop_queue(q);
	if (likely(kni_tx_arm(p))) {
		count_drop(p, &p->tx.stops, 1);
		return true;
	}
	WRITE_ONCE(p->wanted, 0);
	netif_tx_start_queue(q);
	return false;
}

/* As kni_tx_put, but -EBUSY means that the queue is stopped. */
static int put_or_stop(struct kni_pair *p, const struct kni_attach *live, struct sk_buff *skb,
		       struct netdev_queue *q)
{
	int tries, ret;

	for (tries = 0; tries < TRIES; tries++) {
		ret = kni_tx_put(p, skb);
		if (likely(ret != -EBUSY))
			return ret;
		kni_tx_commit(p, live);
		if (queue_stop(p, q))
			return -EBUSY;
	}
	/* what was wanted was there each time, and was less than it seemed */
	count_drop(p, &p->tx.too_long, 1);
	return 1;
}

/* As kni_tx_put; after -EBUSY the core is to keep the skb until the queue is woken. */
static int skb_send(struct kni_pair *p, const struct kni_attach *live, struct sk_buff *skb,
		    struct netdev_queue *q)
{
	u32 next;
	int ret;

	if (unlikely(p->wanted)) { /* stopped, and started by somebody else */
		kni_tx_disarm(p);
		WRITE_ONCE(p->wanted, 0);
	}
	ret = put_or_stop(p, live, skb, q);
	if (unlikely(ret))
		return ret;
	/* the next one is thought to be like this one; better to stop now than to send it back */
	next = min_t(u32, p->txbuf.n, AHEAD);
	if (unlikely(kni_txbuf_ready(&p->txbuf, next) < next)) {
		kni_tx_commit(p, live);
		WRITE_ONCE(p->wanted, next);
		queue_stop(p, q);
	}
	return 0;
}

static void drop_unserved(struct kni_pair *p)
{
	u32 n = 1;

	/* in a loopback mode tx_q is not ours */
	if (unlikely(!kni_loopback() && p->pending_packets)) {
		n += p->pending_packets;
		p->pending_packets = 0;
		p->pending_bytes = 0;
		p->txbuf.used = 0;
	}
	count_drop(p, &p->tx.no_worker, n);
}

/* TX path entry point: a frame of the stack, for the worker of the pair. */
netdev_tx_t kni_tx(struct sk_buff *skb, struct net_device *dev)
{
	u16 index = skb_get_queue_mapping(skb);
	struct netdev_queue *q = netdev_get_tx_queue(dev, index);
	struct kni_pair *p = &kni_iface_of(dev)->pair[index];
	const struct kni_attach *live;
	int ret = 1;

	trace_kni_tx_stack(dev, index, skb);
	rcu_read_lock();
	live = rcu_dereference(p->live);
	if (unlikely(!live || kni_loopback())) {
		drop_unserved(p);
	} else {
		ret = skb_send(p, live, skb, q);
		if (!netdev_xmit_more() || ret || p->pending_packets >= BURST)
			kni_tx_commit(p, live);
	}
	rcu_read_unlock();
	if (unlikely(ret == -EBUSY))
		return NETDEV_TX_BUSY;
	if (unlikely(ret))
		dev_kfree_skb_any(skb);
	else
		dev_consume_skb_any(skb);
	return NETDEV_TX_OK;
}

void kni_tx_wake(struct kni_pair *p)
{
	struct netdev_queue *q;

	if (likely(READ_ONCE(p->wanted) == 0))
		return;
	q = netdev_get_tx_queue(p->iface->dev, p->index);
	__netif_tx_lock(q, smp_processor_id());
	if (p->wanted && kni_txbuf_ready(&p->txbuf, p->wanted) >= p->wanted) {
		WRITE_ONCE(p->wanted, 0);
		kni_tx_disarm(p);
		count_drop(p, &p->tx.wakes, 1);
		netif_tx_wake_queue(q);
	}
	__netif_tx_unlock(q);
}

/* The queues of the frame's traffic class, a bit each. */
static unsigned long class_of(struct net_device *dev, const struct sk_buff *skb)
{
	struct netdev_tc_txq tc;

	if (netdev_get_num_tc(dev) == 0)
		return ~0ul;
	/* may be changed meanwhile: read once, and no shift goes too far */
	tc = READ_ONCE(dev->tc_to_txq[netdev_get_prio_tc_map(dev, skb->priority)]);
	return (BIT(min_t(u32, tc.count, KNIT_MAX_PAIRS)) - 1) << (tc.offset % BITS_PER_LONG);
}

/*
 * The one that the core picks (XPS, traffic class, flow) if it has a live worker. Else one that
 * has, of the same class if there is any, by the flow's hash; queue 0 if there is none.
 */
u16 kni_tx_select(struct net_device *dev, struct sk_buff *skb, struct net_device *sb_dev)
{
	unsigned long active = READ_ONCE(kni_iface_of(dev)->active), class;
	u16 pick;
	u32 n;

	if (likely((active & (active - 1)) == 0))
		return active ? __ffs(active) : 0;
	pick = netdev_pick_tx(dev, skb, sb_dev);
	if (likely(active & BIT(pick)))
		return pick;
	class = active & class_of(dev, skb);
	active = class ?: active;
	for (n = reciprocal_scale(skb_get_hash(skb), hweight_long(active)); n; n--)
		active &= active - 1;
	return __ffs(active);
}

netdev_features_t kni_tx_features(struct sk_buff *skb, struct net_device *dev,
				  netdev_features_t features)
{
	features = vlan_features_check(skb, features);
	if (skb_is_gso(skb) && (is_too_long(kni_iface_of(dev), skb) || gso_header(skb) > U8_MAX))
		features &= ~NETIF_F_GSO_MASK;
	return features;
}
