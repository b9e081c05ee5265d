// SPDX-License-Identifier: GPL-2.0
#include "kni_frame.h"
#include "kni_headers.h"

/* offsetof check in struct tcphdr and struct udphdr */
#define TCP_CSUM_OFFSET 16
#define UDP_CSUM_OFFSET 6
#define IP_FRAGMENT 0x3fff /* more of them, or an offset */
/* What the kernel takes for "the fragments say" (GSO_BY_FRAGS); never a size. */
#define NO_GSO_SIZE 0xffff

static __u32 min_u32(__u32 a, __u32 b)
{
	return a < b ? a : b;
}

/* Splits a piece into runs; false if it is not all in one region. */
static bool add_runs(const struct kni_region_table *mem, __u32 *hint, struct kni_run *run,
		     __u32 *n_runs, __u64 addr, __u32 len)
{
	__u32 got;
	void *p;

	while (len) {
		p = kni_region_ptr(mem, hint, addr, len, &got);
		if (!p || *n_runs == KNI_RUNS)
			return false;
		run[*n_runs].ptr = p;
		run[*n_runs].len = got;
		(*n_runs)++;
		addr += got;
		len -= got;
	}
	return true;
}

/*
 * What the kernel relies on in a frame that it is to cut, beyond what the ABI asks for. A tap
 * device has checks of its own.
 */
static enum knit_reject check_gso(const struct kni_frame *f)
{
	const struct knit_desc *d = &f->desc;
	bool udp = (d->gso_type & KNIT_GSO_TYPE) == KNIT_GSO_UDP_L4;

	if (d->gso_size == NO_GSO_SIZE)
		return KNIT_REJECT_BAD_GSO;
	/* the stack may have to cut it here and now */
	if (f->len - d->hdr_len > (__u32)d->gso_size * KNIT_GSO_MAX_SEGS)
		return KNIT_REJECT_BAD_GSO;
	if (d->csum_offset != (udp ? UDP_CSUM_OFFSET : TCP_CSUM_OFFSET) ||
	    d->csum_start + (udp ? UDP_HLEN : TCP_HLEN) > d->hdr_len)
		return KNIT_REJECT_BAD_GSO;
	return KNIT_REJECT_NONE;
}

static enum knit_reject check_frame(const struct kni_iter *w, const struct kni_frame *f)
{
	const struct knit_desc *d = &f->desc;
	enum knit_reject why;

	if (w->rx.short_ok && f->len < KNIT_ETH_HLEN)
		return d->flags & ~KNIT_DESC_MORE || d->gso_type ? KNIT_REJECT_BAD_LEN
								 : KNIT_REJECT_NONE;
	why = knit_desc_check_frame(d, f->len);
	if (why)
		return why;
	/* the tap engine puts the tag into the data, which needs no feature of the device */
	if (d->flags & KNIT_DESC_VLAN && !(w->features & KNIT_FEAT_VLAN))
		return KNIT_REJECT_BAD_FLAGS;
	why = knit_frame_check_features(d, f->len, w->features);
	return why || !d->gso_type ? why : check_gso(f);
}

/* Where L4 begins in a whole IPv4 packet at `at`; 0: no such packet. */
static __u32 l4_of_ip4(const __u8 *hdr, __u32 len, __u32 at, __u8 *proto)
{
	const __u8 *ip = hdr + at;

	if (len < at + IP4_HLEN || ip[0] >> 4 != 4 || (ip[0] & 15) < 5 ||
	    kni_be16(ip + 6) & IP_FRAGMENT)
		return 0;
	*proto = ip[9];
	return at + (ip[0] & 15) * 4u;
}

/* The same behind the extension headers that the kernel passes when it cuts. */
static __u32 l4_of_ip6(const __u8 *hdr, __u32 len, __u32 at, __u8 *proto)
{
	if (len < at + IP6_HLEN || hdr[at] >> 4 != 6)
		return 0;
	*proto = hdr[at + 6];
	at += IP6_HLEN;
	while (*proto == PROTO_HOP || *proto == PROTO_ROUTING || *proto == PROTO_DST) {
		if (len < at + 8)
			return 0;
		*proto = hdr[at];
		at += (hdr[at + 1] + 1u) * 8;
	}
	return at;
}

/*
 * A length that the header can't say is 0 there. Where a kernel takes the length from depends on
 * its version; with 0 in the header all of them take that of the frame, or have nothing to do with
 * it.
 */
static bool says_big(const __u8 *hdr, __u32 l3, __u32 at)
{
	return kni_be16(hdr + at + (l3 == TYPE_IP4 ? 2 : 4)) == 0;
}

bool kni_frame_gso_fits(const struct knit_desc *d, const __u8 *hdr, __u32 len, __u32 frame_len)
{
	__u32 type = d->gso_type & KNIT_GSO_TYPE, at = 12, l3, l4 = 0;
	bool udp = type == KNIT_GSO_UDP_L4;
	__u8 proto = 0;

	while (at + 2 <= len &&
	       (kni_be16(hdr + at) == TYPE_VLAN || kni_be16(hdr + at) == TYPE_QINQ))
		at += 4;
	if (at + 2 > len)
		return false;
	l3 = kni_be16(hdr + at);
	if (l3 == TYPE_IP4 && type != KNIT_GSO_TCPV6)
		l4 = l4_of_ip4(hdr, len, at + 2, &proto);
	else if (l3 == TYPE_IP6 && type != KNIT_GSO_TCPV4)
		l4 = l4_of_ip6(hdr, len, at + 2, &proto);
	if (l4 == 0 || proto != (udp ? PROTO_UDP : PROTO_TCP) || l4 != d->csum_start)
		return false;
	if (frame_len > KNIT_FRAME_MAX && !says_big(hdr, l3, at + 2))
		return false;
	if (udp)
		return d->hdr_len == l4 + UDP_HLEN && len >= d->hdr_len;
	return len >= l4 + TCP_HLEN && hdr[l4 + 12] >> 4 >= 5 &&
	       d->hdr_len == l4 + (hdr[l4 + 12] >> 4) * 4u && len >= d->hdr_len;
}

bool kni_frame_next(struct kni_iter *w, struct kni_frame *f)
{
	struct knit_chain c;
	struct knit_desc d;

	f->n_runs = 0;
	knit_chain_begin(&w->rx, &c, &f->desc);
	while (knit_chain_next(&w->rx, &c, &d)) {
		/* before its runs are too many for run[] */
		if (c.len > KNIT_BIG_FRAME_MAX)
			c.why = KNIT_REJECT_BAD_LEN;
		else if (!add_runs(w->mem, w->hint, f->run, &f->n_runs, d.addr, d.len))
			c.why = KNIT_REJECT_BAD_ADDR;
	}
	if (!knit_chain_end(&w->rx, &c))
		return false;
	f->len = c.len;
	f->why = c.why ? c.why : check_frame(w, f);
	return true;
}

__u32 kni_txbuf_ready(struct kni_txbuf *r, __u32 n)
{
	__u32 have = knit_ring_peek(r->alloc_q, r->used + n);

	have = min_u32(have, knit_ring_reserve(r->tx_q, r->used + n));
	return have > r->used ? have - r->used : 0;
}

static void txbuf_put(struct kni_txbuf *r, const struct knit_desc *d)
{
	*(struct knit_desc *)knit_ring_entry(r->tx_q, r->tx_q->prod + r->used) = *d;
	r->used++;
}

/* Adds the buffer to the frame's place, for as much of it as is left. */
static enum knit_reject add_buffer(struct kni_txbuf *r, struct knit_desc *d, __u32 *left)
{
	__u32 take = min_u32(*left, d->len), got;
	enum knit_reject why;
	void *p;

	why = knit_buffer_check(d);
	if (why)
		return why;
	p = kni_region_ptr(r->mem, &r->hint, d->addr, d->len, &got);
	if (!p || r->n_runs == KNI_RUNS)
		return KNIT_REJECT_BAD_ADDR;
	got = min_u32(got, take);
	if (got) {
		r->run[r->n_runs].ptr = p;
		r->run[r->n_runs++].len = got;
	}
	if (!add_runs(r->mem, &r->hint, r->run, &r->n_runs, d->addr + got, take - got))
		return KNIT_REJECT_BAD_ADDR;
	r->buffer_len = d->len;
	*d = (struct knit_desc){ .addr = d->addr, .len = take, .cookie = d->cookie };
	*left -= take;
	return KNIT_REJECT_NONE;
}

/* The buffer behind the r->n found so far is bad: all go back empty, with a length no frame has. */
static void txbuf_reject(struct kni_txbuf *r, __u32 bad_cookie, enum knit_reject why)
{
	__u32 i;

	for (i = 0; i < r->n; i++)
		txbuf_put(r, &(struct knit_desc){ .cookie = r->desc[i].cookie });
	txbuf_put(r, &(struct knit_desc){ .cookie = bad_cookie });
	r->rejects[why]++;
	r->rejected++;
	r->n = 0;
	r->n_runs = 0;
}

/* Entries that a frame of which `left` bytes have no place yet is thought to need in all. */
static __u32 txbuf_estimate(const struct kni_txbuf *r, __u32 left)
{
	__u32 n = r->n + (left + r->buffer_len - 1) / r->buffer_len;

	if (n <= r->n)
		n = r->n + 1;
	return min_u32(n, r->max_segs);
}

enum kni_fit kni_txbuf_find(struct kni_txbuf *r, __u32 len)
{
	__u32 have, left = len, seen = 0;
	enum knit_reject why;
	struct knit_desc *d;

	r->n = 0;
	r->n_runs = 0;
	have = kni_txbuf_ready(r, txbuf_estimate(r, len));
	for (;;) {
		if (r->n == r->max_segs)
			return KNI_TOO_LONG;
		if (r->n == have)
			have = kni_txbuf_ready(r, r->n + KNIT_DESC_MAX_SEGS);
		if (r->n == have || seen++ == KNIT_PEEK) {
			r->need = txbuf_estimate(r, left);
			return KNI_SHORT;
		}
		d = &r->desc[r->n];
		knit_desc_load(d, knit_ring_entry(r->alloc_q, r->alloc_q->cons + r->used + r->n));
		why = add_buffer(r, d, &left);
		if (why) {
			have -= r->n + 1;
			txbuf_reject(r, d->cookie, why);
			left = len;
			continue;
		}
		d->flags = left ? KNIT_DESC_MORE : 0;
		r->n++;
		if (left == 0)
			return KNI_FIT;
	}
}

void kni_txbuf_take(struct kni_txbuf *r)
{
	__u32 i;

	for (i = 0; i < r->n; i++)
		txbuf_put(r, &r->desc[i]);
}

bool kni_txbuf_commit(struct kni_txbuf *r)
{
	if (r->used == 0)
		return false;
	knit_ring_submit(r->tx_q, r->used);
	knit_ring_release(r->alloc_q, r->used);
	r->used = 0;
	return true;
}
