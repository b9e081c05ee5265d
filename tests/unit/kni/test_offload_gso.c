// SPDX-License-Identifier: BSD-3-Clause
#include "shared/offload_frames.h"

#include <rte_errno.h>
#include <rte_tcp.h>

#include <string.h>
#include <sys/mman.h>

#define CSUMS (RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM)
#define ALL_TCP (RTE_TCP_FIN_FLAG | RTE_TCP_PSH_FLAG | RTE_TCP_CWR_FLAG | RTE_TCP_ACK_FLAG)

struct gso_case {
	struct frame f;
	uint32_t mss;
};

static const struct gso_case cases[] = {
	{ { 4, IPPROTO_TCP, 0, 0, 12, 64000, 0, 0, ALL_TCP }, 1448 },
	{ { 4, IPPROTO_TCP, 1, 0, 0, 65000, 1777, 1, ALL_TCP }, 536 },
	{ { 6, IPPROTO_TCP, 0, 0, 40, 30001, 999, 0, ALL_TCP }, 1000 },
	{ { 6, IPPROTO_TCP, 2, 1, 12, 20000, 2048, 5, ALL_TCP }, 1401 },
	{ { 6, IPPROTO_TCP, 0, 2, 12, 20000, 2000, 5, ALL_TCP }, 1400 },
	{ { 4, IPPROTO_UDP, 0, 0, 0, 40000, 1500, 11 }, 1472 },
	{ { 6, IPPROTO_UDP, 1, 0, 0, 12345, 101, 11 }, 1233 },
	{ { 6, IPPROTO_UDP, 0, 2, 0, 5000 }, 100 },
	{ { 4, IPPROTO_TCP, 0, 0, 0, 5000, 0, 0, ALL_TCP }, 2500 },
	{ { 4, IPPROTO_TCP, 0, 0, 0, 60000, 0, 0, ALL_TCP }, 8960 },
	{ { 4, IPPROTO_TCP, 0, 0, 0, 1449, 0, 0, ALL_TCP }, 1448 },
};

static struct rte_mbuf *from_kernel(const struct gso_case *c)
{
	struct knit_desc d = frame_desc(&c->f, c->mss);
	struct rte_mbuf *m = frame_make(&c->f);

	ck_assert_int_eq(knit_offload_from_desc(&d, m), 0);
	return m;
}

static uint64_t seg_flags(const struct frame *f)
{
	if (f->proto == IPPROTO_UDP)
		return RTE_MBUF_F_TX_UDP_SEG | RTE_MBUF_F_TX_UDP_CKSUM;
	return RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM;
}

START_TEST(test_gso_round_trip)
{
	const struct gso_case *c = &cases[_i];
	struct knit_desc d = frame_desc(&c->f, c->mss), back = { 0 };
	struct rte_mbuf *m = from_kernel(c);
	uint32_t need = KNIT_FEAT_CSUM;

	need |= c->f.proto == IPPROTO_UDP ? KNIT_FEAT_USO : KNIT_FEAT_TSO;
	ck_assert_uint_eq(m->ol_flags,
			  seg_flags(&c->f) |
				  (c->f.version == 4 ? RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM
						     : RTE_MBUF_F_TX_IPV6));
	ck_assert_uint_eq(m->tso_segsz, c->mss);
	ck_assert_uint_eq(m->l4_len, frame_l4(&c->f));
	ck_assert_uint_eq(knit_offload_wire_len(m), frame_hdr(&c->f) + c->mss);
	ck_assert(knit_offload_fits(m, need));
	ck_assert(!knit_offload_fits(m, KNIT_FEAT_ALL & ~need));
	ck_assert(!knit_offload_fits(m, KNIT_FEAT_CSUM));
	knit_offload_to_desc(m, need, &back);
	if (c->f.proto == IPPROTO_TCP)
		d.gso_type |= KNIT_GSO_ECN;
	ck_assert_mem_eq(&d, &back, sizeof(d));
	ck_assert_int_eq(knit_desc_check_frame(&back, m->pkt_len), KNIT_REJECT_NONE);
	rte_pktmbuf_free(m);
	pool_is_full();
}
END_TEST

static void verify_tcp(const uint8_t *tcp, uint32_t at, bool first, bool last)
{
	uint32_t seq = (uint32_t)tcp[4] << 24 | tcp[5] << 16 | tcp[6] << 8 | tcp[7];
	uint8_t flags = RTE_TCP_ACK_FLAG;

	ck_assert_uint_eq(seq, (uint32_t)(0xfffffe00 + at));
	if (first)
		flags |= RTE_TCP_CWR_FLAG;
	if (last)
		flags |= RTE_TCP_FIN_FLAG | RTE_TCP_PSH_FLAG;
	ck_assert_uint_eq(tcp[13], flags);
}

/* Segments in order hold the payload, nothing but the payload, and correct headers. */
static void verify_cut(const struct gso_case *c, struct rte_mbuf **out, unsigned int n)
{
	uint32_t at = 0, chunk, l3 = frame_l2(&c->f), l4 = l3 + frame_l3(&c->f);
	unsigned int i;
	uint8_t *p;

	ck_assert_uint_eq(n, (c->f.payload + c->mss - 1) / c->mss);
	for (i = 0; i < n; i++, at += chunk) {
		chunk = RTE_MIN(c->mss, c->f.payload - at);
		frame_verify(&c->f, out[i], at, chunk);
		p = flat(out[i]);
		if (c->f.version == 4)
			ck_assert_uint_eq(p[l3 + 4] << 8 | p[l3 + 5], (uint16_t)(0xfffe + i));
		if (c->f.proto == IPPROTO_TCP)
			verify_tcp(p + l4, at, i == 0, i == n - 1);
	}
	ck_assert_uint_eq(at, c->f.payload);
}

START_TEST(test_cut_in_software)
{
	const struct gso_case *c = &cases[_i];
	struct knit_offload_port port = { RTE_ETH_TX_OFFLOAD_MULTI_SEGS, pool, 9000 };
	struct rte_mbuf *m = from_kernel(c), *out[KNIT_OFFLOAD_MAX_SEGS];
	unsigned int i, n;

	ck_assert(knit_offload_needed(m, port.capa));
	n = knit_offload_fallback(m, &port, out, KNIT_OFFLOAD_MAX_SEGS);
	verify_cut(c, out, n);
	for (i = 0; i < n; i++) {
		ck_assert_uint_eq(out[i]->ol_flags, 0);
		ck_assert(!knit_offload_needed(out[i], port.capa));
	}
	rte_pktmbuf_free_bulk(out, n);
	pool_is_full();
}
END_TEST

/* The port sums: segments ask for it, as single frames would. */
START_TEST(test_cut_for_checksum_offload)
{
	const struct gso_case *c = &cases[_i];
	struct knit_offload_port port = { RTE_ETH_TX_OFFLOAD_MULTI_SEGS | CSUMS, pool, 0 };
	struct knit_offload_port soft = { RTE_ETH_TX_OFFLOAD_MULTI_SEGS, pool, 0 };
	struct rte_mbuf *m = from_kernel(c), *out[KNIT_OFFLOAD_MAX_SEGS], *one;
	unsigned int i, n;

	if (_i & 1)
		port.capa |= KNIT_OFFLOAD_IPV6_EXT;
	n = knit_offload_fallback(m, &port, out, KNIT_OFFLOAD_MAX_SEGS);
	for (i = 0; i < n; i++) {
		ck_assert(!knit_offload_needed(out[i], port.capa));
		if (!c->f.ext || _i & 1)
			ck_assert(out[i]->ol_flags & RTE_MBUF_F_TX_L4_MASK);
		if (!c->f.ext)
			ck_assert_int_eq(knit_offload_phdr(out[i]), 0);
		ck_assert_uint_eq(knit_offload_fallback(out[i], &soft, &one, 1), 1);
		out[i] = one;
	}
	verify_cut(c, out, n);
	rte_pktmbuf_free_bulk(out, n);
	pool_is_full();
}
END_TEST

/* The port cuts and all that is left is the IP header's sum (virtio) or the tag. */
START_TEST(test_port_cuts)
{
	const struct gso_case *c = &cases[_i];
	struct knit_offload_port port = { CSUMS | RTE_ETH_TX_OFFLOAD_MULTI_SEGS |
						  RTE_ETH_TX_OFFLOAD_TCP_TSO |
						  RTE_ETH_TX_OFFLOAD_UDP_TSO |
						  KNIT_OFFLOAD_IPV6_EXT | KNIT_OFFLOAD_TSO_ECN,
					  pool, 0 };
	struct rte_mbuf *m = from_kernel(c), *out[1];
	uint8_t *ip;

	m->ol_flags |= RTE_MBUF_F_TX_VLAN;
	m->vlan_tci = 5;
	ip = rte_pktmbuf_mtod_offset(m, uint8_t *, frame_l2(&c->f));
	if (c->f.version == 4)
		ip[10] ^= 0x55;
	ck_assert(knit_offload_needed(m, port.capa));
	ck_assert_uint_eq(knit_offload_fallback(m, &port, out, 1), 1);
	ck_assert_ptr_eq(m, out[0]);
	ck_assert_uint_eq(m->ol_flags & KNIT_OFFLOAD_TX, seg_flags(&c->f));
	ck_assert_uint_eq(m->l2_len, frame_l2(&c->f) + 4);
	ip = rte_pktmbuf_mtod_offset(m, uint8_t *, m->l2_len);
	if (c->f.version == 4)
		ck_assert_uint_eq(slow_sum(ip, 20, 0), 0xffff);
	ck_assert(!knit_offload_needed(m, port.capa));
	rte_pktmbuf_free(m);
	pool_is_full();
}
END_TEST

/* A port that cuts would repeat CWR, so these frames are cut here: only the first one has it. */
START_TEST(test_port_never_cuts_cwr)
{
	struct gso_case c = cases[_i];
	struct knit_offload_port port = { CSUMS | RTE_ETH_TX_OFFLOAD_MULTI_SEGS |
						  RTE_ETH_TX_OFFLOAD_IPV4_CKSUM |
						  RTE_ETH_TX_OFFLOAD_TCP_TSO |
						  KNIT_OFFLOAD_IPV6_EXT,
					  pool, 0 };
	struct knit_offload_port soft = { RTE_ETH_TX_OFFLOAD_MULTI_SEGS, pool, 0 };
	struct rte_mbuf *m = from_kernel(&c), *out[KNIT_OFFLOAD_MAX_SEGS], *one;
	unsigned int i, n;

	ck_assert(knit_offload_needed(m, port.capa));
	ck_assert(!knit_offload_needed(m, port.capa | KNIT_OFFLOAD_TSO_ECN));
	n = knit_offload_fallback(m, &port, out, KNIT_OFFLOAD_MAX_SEGS);
	for (i = 0; i < n; i++) {
		ck_assert(!(out[i]->ol_flags & KNIT_OFFLOAD_SEG));
		ck_assert_uint_eq(knit_offload_fallback(out[i], &soft, &one, 1), 1);
		out[i] = one;
	}
	verify_cut(&c, out, n);
	rte_pktmbuf_free_bulk(out, n);
	c.f.tcp_flags &= ~RTE_TCP_CWR_FLAG;
	m = from_kernel(&c);
	ck_assert(!knit_offload_needed(m, port.capa));
	rte_pktmbuf_free(m);
	pool_is_full();
}
END_TEST

/* Tag first, then cut: every segment has the tag. */
START_TEST(test_cut_with_tag)
{
	struct gso_case c = cases[_i];
	struct knit_offload_port port = { RTE_ETH_TX_OFFLOAD_MULTI_SEGS, pool, 0 };
	struct rte_mbuf *m = from_kernel(&c), *out[KNIT_OFFLOAD_MAX_SEGS];
	unsigned int n;

	m->ol_flags |= RTE_MBUF_F_TX_VLAN;
	m->vlan_tci = 100;
	n = knit_offload_fallback(m, &port, out, KNIT_OFFLOAD_MAX_SEGS);
	c.f.tags++;
	verify_cut(&c, out, n);
	rte_pktmbuf_free_bulk(out, n);
	pool_is_full();
}
END_TEST

/* Longer than a length in IP can say: in IPv6 behind an option that says it, or without. */
static const struct gso_case big_cases[] = {
	{ { 4, IPPROTO_TCP, 0, 0, 12, 196000, 0, 0, ALL_TCP }, 1448 },
	{ { 4, IPPROTO_TCP, 1, 0, 0, 66000, 1777, 1, ALL_TCP }, 536 },
	{ { 6, IPPROTO_TCP, 0, 0, 12, 196000, 0, 0, ALL_TCP, .jumbo = true }, 1428 },
	{ { 6, IPPROTO_TCP, 1, 0, 12, 65501, 1900, 3, ALL_TCP, .jumbo = true }, 1400 },
	{ { 6, IPPROTO_TCP, 0, 2, 12, 90001, 2000, 5, ALL_TCP, .jumbo = true }, 8900 },
	{ { 6, IPPROTO_TCP, 0, 0, 12, 196000, 0, 0, ALL_TCP }, 1428 },
};

START_TEST(test_big_between_interfaces)
{
	const uint32_t with = KNIT_FEAT_KNOWN, without = KNIT_FEAT_ALL;
	const struct gso_case *c = &big_cases[_i];
	struct knit_desc d = frame_desc(&c->f, c->mss), back = { 0 };
	struct rte_mbuf *m = from_kernel(c);

	ck_assert(knit_offload_fits(m, with));
	ck_assert(!(knit_offload_missing(m, knit_offload_iface_capa(with)) & KNIT_OFFLOAD_SEG));
	knit_offload_to_desc(m, with, &back);
	d.gso_type |= KNIT_GSO_ECN;
	ck_assert_mem_eq(&d, &back, sizeof(d));
	ck_assert_int_eq(knit_desc_check_frame(&back, m->pkt_len), KNIT_REJECT_NONE);
	ck_assert(m->pkt_len <= KNIT_FRAME_MAX || !knit_offload_fits(m, without));
	ck_assert(m->pkt_len <= KNIT_FRAME_MAX ||
		  knit_offload_missing(m, knit_offload_iface_capa(without)) & KNIT_OFFLOAD_SEG);
	rte_pktmbuf_free(m);
	pool_is_full();
}
END_TEST

/* No port takes them, whatever else it can; and what becomes of them has no option. */
START_TEST(test_big_is_cut_for_a_port)
{
	struct gso_case c = big_cases[_i];
	struct knit_offload_port port = { CSUMS | RTE_ETH_TX_OFFLOAD_MULTI_SEGS |
						  RTE_ETH_TX_OFFLOAD_IPV4_CKSUM |
						  RTE_ETH_TX_OFFLOAD_TCP_TSO | KNIT_OFFLOAD_TSO_ECN,
					  pool, 0 };
	struct knit_offload_port soft = { RTE_ETH_TX_OFFLOAD_MULTI_SEGS, pool, 0 };
	struct rte_mbuf *m = from_kernel(&c), *out[KNIT_OFFLOAD_MAX_SEGS], *one;
	unsigned int i, n;

	ck_assert(knit_offload_needed(m, port.capa));
	n = knit_offload_fallback(m, &port, out, KNIT_OFFLOAD_MAX_SEGS);
	c.f.jumbo = false;
	for (i = 0; i < n; i++) {
		ck_assert(!knit_offload_needed(out[i], port.capa));
		ck_assert(!(out[i]->ol_flags & KNIT_OFFLOAD_SEG));
		ck_assert(!c.f.ext == !!(out[i]->ol_flags & RTE_MBUF_F_TX_TCP_CKSUM));
		ck_assert_uint_eq(knit_offload_fallback(out[i], &soft, &one, 1), 1);
		out[i] = one;
	}
	verify_cut(&c, out, n);
	rte_pktmbuf_free_bulk(out, n);
	pool_is_full();
}
END_TEST

/* Other options stay where they are. */
START_TEST(test_option_that_is_not_jumbo)
{
	struct gso_case c = { { 6, IPPROTO_TCP, 0, 0, 12, 5000, 0, 0, ALL_TCP, .jumbo = true },
			      1000 };
	struct knit_offload_port port = { RTE_ETH_TX_OFFLOAD_MULTI_SEGS, pool, 0 };
	struct rte_mbuf *m = frame_make(&c.f), *out[KNIT_OFFLOAD_MAX_SEGS];
	struct knit_desc d = frame_desc(&c.f, c.mss);
	unsigned int n;

	*rte_pktmbuf_mtod_offset(m, uint8_t *, 14 + 42) = 5; /* router alert, though a long one */
	ck_assert_int_eq(knit_offload_from_desc(&d, m), 0);
	n = knit_offload_fallback(m, &port, out, KNIT_OFFLOAD_MAX_SEGS);
	ck_assert_uint_eq(n, 5);
	ck_assert_uint_eq(out[4]->l3_len, 48);
	ck_assert_uint_eq(out[4]->pkt_len, 14 + 48 + 32 + 1000);
	ck_assert_uint_eq(*rte_pktmbuf_mtod_offset(out[4], uint8_t *, 14 + 42), 5);
	rte_pktmbuf_free_bulk(out, n);
	pool_is_full();
}
END_TEST

static void refused(struct rte_mbuf *m, const struct knit_offload_port *port, unsigned int max,
		    int want)
{
	struct rte_mbuf *out[KNIT_OFFLOAD_MAX_SEGS];

	rte_errno = 0;
	ck_assert_uint_eq(knit_offload_fallback(m, port, out, max), 0);
	ck_assert_int_eq(rte_errno, want);
	pool_is_full();
}

START_TEST(test_cut_limits)
{
	struct gso_case c = cases[0];
	struct knit_offload_port port = { RTE_ETH_TX_OFFLOAD_MULTI_SEGS, pool, 0 };

	refused(from_kernel(&c), &port, 44, ENOSPC);
	port.mtu = 1400;
	refused(from_kernel(&c), &port, 256, EMSGSIZE);
	port.mtu = 0;
	port.capa = 0;
	c.mss = 2100;
	refused(from_kernel(&c), &port, 256, EMSGSIZE);
	port.capa = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	c.mss = 249;
	refused(from_kernel(&c), &port, 300, ENOSPC);
}
END_TEST

/* However many mbufs are left, either all segments come out or everything is back in the pool. */
START_TEST(test_cut_exhausted)
{
	struct gso_case c = { { 4, IPPROTO_TCP, 0, 0, 0, 30000, 0, 0, ALL_TCP }, 2900 };
	struct knit_offload_port port = { RTE_ETH_TX_OFFLOAD_MULTI_SEGS, small, 0 };
	struct rte_mbuf *out[KNIT_OFFLOAD_MAX_SEGS], *held[128];
	unsigned int n, keep, got = 0;

	for (keep = 0; keep <= 40; keep++) {
		ck_assert_int_eq(rte_pktmbuf_alloc_bulk(small, held, 128 - keep), 0);
		n = knit_offload_fallback(from_kernel(&c), &port, out, KNIT_OFFLOAD_MAX_SEGS);
		if (n == 0) {
			ck_assert_int_eq(rte_errno, ENOMEM);
			ck_assert_uint_eq(rte_mempool_avail_count(small), keep);
		} else {
			verify_cut(&c, out, n);
			rte_pktmbuf_free_bulk(out, n);
			got++;
		}
		rte_pktmbuf_free_bulk(held, 128 - keep);
		pool_is_full();
	}
	/* ten segments of three buffers and one of one or two: 11 x 2940 bytes in pieces of 1024 */
	ck_assert_uint_gt(got, 5);
	ck_assert_uint_lt(got, 20);
}
END_TEST

START_TEST(test_contradictions)
{
	const struct gso_case *c = &cases[0];
	struct knit_desc good = frame_desc(&c->f, c->mss), d;
	struct rte_mbuf *m = frame_make(&c->f);

#define BAD(change)                                                       \
	do {                                                              \
		d = good;                                                 \
		change;                                                   \
		ck_assert_int_eq(knit_offload_from_desc(&d, m), -EINVAL); \
		ck_assert_uint_eq(m->ol_flags &KNIT_OFFLOAD_TX, 0);       \
	} while (0)
	BAD(d.gso_size = 0);
	BAD(d.gso_type = KNIT_GSO_TCPV6);
	BAD(d.gso_type = KNIT_GSO_UDP_L4);
	BAD(d.gso_type = 4);
	BAD(d.gso_type = KNIT_GSO_ECN);
	BAD(d.hdr_len++);
	BAD(d.hdr_len = 13);
	BAD(d.flags = 0);
	BAD(d.flags |= KNIT_DESC_HASH);
	BAD(d.csum_start -= 2);
	BAD(d.csum_offset = 6);
	BAD(d.csum_start = 13; d.gso_type = 0);
	BAD(d.csum_offset = 65535; d.gso_type = 0);
#undef BAD
	ck_assert_int_eq(knit_offload_from_desc(&good, m), 0);
	rte_pktmbuf_free(m);
	pool_is_full();
}
END_TEST

/* One segment is nothing to cut. */
START_TEST(test_single_segment)
{
	struct gso_case c = { { 4, IPPROTO_TCP, 0, 0, 0, 1000 }, 1000 };
	struct knit_desc d = frame_desc(&c.f, c.mss);
	struct rte_mbuf *m = from_kernel(&c);

	ck_assert_uint_eq(m->ol_flags, RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM);
	ck_assert_int_eq(rte_pktmbuf_trim(m, 1), 0); /* less than the IP header says */
	ck_assert_int_eq(knit_offload_from_desc(&d, m), -EINVAL);
	rte_pktmbuf_free(m);
	pool_is_full();
}
END_TEST

/* hdr_len has 8 bits: longer headers are cut in software wherever they go. */
START_TEST(test_long_headers)
{
	const uint64_t capa = knit_offload_iface_capa(KNIT_FEAT_ALL);
	struct rte_mbuf *m = from_kernel(&cases[2]);

	ck_assert_uint_eq(knit_offload_missing(m, capa), 0);
	m->l3_len = 255 - m->l2_len - m->l4_len;
	ck_assert(knit_offload_fits(m, KNIT_FEAT_ALL));
	ck_assert_uint_eq(knit_offload_missing(m, capa), 0);
	m->l3_len++;
	ck_assert(!knit_offload_fits(m, KNIT_FEAT_ALL));
	ck_assert(knit_offload_missing(m, capa) & KNIT_OFFLOAD_SEG);
	rte_pktmbuf_free(m);
	pool_is_full();
}
END_TEST

static void damage(struct knit_random *r, struct rte_mbuf *m, struct knit_desc *d)
{
	uint8_t *raw = (uint8_t *)d + offsetof(struct knit_desc, flags);
	unsigned int i;

	for (i = knit_random_next(r) % 4; i; i--)
		*rte_pktmbuf_mtod_offset(m, uint8_t *, knit_random_next(r) % m->data_len) =
			(uint8_t)knit_random_next(r);
	for (i = knit_random_next(r) % 3; i; i--)
		raw[knit_random_next(r) % 12] = (uint8_t)knit_random_next(r);
	if (knit_random_next(r) % 4 == 0 && m->nb_segs == 1)
		rte_pktmbuf_trim(m, knit_random_next(r) % m->data_len);
}

static uint64_t random_capa(struct knit_random *r)
{
	uint64_t all = CSUMS | RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_TCP_TSO |
		       RTE_ETH_TX_OFFLOAD_UDP_TSO | RTE_ETH_TX_OFFLOAD_VLAN_INSERT |
		       RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | KNIT_OFFLOAD_IPV6_EXT;

	return knit_random_next(r) & all;
}

static void fuzz_once(struct knit_random *r, unsigned int *accepted)
{
	struct gso_case c = cases[knit_random_next(r) % RTE_DIM(cases)];
	struct rte_mbuf *m, *out[KNIT_OFFLOAD_MAX_SEGS];
	struct knit_offload_port port = { 0, pool, 0 };
	struct knit_desc d, back = { 0 };
	unsigned int i, n;

	c.f.payload = knit_random_next(r) % (knit_random_next(r) & 1 ? 4000 : 200);
	m = frame_make(&c.f);
	d = frame_desc(&c.f, knit_random_next(r) & 1 ? 1 + knit_random_next(r) % 1500 : 0);
	damage(r, m, &d);
	if (m->pkt_len == 0 || knit_offload_from_desc(&d, m) < 0) {
		rte_pktmbuf_free(m);
		return;
	}
	if (knit_random_next(r) % 8 == 0)
		m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_NONE | RTE_MBUF_F_RX_VLAN_STRIPPED;
	knit_offload_fits(m, knit_random_next(r) & KNIT_FEAT_ALL);
	knit_offload_to_desc(m, KNIT_FEAT_ALL, &back);
	if (m->pkt_len >= KNIT_ETH_HLEN)
		ck_assert_int_eq(knit_desc_check_frame(&back, m->pkt_len), KNIT_REJECT_NONE);
	port.capa = random_capa(r);
	n = knit_offload_fallback(m, &port, out, KNIT_OFFLOAD_MAX_SEGS);
	for (i = 0; i < n; i++) {
		rte_mbuf_sanity_check(out[i], 1);
		ck_assert(!knit_offload_needed(out[i], port.capa));
	}
	rte_pktmbuf_free_bulk(out, n);
	*accepted += n > 0;
}

START_TEST(test_fuzz)
{
	struct knit_random r = { 42 + _i };
	unsigned int i, accepted = 0;

	for (i = 0; i < 4000; i++)
		fuzz_once(&r, &accepted);
	ck_assert_uint_gt(accepted, 400);
	ck_assert_uint_lt(accepted, 3900);
	pool_is_full();
}
END_TEST

/*
 * Whatever the headers claim, nothing behind the first segment's data is touched: that page is not
 * there.
 */
START_TEST(test_no_byte_beyond)
{
	struct gso_case c = cases[_i];
	uint8_t *page =
		mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct rte_mbuf *whole, *m = rte_pktmbuf_alloc(pool), was;
	struct knit_random r = { 7 };
	uint32_t len, i;
	struct knit_desc d;

	ck_assert_ptr_ne(page, MAP_FAILED);
	ck_assert_int_eq(mprotect(page + 4096, 4096, PROT_NONE), 0);
	c.f.payload = 3;
	whole = frame_make(&c.f);
	was = *m;
	for (len = 1; len <= whole->data_len; len++) {
		for (i = 0; i < 200; i++) {
			m->buf_addr = page + 4096 - len;
			m->data_off = 0;
			m->data_len = m->pkt_len = len;
			m->ol_flags = 0;
			memcpy(m->buf_addr, rte_pktmbuf_mtod(whole, void *), len);
			d = frame_desc(&c.f, i & 1);
			if (i == 2) {
				d.csum_start = KNIT_ETH_HLEN;
				d.csum_offset = 0;
			}
			if (i > 2)
				damage(&r, m, &d);
			if (m->pkt_len && knit_offload_from_desc(&d, m) == 0)
				knit_offload_phdr(m);
		}
	}
	*m = was;
	rte_pktmbuf_free(m);
	rte_pktmbuf_free(whole);
	munmap(page, 8192);
	pool_is_full();
}
END_TEST

KNIT_SUITE_EAL(offload_gso, knit_eal_small_pages)
{
	TCase *t = tcase_create("cases");
	int n = RTE_DIM(cases);

	frames_make_pools();
	tcase_set_timeout(t, 30);
	tcase_add_loop_test(t, test_gso_round_trip, 0, n);
	tcase_add_loop_test(t, test_cut_in_software, 0, n);
	tcase_add_loop_test(t, test_cut_for_checksum_offload, 0, n);
	tcase_add_loop_test(t, test_port_cuts, 0, n);
	tcase_add_loop_test(t, test_port_never_cuts_cwr, 0, 5);
	tcase_add_loop_test(t, test_cut_with_tag, 0, n);
	tcase_add_loop_test(t, test_no_byte_beyond, 0, n);
	tcase_add_loop_test(t, test_big_between_interfaces, 0, RTE_DIM(big_cases));
	tcase_add_loop_test(t, test_big_is_cut_for_a_port, 0, RTE_DIM(big_cases));
	tcase_add_loop_test(t, test_fuzz, 0, 4);
	suite_add_tcase(s, t);
	knit_add_test(s, "limits", test_cut_limits, 0);
	knit_add_test(s, "exhausted", test_cut_exhausted, 30);
	knit_add_test(s, "contradictions", test_contradictions, 0);
	knit_add_test(s, "long_headers", test_long_headers, 0);
	knit_add_test(s, "single", test_single_segment, 0);
	knit_add_test(s, "other option", test_option_that_is_not_jumbo, 0);
}
