// SPDX-License-Identifier: BSD-3-Clause
#include "tap.h"

#include <rte_branch_prediction.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * rx_q -> kernel. One poll: take what is there into private copies, check it, hand the good
 * frames to the kernel in order, give all cookies back. Whatever stands in shared memory, each
 * descriptor is read once.
 */

/* Rows of frames that grow side by side, when a batch holds several flows */
#define MERGES 4

struct knit_tap_scratch {
	struct knit_tap_frame frame[KNIT_TAP_BATCH];
	uint32_t n_frames;
	struct iovec seg[KNIT_PEEK];
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

static void send_all(struct knit_tap_pair *p, struct knit_tap_scratch *s)
{
	uint32_t i;

	if (s->n_frames == 1 || !(p->iface->coalesce_udp || p->iface->coalesce_tcp)) {
		for (i = 0; i < s->n_frames; i++)
			send_single(p, s, &s->frame[i]);
		return;
	}
	for (i = 0; i < s->n_frames; i++)
		frame_coalesce(p, s, &s->frame[i]);
	flush_rows(p, s);
}

static enum knit_reject frame_check(const struct knit_tap_frame *f, uint32_t features)
{
	enum knit_reject why = knit_desc_check_frame(&f->desc, f->len);

	if (unlikely(why))
		return why;
	/* the tag is put behind the addresses, which must be in one piece */
	if (f->desc.flags & KNIT_DESC_VLAN && f->seg[0].iov_len <= 12)
		return KNIT_REJECT_BAD_LEN;
	return knit_frame_check_features(&f->desc, features);
}

/* Takes the next frame; keeps it if it is a good one. False: nothing is to be taken now. */
static bool rx_frame_take(struct knit_tap_pair *p, struct knit_tap_scratch *s,
			  struct knit_frames *rx, const struct knit_region_table *mem)
{
	struct knit_tap_frame *f = &s->frame[s->n_frames];
	struct iovec *seg = &s->seg[rx->at];
	struct knit_chain c;
	struct knit_desc d;

	f->seg = seg;
	f->n_segs = 0;
	knit_chain_begin(rx, &c, &f->desc);
	while (knit_chain_next(rx, &c, &d)) {
		seg->iov_base = knit_region_ptr(mem, &p->region, d.addr, d.len);
		seg->iov_len = d.len;
		if (unlikely(seg->iov_base == NULL))
			c.why = KNIT_REJECT_BAD_ADDR;
		f->n_segs++;
		seg++;
	}
	if (!knit_chain_end(rx, &c))
		return false;
	f->len = c.len;
	if (likely(c.why == KNIT_REJECT_NONE))
		c.why = frame_check(f, p->iface->features);
	if (unlikely(c.why))
		p->stats.rejects[c.why]++;
	else
		s->n_frames++;
	return true;
}

/* RX path entry point: what workers put into rx_q, to the kernel. */
bool knit_tap_rx(struct knit_tap_pair *p, struct knit_tap_scratch *s,
		 const struct knit_region_table *mem)
{
	uint32_t bad = p->rx_q.bad_index + p->free_q.bad_index;
	struct knit_frames rx = { .rx_q = &p->rx_q, .free_q = &p->free_q };

	if (likely(knit_frames_begin(&rx) == 0))
		goto out_bad_index;
	s->n_frames = 0;
	while (s->n_frames < KNIT_TAP_BATCH && rx_frame_take(p, s, &rx, mem))
		;
	send_all(p, s);
	/* only a user side that handed in more than it has cookies for loses some */
	p->stats.rejects[KNIT_REJECT_BAD_INDEX] += knit_frames_lost(&rx);
	knit_frames_end(&rx);
	/* (F) for both flags at once: both indexes are stored, one full barrier */
	if (unlikely(knit_ring_space_wanted(&p->rx_q) || knit_load(&p->free_q.shm->need_data)))
		knit_doorbell_ring(p->user_doorbell);
out_bad_index:
	p->stats.rejects[KNIT_REJECT_BAD_INDEX] += p->rx_q.bad_index + p->free_q.bad_index - bad;
	return rx.n != 0;
}
