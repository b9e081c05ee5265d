// SPDX-License-Identifier: BSD-3-Clause
#include "tap.h"

#include <rte_branch_prediction.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * rx_q -> kernel. One visit: take what is there into private copies, check it, hand the good
 * frames to the kernel in order, give all cookies back. Whatever stands in shared memory, each
 * descriptor is read once.
 */

/* Rows of frames that grow side by side, when a batch holds several flows */
#define MERGES 4

struct knit_tap_scratch {
	struct knit_tap_frame frame[KNIT_TAP_PEEK];
	struct iovec seg[KNIT_TAP_PEEK];
	uint32_t cookie[KNIT_TAP_PEEK];
	struct knit_tap_merge merge[MERGES]; /* oldest first */
	uint32_t n_merges;
	struct knit_tap_flow flow;
	uint8_t hdr[KNIT_TAP_HDR_MAX];
	struct iovec iov[KNIT_TAP_MERGE_IOV + 8];
};

struct knit_tap_scratch *knit_tap_scratch_new(void)
{
	return calloc(1, sizeof(struct knit_tap_scratch));
}

static void count_refused(struct knit_tap_pair *p, int err, uint32_t n)
{
	switch (err) {
	case EIO:
		p->stats.drops[KNIT_ENGINE_DROP_RX_DOWN] += n;
		break;
	case EBADFD:
		p->dead = true;
		/* fall through */
	default:
		p->stats.drops[KNIT_ENGINE_DROP_RX_KERNEL] += n;
	}
}

/* A frame as it is; its tag goes between the addresses and the type. */
static void send_single(struct knit_tap_pair *p, struct knit_tap_scratch *s,
			const struct knit_tap_frame *f)
{
	uint8_t tag[KNIT_VLAN_HLEN] = { 0x81, 0x00, f->desc.vlan_tci >> 8, f->desc.vlan_tci };
	struct iovec *iov = s->iov;
	struct virtio_net_hdr vh;
	uint32_t n = 1, i;

	knit_vnet_from_desc(&vh, &f->desc);
	iov[0] = (struct iovec){ &vh, sizeof(vh) };
	iov[n++] = f->seg[0];
	if (unlikely(f->desc.flags & KNIT_DESC_VLAN)) {
		iov[1].iov_len = 12;
		iov[n++] = (struct iovec){ tag, sizeof(tag) };
		iov[n++] = (struct iovec){ (uint8_t *)f->seg[0].iov_base + 12,
					   f->seg[0].iov_len - 12 };
	}
	for (i = 1; i < f->n_segs; i++)
		iov[n++] = f->seg[i];
	p->stats.rx_writes++;
	if (unlikely(writev(p->fd, iov, n) < 0)) {
		count_refused(p, errno, 1);
		return;
	}
	p->stats.rx_packets++;
	p->stats.rx_bytes += f->len;
}

static bool send_merged(struct knit_tap_pair *p, struct knit_tap_scratch *s,
			const struct knit_tap_merge *m)
{
	struct virtio_net_hdr vh;
	uint32_t n = knit_tap_merge_build(m, &vh, s->hdr, s->iov);

	p->stats.rx_writes++;
	if (likely(writev(p->fd, s->iov, n) >= 0)) {
		p->stats.rx_packets += m->n;
		p->stats.rx_bytes += (uint64_t)m->n * m->first->hdr_len + m->payload;
		return true;
	}
	if (errno != EINVAL) {
		count_refused(p, errno, m->n);
		return true;
	}
	/* this kernel does not take such frames: never again, and one by one now */
	if (m->flow.proto == KNIT_TAP_UDP4 || m->flow.proto == KNIT_TAP_UDP6)
		p->iface->coalesce_udp = false;
	else
		p->iface->coalesce_tcp = false;
	return false;
}

static void send_row(struct knit_tap_pair *p, struct knit_tap_scratch *s,
		     const struct knit_tap_merge *m)
{
	const struct knit_tap_frame *f;

	if (m->n > 1 && send_merged(p, s, m))
		return;
	for (f = m->first; f; f = f->next)
		send_single(p, s, f);
}

static void flush_rows(struct knit_tap_pair *p, struct knit_tap_scratch *s)
{
	uint32_t i;

	for (i = 0; i < s->n_merges; i++)
		send_row(p, s, &s->merge[i]);
	s->n_merges = 0;
}

static void flush_row(struct knit_tap_pair *p, struct knit_tap_scratch *s, uint32_t i)
{
	send_row(p, s, &s->merge[i]);
	s->n_merges--;
	for (; i < s->n_merges; i++)
		s->merge[i] = s->merge[i + 1];
}

/* TCP as GRO does it for any NIC; datagrams where nobody would see it, see tap_observe.c. */
static bool may_merge(const struct knit_tap_iface *t, const struct knit_tap_frame *f,
		      const struct knit_tap_flow *flow)
{
	uint64_t own = 0;

	if (flow->proto == KNIT_TAP_TCP4 || flow->proto == KNIT_TAP_TCP6)
		return t->coalesce_tcp && __atomic_load_n(&t->gro, __ATOMIC_RELAXED);
	memcpy(&own, flow->hdr, 6);
	return t->coalesce_udp && own == __atomic_load_n(&t->merge_to, __ATOMIC_RELAXED) &&
	       flow->l3_off == KNIT_ETH_HLEN && !(f->desc.flags & KNIT_DESC_VLAN);
}

/*
 * Order within a flow is kept: a frame waits in its flow's row, or everything before it has been
 * sent.
 */
static void frame_coalesce(struct knit_tap_pair *p, struct knit_tap_scratch *s,
			   struct knit_tap_frame *f)
{
	uint32_t i;

	if (!knit_tap_parse(f, &s->flow) || !may_merge(p->iface, f, &s->flow)) {
		flush_rows(p, s);
		send_single(p, s, f);
		return;
	}
	for (i = 0; i < s->n_merges; i++) {
		if (!knit_tap_merge_same(&s->merge[i], &s->flow))
			continue;
		if (knit_tap_merge_add(&s->merge[i], f, &s->flow))
			return;
		flush_row(p, s, i);
		break;
	}
	if (s->n_merges == MERGES)
		flush_row(p, s, 0);
	knit_tap_merge_start(&s->merge[s->n_merges++], f, &s->flow);
}

static void send_all(struct knit_tap_pair *p, struct knit_tap_scratch *s, uint32_t n_frames)
{
	uint32_t i;

	if (n_frames == 1 || !(p->iface->coalesce_udp || p->iface->coalesce_tcp)) {
		for (i = 0; i < n_frames; i++)
			send_single(p, s, &s->frame[i]);
		return;
	}
	for (i = 0; i < n_frames; i++)
		frame_coalesce(p, s, &s->frame[i]);
	flush_rows(p, s);
}

static enum knit_reject frame_check(const struct knit_tap_frame *f, uint32_t features)
{
	enum knit_reject why = knit_desc_check_frame(&f->desc, f->len);
	uint8_t gso = f->desc.gso_type & KNIT_GSO_TYPE;

	if (unlikely(why))
		return why;
	/* the tag is put behind the addresses, which must be in one piece */
	if (f->desc.flags & KNIT_DESC_VLAN && f->seg[0].iov_len <= 12)
		return KNIT_REJECT_BAD_LEN;
	if (f->desc.flags & KNIT_DESC_CSUM_PARTIAL && !(features & KNIT_FEAT_CSUM))
		return KNIT_REJECT_BAD_FLAGS;
	if (gso == KNIT_GSO_NONE)
		return KNIT_REJECT_NONE;
	return features & (gso == KNIT_GSO_UDP_L4 ? KNIT_FEAT_USO : KNIT_FEAT_TSO)
		       ? KNIT_REJECT_NONE
		       : KNIT_REJECT_BAD_GSO;
}

struct walk {
	uint32_t at; /* descriptors taken */
	uint32_t n;  /* descriptors there */
	uint32_t frames;
	bool more; /* n is all there is room for, not all there is */
};

/*
 * Takes the chain at w->at into f: true if it is a good frame. Leaves w->at where it was, and
 * returns false, if the chain may go on behind what was peeked.
 */
static bool rx_frame_take(struct knit_tap_pair *p, struct knit_tap_scratch *s, struct walk *w,
			  const struct knit_region_table *mem)
{
	struct knit_tap_frame *f = &s->frame[w->frames];
	enum knit_reject why = KNIT_REJECT_NONE, seg_why;
	struct iovec *seg = &s->seg[w->at];
	uint32_t i = w->at;
	struct knit_desc d;
	void *data;

	f->seg = seg;
	f->n_segs = 0;
	f->len = 0;
	do {
		if (unlikely(i == w->n)) {
			/* the user side submits whole frames: this one's end will never come */
			why = KNIT_REJECT_BAD_CHAIN;
			if (w->more && i - w->at <= KNIT_DESC_MAX_SEGS)
				return false;
			break;
		}
		knit_desc_load(&d, knit_ring_entry(&p->rx_q, p->rx_q.cons + i));
		seg_why = knit_desc_check_seg(&d, i == w->at);
		if (i == w->at)
			f->desc = d;
		s->cookie[i++] = d.cookie;
		if (unlikely(d.len == 0 && seg_why == KNIT_REJECT_NONE))
			continue; /* an empty segment: nothing but a cookie */
		data = seg_why ? NULL : knit_region_ptr(mem, &p->region, d.addr, d.len);
		if (unlikely(data == NULL && why == KNIT_REJECT_NONE))
			why = seg_why ? seg_why : KNIT_REJECT_BAD_ADDR;
		seg[f->n_segs++] = (struct iovec){ data, d.len };
		f->len += d.len;
	} while (unlikely(d.flags & KNIT_DESC_MORE));

	if (unlikely(i - w->at > KNIT_DESC_MAX_SEGS))
		why = KNIT_REJECT_BAD_CHAIN;
	w->at = i;
	if (likely(why == KNIT_REJECT_NONE))
		why = frame_check(f, p->iface->features);
	if (unlikely(why)) {
		p->stats.rejects[why]++;
		return false;
	}
	return true;
}

/* Every cookie taken goes back, also those of frames that were refused. */
static void return_cookies(struct knit_tap_pair *p, const uint32_t *cookie, uint32_t n)
{
	uint32_t room = knit_ring_reserve(&p->free_q, n), i;
	struct knit_desc *d;

	for (i = 0; i < room; i++) {
		d = knit_ring_entry(&p->free_q, p->free_q.prod + i);
		*d = (struct knit_desc){ .cookie = cookie[i] };
	}
	/* only a user side that handed in more than it has slots for gets here */
	if (unlikely(room < n))
		p->stats.rejects[KNIT_REJECT_BAD_INDEX] += n - room;
	if (room)
		knit_ring_submit(&p->free_q, room);
}

/* RX path entry point: what workers put into rx_q, to the kernel. */
bool knit_tap_rx(struct knit_tap_pair *p, struct knit_tap_scratch *s,
		 const struct knit_region_table *mem)
{
	uint32_t bad = p->rx_q.bad_index + p->free_q.bad_index, before;
	struct walk w = { 0 };

	w.n = knit_ring_peek(&p->rx_q, KNIT_TAP_PEEK);
	if (likely(w.n == 0))
		goto out_bad_index;
	w.more = w.n == KNIT_TAP_PEEK;
	while (w.at < w.n && w.frames < KNIT_TAP_BATCH) {
		before = w.at;
		if (rx_frame_take(p, s, &w, mem))
			w.frames++;
		else if (w.at == before)
			break;
	}
	send_all(p, s, w.frames);
	knit_ring_release(&p->rx_q, w.at);
	return_cookies(p, s->cookie, w.at);
	/* (F) for both flags at once: both indexes are stored, one full barrier */
	if (unlikely(knit_ring_space_wanted(&p->rx_q) || knit_load(&p->free_q.shm->need_data)))
		knit_doorbell_ring(p->user_doorbell);
out_bad_index:
	p->stats.rejects[KNIT_REJECT_BAD_INDEX] += p->rx_q.bad_index + p->free_q.bad_index - bad;
	return w.n != 0;
}
