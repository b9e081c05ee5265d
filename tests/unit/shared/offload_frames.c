// SPDX-License-Identifier: BSD-3-Clause
#include "offload_frames.h"

#include <rte_errno.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include <string.h>

#define MAX_FLAT (1 << 17)

struct rte_mempool *pool;
struct rte_mempool *small;

void frames_make_pools(void)
{
	if (pool)
		return;
	pool = rte_pktmbuf_pool_create("pool", 1024, 0, 0, RTE_PKTMBUF_HEADROOM + 2048, 0);
	small = rte_pktmbuf_pool_create("small", 128, 0, 0, RTE_PKTMBUF_HEADROOM + 1024, 0);
	if (!pool || !small)
		knit_unit_fail("mempool", rte_errno);
}

void pool_is_full(void)
{
	ck_assert_uint_eq(rte_mempool_avail_count(pool), pool->size);
	ck_assert_uint_eq(rte_mempool_avail_count(small), small->size);
}

uint8_t payload_byte(uint32_t i)
{
	return (uint8_t)(i * 7 + (i >> 8) * 13 + 1);
}

uint32_t frame_l2(const struct frame *f)
{
	return 14 + 4 * f->tags;
}

/* destination options: 8 bytes; routing header, type 2, one address: 24 bytes */
uint32_t frame_l3(const struct frame *f)
{
	if (f->version == 4)
		return 20;
	return 40 + (f->jumbo ? 8 : 0) + (f->ext ? 8 : 0) + (f->ext > 1 ? 24 : 0);
}

uint32_t frame_l4(const struct frame *f)
{
	return f->proto == IPPROTO_UDP ? 8 : 20 + f->options;
}

uint32_t frame_hdr(const struct frame *f)
{
	return frame_l2(f) + frame_l3(f) + frame_l4(f);
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

uint16_t slow_sum(const uint8_t *p, uint32_t len, uint32_t start)
{
	uint32_t sum = start, i;

	for (i = 0; i < len; i++) {
		sum += i & 1 ? p[i] : p[i] << 8;
		sum = (sum >> 16) + (sum & 0xffff);
	}
	return sum;
}

/* With the destination that counts: the routing header's, if there is one. Host order. */
static uint16_t slow_phdr(const struct frame *f, const uint8_t *ip, uint32_t l4_len)
{
	uint32_t sum = f->proto + (l4_len >> 16) + (l4_len & 0xffff);

	sum = (sum >> 16) + (sum & 0xffff);
	if (f->version == 4)
		return slow_sum(ip + 12, 8, sum);
	sum = slow_sum(ip + 8, 16, sum);
	return slow_sum(f->ext > 1 ? ip + frame_l3(f) - 16 : ip + 24, 16, sum);
}

static void put_l2(const struct frame *f, uint8_t *p)
{
	int i;

	memcpy(p, "\x02\0\0\0\0\1\x02\0\0\0\0\2", 12);
	for (i = 0; i < f->tags; i++) {
		put16(p + 12 + 4 * i, i == 0 && f->tags > 1 ? 0x88a8 : 0x8100);
		put16(p + 14 + 4 * i, 100 + i);
	}
	put16(p + 12 + 4 * f->tags, f->version == 4 ? 0x0800 : 0x86dd);
}

static void put_ipv4(const struct frame *f, uint8_t *ip)
{
	uint32_t len = 20 + frame_l4(f) + f->payload;

	ip[0] = 0x45;
	put16(ip + 2, len > UINT16_MAX ? 0 : len);
	put16(ip + 4, 0xfffe);
	put16(ip + 6, 0x4000);
	ip[8] = 64;
	ip[9] = f->proto;
	memcpy(ip + 12, "\x0a\1\2\3\xc0\xa8\xfe\xff", 8);
	put16(ip + 10, ~slow_sum(ip, 20, 0));
}

/* Returns what follows it. */
static uint8_t *put_jumbo(uint8_t *ip, uint32_t len)
{
	ip[40] = ip[6];
	ip[6] = IPPROTO_HOPOPTS;
	ip[42] = 0xc2;
	ip[43] = 4;
	put16(ip + 44, len >> 16);
	put16(ip + 46, len);
	return ip + 48;
}

static void put_ipv6(const struct frame *f, uint8_t *ip)
{
	uint32_t len = frame_l3(f) - 40 + frame_l4(f) + f->payload;
	uint8_t *ext = ip + 40;
	int i;

	ip[0] = 0x60;
	put16(ip + 4, len > UINT16_MAX ? 0 : len);
	ip[6] = f->ext ? IPPROTO_DSTOPTS : f->proto;
	ip[7] = 64;
	for (i = 8; i < 40; i++)
		ip[i] = i * 11;
	if (f->jumbo)
		ext = put_jumbo(ip, len);
	if (f->ext) {
		ext[0] = f->ext > 1 ? IPPROTO_ROUTING : f->proto;
		ext[2] = 1; /* PadN */
		ext[3] = 4;
	}
	if (f->ext > 1) {
		ext[8] = f->proto;
		ext[9] = 2;
		ext[10] = 2;
		ext[11] = 1;
		memset(ext + 16, 0x5a, 16);
	}
}

static void put_l4(const struct frame *f, uint8_t *ip, uint8_t *l4)
{
	uint32_t len = frame_l4(f) + f->payload;

	put16(l4, 1234);
	put16(l4 + 2, 5678);
	if (f->proto == IPPROTO_UDP) {
		put16(l4 + 4, len);
		put16(l4 + 6, slow_phdr(f, ip, len));
		return;
	}
	memcpy(l4 + 4, "\xff\xff\xfe\0", 4);
	l4[12] = frame_l4(f) / 4 << 4;
	l4[13] = f->tcp_flags;
	memset(l4 + 20, 1, f->options);
	put16(l4 + 16, slow_phdr(f, ip, len));
}

static struct rte_mbuf *more(struct rte_mbuf *head, struct rte_mbuf *tail)
{
	tail->next = rte_pktmbuf_alloc(pool);
	ck_assert_ptr_nonnull(tail->next);
	head->nb_segs++;
	return tail->next;
}

struct rte_mbuf *frame_make(const struct frame *f)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool), *tail = m;
	uint32_t hdr = frame_hdr(f), i, room;
	uint8_t *p;

	ck_assert_ptr_nonnull(m);
	p = (uint8_t *)rte_pktmbuf_append(m, hdr);
	memset(p, 0, hdr);
	put_l2(f, p);
	if (f->version == 4)
		put_ipv4(f, p + frame_l2(f));
	else
		put_ipv6(f, p + frame_l2(f));
	put_l4(f, p + frame_l2(f), p + frame_l2(f) + frame_l3(f));
	room = f->seg ? f->first : rte_pktmbuf_tailroom(m);
	for (i = 0; i < f->payload; i++, room--) {
		if (room == 0) {
			tail = more(m, tail);
			room = f->seg ? f->seg : rte_pktmbuf_tailroom(tail);
		}
		*rte_pktmbuf_mtod_offset(tail, uint8_t *, tail->data_len++) = payload_byte(i);
		m->pkt_len++;
	}
	return m;
}

struct knit_desc frame_desc(const struct frame *f, uint32_t gso_size)
{
	struct knit_desc d = { .flags = KNIT_DESC_CSUM_PARTIAL };

	d.csum_start = frame_l2(f) + frame_l3(f);
	d.csum_offset = f->proto == IPPROTO_UDP ? 6 : 16;
	if (gso_size == 0)
		return d;
	d.gso_size = gso_size;
	d.hdr_len = frame_hdr(f);
	d.gso_type = f->version == 4 ? KNIT_GSO_TCPV4 : KNIT_GSO_TCPV6;
	if (f->proto == IPPROTO_UDP)
		d.gso_type = KNIT_GSO_UDP_L4;
	return d;
}

uint8_t *flat(const struct rte_mbuf *m)
{
	static uint8_t buf[MAX_FLAT];
	const uint8_t *p;

	ck_assert_uint_le(m->pkt_len, sizeof(buf));
	p = rte_pktmbuf_read(m, 0, m->pkt_len, buf);
	ck_assert_ptr_nonnull(p);
	if (p != buf)
		memcpy(buf, p, m->pkt_len);
	return buf;
}

/* Over a right checksum the sum is 0, which UDP writes as 0xffff. */
static bool nothing_left(uint16_t cksum)
{
	return cksum == 0 || cksum == 0xffff;
}

static void verify_ip(const struct frame *f, const uint8_t *ip, uint32_t l4_len)
{
	if (f->version == 4) {
		ck_assert_uint_eq(ip[2] << 8 | ip[3], 20 + l4_len);
		ck_assert_uint_eq(slow_sum(ip, 20, 0), 0xffff);
		ck_assert(nothing_left(rte_ipv4_udptcp_cksum((const void *)ip, ip + frame_l3(f))));
	} else {
		ck_assert_uint_eq(ip[4] << 8 | ip[5], frame_l3(f) - 40 + l4_len);
		if (!f->ext)
			ck_assert(nothing_left(
				rte_ipv6_udptcp_cksum((const void *)ip, ip + frame_l3(f))));
	}
}

void frame_verify(const struct frame *f, const struct rte_mbuf *m, uint32_t at, uint32_t payload)
{
	uint32_t hdr = frame_hdr(f), l4_len = frame_l4(f) + payload, i;
	uint8_t *p = flat(m), *ip = p + frame_l2(f), *l4 = ip + frame_l3(f);

	rte_mbuf_sanity_check(m, 1);
	ck_assert_uint_eq(m->pkt_len, hdr + payload);
	verify_ip(f, ip, l4_len);
	ck_assert_uint_eq(slow_sum(l4, l4_len, slow_phdr(f, ip, l4_len)), 0xffff);
	if (f->proto == IPPROTO_UDP)
		ck_assert_uint_eq(l4[4] << 8 | l4[5], l4_len);
	for (i = 0; i < payload; i++)
		ck_assert_uint_eq(p[hdr + i], payload_byte(at + i));
}
