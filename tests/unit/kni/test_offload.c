// SPDX-License-Identifier: BSD-3-Clause
#include "kni/offload/offload_soft.h"
#include "shared/offload_frames.h"

#include <rte_errno.h>
#include <rte_tcp.h>

#include <string.h>

#define CSUMS (RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM)

/* Every shape that has a TCP or UDP checksum, in one segment and in chains with odd pieces. */
static const struct frame shapes[] = {
	{ 4, IPPROTO_TCP, 0, 0, 0, 100 },	  { 4, IPPROTO_TCP, 1, 0, 12, 1000, 333, 7 },
	{ 4, IPPROTO_UDP, 2, 0, 0, 1 },		  { 4, IPPROTO_UDP, 0, 0, 0, 0 },
	{ 6, IPPROTO_TCP, 0, 0, 40, 1431, 5, 0 }, { 6, IPPROTO_UDP, 1, 0, 0, 999, 101, 2 },
	{ 6, IPPROTO_TCP, 0, 1, 0, 777, 55, 5 },  { 6, IPPROTO_UDP, 0, 2, 0, 778, 55, 5 },
	{ 6, IPPROTO_TCP, 1, 2, 12, 60 },	  { 4, IPPROTO_UDP, 0, 0, 0, 8000, 1999, 0 },
};

static struct knit_offload_port port_of(uint64_t capa)
{
	struct knit_offload_port port = { .capa = capa, .pool = pool };

	return port;
}

static void check_request(const struct frame *f, const struct rte_mbuf *m)
{
	uint64_t want = f->version == 4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6;

	want |= f->proto == IPPROTO_TCP ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM;
	ck_assert_uint_eq(m->ol_flags, want);
	ck_assert_uint_eq(m->l2_len, frame_l2(f));
	ck_assert_uint_eq(m->l3_len, frame_l3(f));
	ck_assert_uint_eq(m->l4_len, frame_l4(f));
	ck_assert_uint_eq(m->tso_segsz, 0);
}

START_TEST(test_partial_round_trip)
{
	const struct frame *f = &shapes[_i];
	struct knit_desc d = frame_desc(f, 0), back = { 0 };
	struct rte_mbuf *m = frame_make(f);

	ck_assert_int_eq(knit_offload_from_desc(&d, m), 0);
	check_request(f, m);
	ck_assert(knit_offload_fits(m, KNIT_FEAT_CSUM));
	ck_assert(!knit_offload_fits(m, KNIT_FEAT_ALL & ~KNIT_FEAT_CSUM));
	knit_offload_to_desc(m, KNIT_FEAT_CSUM, &back);
	ck_assert_mem_eq(&d, &back, sizeof(d));
	memset(&back, 0, sizeof(back));
	knit_offload_to_desc(m, KNIT_FEAT_ALL & ~KNIT_FEAT_CSUM, &back);
	ck_assert_uint_eq(back.flags, 0);
	rte_pktmbuf_free(m);
	pool_is_full();
}
END_TEST

START_TEST(test_checksum_in_software)
{
	const struct frame *f = &shapes[_i];
	struct knit_offload_port port = port_of(RTE_ETH_TX_OFFLOAD_MULTI_SEGS);
	struct knit_desc d = frame_desc(f, 0);
	struct rte_mbuf *m = frame_make(f), *out[1];

	ck_assert_int_eq(knit_offload_from_desc(&d, m), 0);
	ck_assert(knit_offload_needed(m, port.capa));
	/* rte_eth_tx_prepare gets it wrong behind extension headers. */
	ck_assert_int_eq(knit_offload_needed(m, port.capa | CSUMS), f->ext != 0);
	ck_assert(!knit_offload_needed(m, port.capa | CSUMS | KNIT_OFFLOAD_IPV6_EXT));
	ck_assert_uint_eq(knit_offload_fallback(m, &port, out, 1), 1);
	ck_assert_uint_eq(out[0]->ol_flags & KNIT_OFFLOAD_TX, 0);
	frame_verify(f, out[0], 0, f->payload);
	rte_pktmbuf_free(out[0]);
	pool_is_full();
}
END_TEST

/* A driver's tx_prepare left another convention in the field: it must not matter. */
START_TEST(test_field_is_made_anew)
{
	const struct frame *f = &shapes[_i];
	struct knit_offload_port port = port_of(RTE_ETH_TX_OFFLOAD_MULTI_SEGS);
	struct knit_desc d = frame_desc(f, 0);
	struct rte_mbuf *m = frame_make(f), *out[1];
	uint16_t *field;

	if (!f->ext) {
		ck_assert_int_eq(knit_offload_from_desc(&d, m), 0);
		field = rte_pktmbuf_mtod_offset(m, uint16_t *, d.csum_start + d.csum_offset);
		*field ^= 0x1234;
		ck_assert_uint_eq(knit_offload_fallback(m, &port, out, 1), 1);
		m = out[0];
		frame_verify(f, m, 0, f->payload);
	}
	rte_pktmbuf_free(m);
	pool_is_full();
}
END_TEST

START_TEST(test_phdr)
{
	const struct frame *f = &shapes[_i];
	struct knit_desc d = frame_desc(f, 0);
	struct rte_mbuf *m = frame_make(f);
	uint16_t *field, was;

	ck_assert_int_eq(knit_offload_from_desc(&d, m), 0);
	field = rte_pktmbuf_mtod_offset(m, uint16_t *, d.csum_start + d.csum_offset);
	was = *field;
	*field = 0;
	ck_assert_int_eq(knit_offload_phdr(m), 0);
	if (f->ext < 2)
		ck_assert_uint_eq(*field, was);
	m->l2_len = 127;
	ck_assert_int_eq(knit_offload_phdr(m), -EINVAL);
	rte_pktmbuf_free(m);
	pool_is_full();
}
END_TEST

/* A port without chains gets one segment, or an error if that is too long for a buffer. */
START_TEST(test_join)
{
	const struct frame *f = &shapes[_i];
	struct knit_offload_port port = port_of(0);
	struct knit_desc d = frame_desc(f, 0);
	struct rte_mbuf *m = frame_make(f), *out[1];
	bool fits = m->pkt_len <= 2048;

	ck_assert_int_eq(knit_offload_needed(m, 0), m->nb_segs > 1);
	ck_assert_int_eq(knit_offload_from_desc(&d, m), 0);
	ck_assert_uint_eq(knit_offload_fallback(m, &port, out, 1), fits);
	if (fits) {
		ck_assert_uint_eq(out[0]->nb_segs, 1);
		frame_verify(f, out[0], 0, f->payload);
		rte_pktmbuf_free(out[0]);
	} else {
		ck_assert_int_eq(rte_errno, EMSGSIZE);
	}
	pool_is_full();
}
END_TEST

/*
 * SCTP, tunnels, anything: summed at once from where the descriptor says, the field across two
 * segments.
 */
START_TEST(test_unknown_l4)
{
	struct frame f = { 4, IPPROTO_UDP, 0, 0, 0, 501, 99, 3 };
	uint32_t field = 14 + 20 + 8 + 3 + 99 - 1;
	struct rte_mbuf *m = frame_make(&f);
	struct knit_desc d = { .flags = KNIT_DESC_CSUM_PARTIAL };
	uint8_t before[1000], *p;
	uint16_t want;

	memcpy(before, flat(m), m->pkt_len);
	d.csum_start = 40 + _i;
	d.csum_offset = field - d.csum_start;
	ck_assert_int_eq(knit_offload_from_desc(&d, m), 0);
	ck_assert_uint_eq(m->ol_flags, 0);
	p = flat(m);
	want = (uint16_t)~slow_sum(before + d.csum_start, m->pkt_len - d.csum_start, 0);
	ck_assert_uint_eq(p[field] << 8 | p[field + 1], want);
	ck_assert_mem_eq(p, before, field);
	ck_assert_mem_eq(p + field + 2, before + field + 2, m->pkt_len - field - 2);
	rte_pktmbuf_free(m);
	pool_is_full();
}
END_TEST

START_TEST(test_fragment_is_unknown)
{
	struct frame f = { 4, IPPROTO_UDP, 0, 0, 0, 100 };
	struct rte_mbuf *m = frame_make(&f);
	struct knit_desc d = frame_desc(&f, 0);
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);

	p[20] = 0x20; /* more fragments */
	ck_assert_int_eq(knit_offload_from_desc(&d, m), 0);
	ck_assert_uint_eq(m->ol_flags, 0);
	ck_assert_uint_eq(slow_sum(p + 34, 108, slow_sum(p + 26, 8, 17 + 108)), 0xffff);
	rte_pktmbuf_free(m);
	pool_is_full();
}
END_TEST

/* Padding to 60 bytes is no part of L4. */
START_TEST(test_padding)
{
	struct frame f = { 4, IPPROTO_UDP, 0, 0, 0, 3 };
	struct knit_offload_port port = port_of(0);
	struct rte_mbuf *m = frame_make(&f), *out[1];
	struct knit_desc d = frame_desc(&f, 0);

	memset(rte_pktmbuf_append(m, 15), 0x77, 15);
	ck_assert_int_eq(knit_offload_from_desc(&d, m), 0);
	ck_assert_uint_eq(knit_offload_fallback(m, &port, out, 1), 1);
	ck_assert_int_eq(rte_pktmbuf_trim(out[0], 15), 0);
	frame_verify(&f, out[0], 0, 3);
	rte_pktmbuf_free(out[0]);
	pool_is_full();
}
END_TEST

START_TEST(test_plain_frames_ask_nothing)
{
	struct frame f = { 4, IPPROTO_TCP, 0, 0, 0, 100 };
	struct knit_desc d = { .flags = KNIT_DESC_HASH, .hash = 1 }, out = { 0 };
	struct rte_mbuf *m = frame_make(&f);

	ck_assert_int_eq(knit_offload_from_desc(&d, m), 0);
	ck_assert_uint_eq(m->ol_flags, 0);
	ck_assert(knit_offload_fits(m, 0));
	ck_assert(!knit_offload_needed(m, 0));
	knit_offload_to_desc(m, KNIT_FEAT_ALL, &out);
	ck_assert_uint_eq(out.flags, 0);
	d.flags = KNIT_DESC_CSUM_GOOD;
	ck_assert_int_eq(knit_offload_from_desc(&d, m), 0);
	knit_offload_to_desc(m, 0, &out);
	ck_assert_uint_eq(out.flags, KNIT_DESC_CSUM_GOOD);
	rte_pktmbuf_free(m);
	pool_is_full();
}
END_TEST

/* What a port says of a frame that it received. */
START_TEST(test_received)
{
	struct frame f = { 4, IPPROTO_TCP, 0, 0, 0, 100 };
	struct rte_mbuf *m = frame_make(&f);
	struct knit_desc d = { 0 };

	m->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_RX_RSS_HASH | RTE_MBUF_F_RX_VLAN |
		      RTE_MBUF_F_RX_VLAN_STRIPPED;
	m->vlan_tci = 0xe123;
	m->hash.rss = 0xdeadbeef;
	ck_assert(knit_offload_fits(m, KNIT_FEAT_VLAN));
	ck_assert(!knit_offload_fits(m, KNIT_FEAT_ALL & ~KNIT_FEAT_VLAN));
	knit_offload_to_desc(m, KNIT_FEAT_VLAN, &d);
	ck_assert_uint_eq(d.flags, KNIT_DESC_CSUM_GOOD | KNIT_DESC_HASH | KNIT_DESC_VLAN);
	ck_assert_uint_eq(d.vlan_tci, 0xe123);
	ck_assert_uint_eq(d.hash, 0xdeadbeef);
	memset(&d, 0, sizeof(d));
	knit_offload_to_desc(m, 0, &d);
	ck_assert_uint_eq(d.flags, KNIT_DESC_CSUM_GOOD);
	ck_assert_uint_eq(d.hash, 0);
	m->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_BAD;
	ck_assert(knit_offload_fits(m, 0));
	ck_assert(!knit_offload_needed(m, 0));
	memset(&d, 0, sizeof(d));
	knit_offload_to_desc(m, KNIT_FEAT_ALL, &d);
	ck_assert_uint_eq(d.flags, 0);
	rte_pktmbuf_free(m);
	pool_is_full();
}
END_TEST

/* Checksum and hash share room: the one that is needed wins. */
START_TEST(test_partial_excludes_hash)
{
	struct frame f = { 6, IPPROTO_TCP, 0, 0, 0, 100 };
	struct knit_desc d = frame_desc(&f, 0), back = { 0 };
	struct rte_mbuf *m = frame_make(&f);

	ck_assert_int_eq(knit_offload_from_desc(&d, m), 0);
	m->ol_flags |= RTE_MBUF_F_RX_RSS_HASH | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	m->hash.rss = 0xdeadbeef;
	knit_offload_to_desc(m, KNIT_FEAT_ALL, &back);
	ck_assert_mem_eq(&d, &back, sizeof(d));
	ck_assert_int_eq(knit_desc_check_frame(&back, m->pkt_len), KNIT_REJECT_NONE);
	rte_pktmbuf_free(m);
	pool_is_full();
}
END_TEST

/* virtio delivers frames of its host with a partial sum; they go on as a request or completed. */
START_TEST(test_received_partial)
{
	const struct frame *f = &shapes[_i];
	struct knit_offload_port port = port_of(knit_offload_iface_capa(KNIT_FEAT_ALL));
	struct knit_desc d = { 0 }, want = frame_desc(f, 0);
	struct rte_mbuf *m = frame_make(f), *out[1];

	m->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_NONE;
	ck_assert(!knit_offload_fits(m, KNIT_FEAT_ALL));
	ck_assert(knit_offload_needed(m, UINT64_MAX));
	if (_i & 1)
		port.capa = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	ck_assert_uint_eq(knit_offload_fallback(m, &port, out, 1), 1);
	ck_assert(knit_offload_fits(out[0], KNIT_FEAT_ALL));
	knit_offload_to_desc(out[0], KNIT_FEAT_ALL, &d);
	if (_i & 1)
		frame_verify(f, out[0], 0, f->payload);
	else
		ck_assert_mem_eq(&d, &want, sizeof(d));
	rte_pktmbuf_free(out[0]);
	pool_is_full();
}
END_TEST

/* Drivers say RX_L4_CKSUM_NONE of a datagram without checksum, too: it stays without one. */
START_TEST(test_received_without_checksum)
{
	struct frame f = { _i ? 4 : 6, IPPROTO_UDP, 0, 0, 0, 600, 501, 3 };
	struct knit_offload_port port = port_of(RTE_ETH_TX_OFFLOAD_MULTI_SEGS);
	struct rte_mbuf *m = frame_make(&f), *out[1];
	uint8_t *field = rte_pktmbuf_mtod_offset(m, uint8_t *, 14 + (_i ? 20 : 40) + 6);
	uint8_t before[1000];

	field[0] = field[1] = 0;
	memcpy(before, flat(m), m->pkt_len);
	m->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_NONE;
	ck_assert_uint_eq(knit_offload_fallback(m, &port, out, 1), 1);
	ck_assert_uint_eq(out[0]->ol_flags, 0);
	ck_assert_mem_eq(flat(out[0]), before, out[0]->pkt_len);
	rte_pktmbuf_free(out[0]);
	pool_is_full();
}
END_TEST

START_TEST(test_none_by_driver)
{
	struct frame f = { 4, IPPROTO_TCP, 0, 0, 0, 600, 501, 3 };
	struct rte_mbuf *m = frame_make(&f);

	ck_assert(knit_offload_none_is_partial("net_virtio"));
	ck_assert(knit_offload_none_is_partial("net_virtio_user"));
	ck_assert(knit_offload_none_is_partial("net_vhost"));
	ck_assert(!knit_offload_none_is_partial("net_tap"));
	ck_assert(!knit_offload_none_is_partial("net_i40e"));
	m->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_NONE | RTE_MBUF_F_RX_RSS_HASH;
	knit_offload_forget_none(m);
	ck_assert_uint_eq(m->ol_flags, RTE_MBUF_F_RX_RSS_HASH);
	m->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_BAD;
	knit_offload_forget_none(m);
	ck_assert_uint_eq(m->ol_flags, RTE_MBUF_F_RX_L4_CKSUM_BAD);
	m->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	knit_offload_forget_none(m);
	ck_assert_uint_eq(m->ol_flags, RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	rte_pktmbuf_free(m);
}
END_TEST

static void check_tagged(const struct rte_mbuf *m, const uint8_t *plain, uint16_t tci)
{
	const uint8_t *p = flat(m);

	ck_assert_mem_eq(p, plain, 12);
	ck_assert_uint_eq(p[12] << 8 | p[13], 0x8100);
	ck_assert_uint_eq(p[14] << 8 | p[15], tci);
	ck_assert_mem_eq(p + 16, plain + 12, m->pkt_len - 16);
}

/* _i 0: own mbuf; 1: shared with somebody; 2: no headroom; 3: from a port that stripped the tag */
START_TEST(test_vlan)
{
	struct frame f = { 4, IPPROTO_UDP, 0, 0, 0, 600, 501, 3 };
	struct knit_desc d = { .flags = KNIT_DESC_VLAN, .vlan_tci = 0x2064 };
	struct knit_offload_port port = port_of(RTE_ETH_TX_OFFLOAD_MULTI_SEGS);
	struct rte_mbuf *m = frame_make(&f), *out[1];
	uint8_t plain[1000];

	memcpy(plain, flat(m), m->pkt_len);
	ck_assert_int_eq(knit_offload_from_desc(&d, m), 0);
	ck_assert_uint_eq(m->ol_flags, RTE_MBUF_F_TX_VLAN);
	if (_i == 1)
		rte_pktmbuf_refcnt_update(m, 1);
	if (_i == 2) {
		memmove(m->buf_addr, rte_pktmbuf_mtod(m, void *), m->data_len);
		m->data_off = 0;
	}
	if (_i == 3)
		m->ol_flags = RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_VLAN;
	ck_assert(knit_offload_needed(m, port.capa));
	ck_assert_int_eq(knit_offload_needed(m, port.capa | RTE_ETH_TX_OFFLOAD_VLAN_INSERT),
			 _i == 3);
	ck_assert_uint_eq(knit_offload_fallback(m, &port, out, 1), 1);
	ck_assert_uint_eq(out[0]->ol_flags, 0);
	check_tagged(out[0], plain, 0x2064);
	rte_pktmbuf_free(out[0]);
	if (_i == 1) {
		ck_assert_mem_eq(flat(m), plain, m->pkt_len);
		rte_pktmbuf_free(m);
	}
	pool_is_full();
}
END_TEST

START_TEST(test_stripped_tag_stays_offloaded)
{
	struct frame f = { 4, IPPROTO_UDP, 0, 0, 0, 60 };
	struct knit_offload_port port = port_of(RTE_ETH_TX_OFFLOAD_VLAN_INSERT);
	struct rte_mbuf *m = frame_make(&f), *out[1];

	m->ol_flags = RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_VLAN;
	m->vlan_tci = 7;
	ck_assert_uint_eq(knit_offload_fallback(m, &port, out, 1), 1);
	ck_assert_ptr_eq(m, out[0]);
	ck_assert_uint_eq(m->ol_flags, RTE_MBUF_F_TX_VLAN);
	ck_assert_uint_eq(m->pkt_len, 14 + 20 + 8 + 60);
	rte_pktmbuf_free(m);
	pool_is_full();
}
END_TEST

/* Somebody outside asks for the IP header's sum: the kernel has no word for that. */
START_TEST(test_ip_checksum)
{
	struct frame f = { 4, IPPROTO_UDP, 0, 0, 0, 60 };
	struct knit_offload_port port = port_of(CSUMS);
	struct knit_desc d = frame_desc(&f, 0);
	struct rte_mbuf *m = frame_make(&f), *out[1];

	ck_assert_int_eq(knit_offload_from_desc(&d, m), 0);
	m->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
	ck_assert(knit_offload_fits(m, KNIT_FEAT_ALL));
	memset(rte_pktmbuf_mtod_offset(m, void *, 24), 0, 2);
	ck_assert(!knit_offload_fits(m, KNIT_FEAT_ALL));
	ck_assert(knit_offload_needed(m, CSUMS));
	ck_assert(!knit_offload_needed(m, CSUMS | RTE_ETH_TX_OFFLOAD_IPV4_CKSUM));
	ck_assert_uint_eq(knit_offload_fallback(m, &port, out, 1), 1);
	ck_assert(knit_offload_fits(m, KNIT_FEAT_ALL));
	check_request(&f, m);
	rte_pktmbuf_free(out[0]);
	pool_is_full();
}
END_TEST

static void refused(struct rte_mbuf *m, const struct knit_offload_port *port, int want)
{
	struct rte_mbuf *out[1];

	rte_errno = 0;
	ck_assert_uint_eq(knit_offload_fallback(m, port, out, 1), 0);
	ck_assert_int_eq(rte_errno, want);
	pool_is_full();
}

START_TEST(test_refused)
{
	struct frame f = { 4, IPPROTO_UDP, 0, 0, 0, 200 };
	struct knit_offload_port port = port_of(0);
	struct rte_mbuf *m, *none[1];

	m = frame_make(&f);
	m->ol_flags = RTE_MBUF_F_TX_QINQ;
	refused(m, &port, EINVAL);
	m = frame_make(&f);
	m->ol_flags = RTE_MBUF_F_TX_SCTP_CKSUM | RTE_MBUF_F_TX_IPV4;
	refused(m, &port, EINVAL);
	m = frame_make(&f); /* lengths unset */
	m->ol_flags = RTE_MBUF_F_TX_UDP_CKSUM | RTE_MBUF_F_TX_IPV4;
	refused(m, &port, EINVAL);
	m = frame_make(&f); /* the IP header speaks of more than there is */
	m->ol_flags = RTE_MBUF_F_TX_UDP_CKSUM | RTE_MBUF_F_TX_IPV4;
	m->l2_len = 14;
	m->l3_len = 20;
	rte_pktmbuf_trim(m, 1);
	refused(m, &port, EINVAL);
	m = frame_make(&f);
	ck_assert_uint_eq(knit_offload_fallback(m, &port, none, 0), 0);
	ck_assert_int_eq(rte_errno, ENOSPC);
	port.mtu = 205;
	refused(frame_make(&f), &port, EMSGSIZE);
}
END_TEST

/* In the IP header, in the TCP header, in its options. */
static const uint32_t splits[] = { 20, 40, 60 };

START_TEST(test_headers_in_two_segments)
{
	struct frame f = { 4, IPPROTO_TCP, 0, 0, 12, 200 };
	struct knit_offload_port port = port_of(0);
	struct knit_desc d = frame_desc(&f, 0);
	struct rte_mbuf *m = frame_make(&f), *tail = rte_pktmbuf_alloc(pool);
	uint32_t at = splits[_i], rest = m->data_len - at;

	memcpy(rte_pktmbuf_append(tail, rest), flat(m) + at, rest);
	m->data_len = m->pkt_len = at;
	ck_assert_int_eq(rte_pktmbuf_chain(m, tail), 0);
	/* from the kernel: summed by position */
	ck_assert_int_eq(knit_offload_from_desc(&d, m), 0);
	ck_assert_uint_eq(m->ol_flags, 0);
	frame_verify(&f, m, 0, 200);
	d = frame_desc(&f, 100);
	ck_assert_int_eq(knit_offload_from_desc(&d, m), -EINVAL);
	m->ol_flags = RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4;
	m->l2_len = 14;
	m->l3_len = 20;
	m->l4_len = 32;
	refused(m, &port, EINVAL);
}
END_TEST

/* A sum of zero would say that there is no checksum. */
START_TEST(test_zero_is_mangled)
{
	struct frame f = { 4, IPPROTO_UDP, 0, 0, 0, 2 };
	struct knit_offload_port port = port_of(0);
	struct knit_desc d = frame_desc(&f, 0);
	struct rte_mbuf *m = frame_make(&f), *out[1];
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
	uint16_t sum;

	p[42] = p[43] = 0;
	sum = (uint16_t)~slow_sum(p + 34, 10, 0);
	p[42] = sum >> 8;
	p[43] = sum & 0xff;
	ck_assert_int_eq(knit_offload_from_desc(&d, m), 0);
	ck_assert_uint_eq(knit_offload_fallback(m, &port, out, 1), 1);
	ck_assert_uint_eq(p[40] << 8 | p[41], 0xffff);
	rte_pktmbuf_free(out[0]);
	pool_is_full();
}
END_TEST

START_TEST(test_sum_against_slow)
{
	struct knit_random r = { 11 };
	uint8_t buf[4096];
	uint32_t i, off, len;

	for (i = 0; i < sizeof(buf); i++)
		buf[i] = (uint8_t)knit_random_next(&r);
	for (i = 0; i < 20000; i++) {
		off = knit_random_next(&r) % 64;
		len = knit_random_next(&r) % (i % 2 ? 64 : 4000);
		ck_assert_uint_eq(rte_be_to_cpu_16(knit_sum_fold(knit_sum(buf + off, len))),
				  slow_sum(buf + off, len, 0));
	}
}
END_TEST

START_TEST(test_usable)
{
	uint64_t tso = RTE_ETH_TX_OFFLOAD_TCP_TSO, vlan = RTE_ETH_TX_OFFLOAD_VLAN_INSERT;

	ck_assert_uint_eq(knit_offload_usable("net_tap", tso | vlan | CSUMS), vlan);
	ck_assert_uint_eq(knit_offload_usable("net_virtio", tso | vlan | CSUMS),
			  tso | vlan | CSUMS);
	ck_assert_uint_eq(knit_offload_usable("net_igc", tso | RTE_ETH_TX_OFFLOAD_UDP_TSO), tso);
}
END_TEST

KNIT_SUITE_EAL(offload, knit_eal_small_pages)
{
	TCase *t = tcase_create("shapes");
	int n = RTE_DIM(shapes);

	frames_make_pools();
	tcase_add_loop_test(t, test_partial_round_trip, 0, n);
	tcase_add_loop_test(t, test_checksum_in_software, 0, n);
	tcase_add_loop_test(t, test_field_is_made_anew, 0, n);
	tcase_add_loop_test(t, test_phdr, 0, n);
	tcase_add_loop_test(t, test_join, 0, n);
	tcase_add_loop_test(t, test_received_partial, 0, n);
	tcase_add_loop_test(t, test_unknown_l4, 0, 4);
	tcase_add_loop_test(t, test_headers_in_two_segments, 0, RTE_DIM(splits));
	tcase_add_loop_test(t, test_vlan, 0, 4);
	tcase_add_loop_test(t, test_received_without_checksum, 0, 2);
	suite_add_tcase(s, t);
	knit_add_test(s, "fragment", test_fragment_is_unknown, 0);
	knit_add_test(s, "padding", test_padding, 0);
	knit_add_test(s, "plain", test_plain_frames_ask_nothing, 0);
	knit_add_test(s, "received", test_received, 0);
	knit_add_test(s, "hash", test_partial_excludes_hash, 0);
	knit_add_test(s, "stripped", test_stripped_tag_stays_offloaded, 0);
	knit_add_test(s, "ip_checksum", test_ip_checksum, 0);
	knit_add_test(s, "refused", test_refused, 0);
	knit_add_test(s, "zero", test_zero_is_mangled, 0);
	knit_add_test(s, "sum", test_sum_against_slow, 0);
	knit_add_test(s, "usable", test_usable, 0);
	knit_add_test(s, "none by driver", test_none_by_driver, 0);
}
