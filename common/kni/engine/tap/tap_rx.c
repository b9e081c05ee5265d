// SPDX-License-Identifier: BSD-3-Clause
#include "tap.h"

#include <rte_branch_prediction.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * rx_q -> kernel. One poll: take what is there into private copies, check it, hand the good
 * frames to the kernel in order, with one system call, give all cookies back. Whatever stands in
 * shared memory, each descriptor is read once.
 */

/* Rows of frames that grow side by side, when a batch holds several flows */
#define MERGES 16

/* What a frame, or a row of them, needs besides its segments: header, tag, two parts of one */
#define MORE_IOV 4

/* A frame or a merged row on its way into the kernel, one write. */
struct handover {
	struct virtio_net_hdr vh;
	uint8_t tag[KNIT_VLAN_HLEN];
	uint32_t n;	/* frames */
	uint32_t bytes; /* of them */
};

KNIT_ASSERT(KNIT_TAP_BATCH <= KNIT_TAP_IO_MAX, "all frames of a poll go in one call");

struct knit_tap_scratch {
	struct knit_tap_frame frame[KNIT_TAP_BATCH];
	uint32_t n_frames;
	struct iovec seg[KNIT_PEEK];
	struct knit_tap_merge merge[MERGES];
	uint32_t hash[MERGES]; /* of their flows: what is searched is near together */
	uint32_t n_merges;
	uint32_t evict; /* the row that makes room next, if there are MERGES */
	struct knit_tap_flow flow;
	struct handover out[KNIT_TAP_BATCH];
	uint32_t n_out;
	struct iovec iov[KNIT_PEEK + KNIT_TAP_BATCH * MORE_IOV];
	uint32_t n_iov;
	uint8_t hdr[KNIT_TAP_BATCH / 2][KNIT_TAP_HDR_MAX]; /* of rows, which have two or more */
	uint32_t n_hdr;
};

struct knit_tap_scratch *knit_tap_scratch_new(void)
{
	return calloc(1, sizeof(struct knit_tap_scratch));
}

static void count_refused(struct knit_tap_pair *p, int err, uint32_t n)
{
	switch (err) {
	case EIO:
		p->stats->drops[KNIT_ENGINE_DROP_RX_DOWN] += n;
		break;
	case EBADFD:
		p->dead = true;
		/* fall through */
	default:
		p->stats->drops[KNIT_ENGINE_DROP_RX_KERNEL] += n;
	}
}

static void count_handover(struct knit_tap_pair *p, const struct handover *h, int32_t result)
{
	p->stats->rx_writes++;
	if (unlikely(result < 0)) {
		count_refused(p, -result, h->n);
		return;
	}
	p->stats->rx_packets += h->n;
	p->stats->rx_bytes += h->bytes;
}

static void forget_ready(struct knit_tap_scratch *s)
{
	s->n_out = 0;
	s->n_iov = 0;
	s->n_hdr = 0;
}

static void send_ready(struct knit_tap_pair *p, struct knit_tap_scratch *s, struct knit_tap_io *io)
{
	uint32_t i, n = knit_tap_io_run(io, &p->stats->calls);

	for (i = 0; i < n; i++)
		count_handover(p, &s->out[i], io->op[i].result);
	forget_ready(s);
}

/* A frame as it is; its tag goes between the addresses and the type. */
static void send_single(struct knit_tap_pair *p, struct knit_tap_scratch *s, struct knit_tap_io *io,
			const struct knit_tap_frame *f)
{
	struct handover *h = &s->out[s->n_out++];
	struct iovec *iov = &s->iov[s->n_iov];
	uint32_t n = 1, i;

	h->n = 1;
	h->bytes = f->len;
	knit_vnet_from_desc(&h->vh, &f->desc);
	iov[0] = (struct iovec){ &h->vh, sizeof(h->vh) };
	iov[n++] = f->seg[0];
	if (unlikely(f->desc.flags & KNIT_DESC_VLAN)) {
		h->tag[0] = 0x81;
		h->tag[1] = 0x00;
		h->tag[2] = f->desc.vlan_tci >> 8;
		h->tag[3] = f->desc.vlan_tci;
		iov[1].iov_len = 12;
		iov[n++] = (struct iovec){ h->tag, sizeof(h->tag) };
		iov[n++] = (struct iovec){ (uint8_t *)f->seg[0].iov_base + 12,
					   f->seg[0].iov_len - 12 };
	}
	for (i = 1; i < f->n_segs; i++)
		iov[n++] = f->seg[i];
	s->n_iov += n;
	knit_tap_io_add(io, p->fd, true, iov, n);
}

static void put_merged(struct knit_tap_pair *p, struct knit_tap_scratch *s, struct knit_tap_io *io,
		       const struct knit_tap_merge *m)
{
	struct handover *h = &s->out[s->n_out++];
	struct iovec *iov = &s->iov[s->n_iov];
	uint32_t n = knit_tap_merge_build(m, &h->vh, s->hdr[s->n_hdr++], iov);

	h->n = m->n;
	h->bytes = m->n * m->first->hdr_len + m->payload;
	s->n_iov += n;
	knit_tap_io_add(io, p->fd, true, iov, n);
}

/*
 * The first row of its kind goes alone. False: this kernel takes none. That is remembered, and the
 * frames go one by one.
 */
static bool try_merged(struct knit_tap_pair *p, struct knit_tap_scratch *s, struct knit_tap_io *io,
		       const struct knit_tap_merge *m, enum knit_tap_merging *merging)
{
	send_ready(p, s, io);
	put_merged(p, s, io, m);
	knit_tap_io_run(io, &p->stats->calls);
	*merging = io->op[0].result == -EINVAL ? KNIT_TAP_MERGE_NEVER : KNIT_TAP_MERGE_YES;
	if (*merging == KNIT_TAP_MERGE_YES)
		count_handover(p, &s->out[0], io->op[0].result);
	forget_ready(s);
	return *merging == KNIT_TAP_MERGE_YES;
}

static enum knit_tap_merging *merging_of(struct knit_tap_pair *p, uint8_t proto)
{
	return proto == KNIT_TAP_TCP4 || proto == KNIT_TAP_TCP6 ? &p->merge_tcp : &p->merge_udp;
}

static void send_row(struct knit_tap_pair *p, struct knit_tap_scratch *s, struct knit_tap_io *io,
		     const struct knit_tap_merge *m)
{
	enum knit_tap_merging *merging = merging_of(p, m->flow.proto);
	const struct knit_tap_frame *f;

	if (m->n > 1 && *merging == KNIT_TAP_MERGE_YES) {
		put_merged(p, s, io, m);
		return;
	}
	if (m->n > 1 && *merging == KNIT_TAP_MERGE_TRY && try_merged(p, s, io, m, merging))
		return;
	for (f = m->first; f; f = f->next)
		send_single(p, s, io, f);
}

static void flush_rows(struct knit_tap_pair *p, struct knit_tap_scratch *s, struct knit_tap_io *io)
{
	uint32_t i;

	for (i = 0; i < s->n_merges; i++)
		send_row(p, s, io, &s->merge[i]);
	s->n_merges = 0;
}

/* A row of that flow, sent before another begins. */
static void start_row(struct knit_tap_pair *p, struct knit_tap_scratch *s, struct knit_tap_io *io,
		      uint32_t i, struct knit_tap_frame *f)
{
	if (i < s->n_merges)
		send_row(p, s, io, &s->merge[i]);
	else
		s->n_merges++;
	s->hash[i] = s->flow.hash;
	knit_tap_merge_start(&s->merge[i], f, &s->flow);
}

static uint32_t find_row(const struct knit_tap_scratch *s)
{
	uint32_t i;

	for (i = 0; i < s->n_merges; i++)
		if (s->hash[i] == s->flow.hash && knit_tap_merge_same(&s->merge[i], &s->flow))
			break;
	return i;
}

/* TCP as GRO does it for any NIC; datagrams where nobody would see it, see tap_observe.c. */
static bool may_merge(const struct knit_tap_pair *p, const struct knit_tap_frame *f,
		      const struct knit_tap_flow *flow)
{
	uint64_t own = 0, to = __atomic_load_n(&p->iface->merge_to, __ATOMIC_RELAXED);

	if (flow->proto == KNIT_TAP_TCP4 || flow->proto == KNIT_TAP_TCP6)
		return p->merge_tcp && __atomic_load_n(&p->iface->gro, __ATOMIC_RELAXED);
	memcpy(&own, flow->hdr, 6);
	return p->merge_udp && to && own == to && flow->l3_off == KNIT_ETH_HLEN &&
	       !(f->desc.flags & KNIT_DESC_VLAN);
}

/*
 * Order within a flow is kept: a frame waits in its flow's row, or everything before it has been
 * sent.
 */
static void frame_coalesce(struct knit_tap_pair *p, struct knit_tap_scratch *s,
			   struct knit_tap_io *io, struct knit_tap_frame *f)
{
	uint32_t i;

	if (!knit_tap_parse(f, &s->flow) || !may_merge(p, f, &s->flow)) {
		flush_rows(p, s, io);
		send_single(p, s, io, f);
		return;
	}
	i = find_row(s);
	if (i < s->n_merges && knit_tap_merge_add(&s->merge[i], f, &s->flow))
		return;
	if (i == MERGES)
		i = s->evict++ % MERGES;
	start_row(p, s, io, i, f);
}

static void send_all(struct knit_tap_pair *p, struct knit_tap_scratch *s, struct knit_tap_io *io)
{
	bool merge = s->n_frames > 1 && (p->merge_udp || p->merge_tcp);
	uint32_t i;

	for (i = 0; i < s->n_frames; i++)
		if (merge)
			frame_coalesce(p, s, io, &s->frame[i]);
		else
			send_single(p, s, io, &s->frame[i]);
	flush_rows(p, s, io);
	send_ready(p, s, io);
}

static enum knit_reject frame_check(const struct knit_tap_frame *f, uint32_t features)
{
	enum knit_reject why = knit_desc_check_frame(&f->desc, f->len);

	if (unlikely(why))
		return why;
	/* the tag is put behind the addresses, which must be in one piece */
	if (f->desc.flags & KNIT_DESC_VLAN && f->seg[0].iov_len <= 12)
		return KNIT_REJECT_BAD_LEN;
	return knit_frame_check_features(&f->desc, f->len, features);
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
		p->stats->rejects[c.why]++;
	else
		s->n_frames++;
	return true;
}

/* RX path entry point: what workers put into rx_q, to the kernel. */
bool knit_tap_rx(struct knit_tap_pair *p, struct knit_tap_scratch *s, struct knit_tap_io *io,
		 const struct knit_region_table *mem)
{
	uint32_t bad = p->rx_q.bad_index + p->free_q.bad_index;
	struct knit_frames rx = { .rx_q = &p->rx_q, .free_q = &p->free_q };

	if (likely(knit_frames_begin(&rx) == 0))
		goto out_bad_index;
	s->n_frames = 0;
	while (s->n_frames < KNIT_TAP_BATCH && rx_frame_take(p, s, &rx, mem))
		;
	send_all(p, s, io);
	/* only a user side that handed in more than it has cookies for loses some */
	p->stats->rejects[KNIT_REJECT_BAD_INDEX] += knit_frames_lost(&rx);
	knit_frames_end(&rx);
	/* (F) for both flags at once: both indexes are stored, one full barrier */
	if (unlikely(knit_ring_space_wanted(&p->rx_q) || knit_load(&p->free_q.shm->need_data)))
		knit_doorbell_ring(p->user_doorbell);
out_bad_index:
	p->stats->rejects[KNIT_REJECT_BAD_INDEX] += p->rx_q.bad_index + p->free_q.bad_index - bad;
	return rx.n != 0;
}
