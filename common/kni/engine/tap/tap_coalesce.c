// SPDX-License-Identifier: BSD-3-Clause
#include "tap_coalesce.h"

#include "kni/offload/offload_soft.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

#include <string.h>

#define MIN_L2 14
#define IP4_HLEN 20 /* no options */
#define IP6_HLEN 40 /* no extension headers */

static uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)knit_get_be16(p) << 16 | knit_get_be16(p + 2);
}

static bool flow_is_tcp(const struct knit_tap_flow *flow)
{
	return flow->proto == KNIT_TAP_TCP4 || flow->proto == KNIT_TAP_TCP6;
}

static bool is_ip4(const struct knit_tap_flow *flow)
{
	return flow->proto == KNIT_TAP_UDP4 || flow->proto == KNIT_TAP_TCP4;
}

static uint64_t sum_pseudo(const struct knit_tap_flow *flow, uint32_t l4_len)
{
	return knit_sum_phdr(flow->hdr + flow->l3_off, is_ip4(flow) ? 4 : 6,
			     flow_is_tcp(flow) ? IPPROTO_TCP : IPPROTO_UDP, l4_len);
}

/*
 * Sums the frame from byte `from` on, IP's length only; segments of odd length swap the bytes of
 * what follows.
 */
static uint64_t sum_frame(const struct knit_tap_frame *f, uint32_t from)
{
	uint32_t left = f->hdr_len + f->payload - from;
	uint32_t skip = from, n, i;
	uint64_t total = 0;
	uint16_t part;
	bool odd = false;

	for (i = 0; i < f->n_segs && left; i++) {
		if (skip >= f->seg[i].iov_len) {
			skip -= f->seg[i].iov_len;
			continue;
		}
		n = f->seg[i].iov_len - skip;
		if (n > left)
			n = left;
		part = knit_sum_fold(knit_sum((const uint8_t *)f->seg[i].iov_base + skip, n));
		total += odd ? (uint16_t)(part << 8 | part >> 8) : part;
		odd ^= n & 1;
		left -= n;
		skip = 0;
	}
	return total;
}

static bool checksums_good(const struct knit_tap_frame *f, const struct knit_tap_flow *flow)
{
	uint32_t l4_len = f->hdr_len - flow->l4_off + f->payload;

	if (is_ip4(flow) && knit_sum_fold(knit_sum(flow->hdr + flow->l3_off, IP4_HLEN)) != 0xffff)
		return false;
	if (f->desc.flags & KNIT_DESC_CSUM_PARTIAL)
		return f->desc.csum_start == flow->l4_off &&
		       f->desc.csum_offset ==
			       (flow_is_tcp(flow) ? KNIT_TCP_CSUM_OFFSET : KNIT_UDP_CSUM_OFFSET);
	if (f->desc.flags & KNIT_DESC_CSUM_GOOD)
		return true;
	return knit_sum_fold(sum_pseudo(flow, l4_len) + sum_frame(f, flow->l4_off)) == 0xffff;
}

/* Returns the length of the IP packet, 0 if it isn't one to merge. */
static uint32_t flow_parse_ip4(const uint8_t *ip, struct knit_tap_flow *flow)
{
	uint16_t frag = knit_get_be16(ip + 6);

	if (ip[0] != 0x45 || frag & (IP_MF | IP_OFFMASK | IP_RF))
		return 0;
	flow->ip_id = knit_get_be16(ip + 4);
	flow->ip_df = frag & IP_DF;
	flow->l4_off = flow->l3_off + IP4_HLEN;
	if (ip[9] != IPPROTO_TCP && ip[9] != IPPROTO_UDP)
		return 0;
	flow->proto = ip[9] == IPPROTO_TCP ? KNIT_TAP_TCP4 : KNIT_TAP_UDP4;
	flow->hash = get_be32(ip + 12) ^ get_be32(ip + 16) * 31;
	return knit_get_be16(ip + 2);
}

static uint32_t flow_parse_ip6(const uint8_t *ip, struct knit_tap_flow *flow)
{
	uint32_t len = knit_get_be16(ip + 4);

	if (ip[0] >> 4 != 6 || len == 0)
		return 0;
	flow->ip_id = 0;
	flow->ip_df = true;
	flow->l4_off = flow->l3_off + IP6_HLEN;
	if (ip[6] != IPPROTO_TCP && ip[6] != IPPROTO_UDP)
		return 0;
	flow->proto = ip[6] == IPPROTO_TCP ? KNIT_TAP_TCP6 : KNIT_TAP_UDP6;
	flow->hash = get_be32(ip + 20) ^ get_be32(ip + 36) * 31;
	return len + IP6_HLEN;
}

static bool frame_parse_udp(struct knit_tap_frame *f, const struct knit_tap_flow *flow,
			    uint32_t l4_len)
{
	const uint8_t *udp = flow->hdr + flow->l4_off;

	if (l4_len <= 8 || knit_get_be16(udp + 4) != l4_len || knit_get_be16(udp + 6) == 0)
		return false;
	f->hdr_len = flow->l4_off + 8;
	f->payload = l4_len - 8;
	return true;
}

static bool parse_tcp(struct knit_tap_frame *f, struct knit_tap_flow *flow, uint32_t l4_len)
{
	const uint8_t *tcp = flow->hdr + flow->l4_off;
	uint32_t hlen = (tcp[12] >> 4) * 4;

	flow->tcp_flags = tcp[13];
	flow->seq = get_be32(tcp + 4);
	if (hlen < 20 || l4_len <= hlen || (flow->tcp_flags & ~TH_PUSH) != TH_ACK || tcp[12] & 0xf)
		return false;
	f->hdr_len = flow->l4_off + hlen;
	f->payload = l4_len - hlen;
	return true;
}

static bool flow_parse_l2(struct knit_tap_flow *flow, uint32_t have, uint16_t *type)
{
	*type = knit_get_be16(flow->hdr + 12);
	flow->l3_off = MIN_L2;
	if (*type == 0x8100) {
		*type = knit_get_be16(flow->hdr + 16);
		flow->l3_off += KNIT_VLAN_HLEN;
	}
	return have >= flow->l3_off + (*type == 0x86dd ? IP6_HLEN + 8u : IP4_HLEN + 8u);
}

bool knit_tap_parse(struct knit_tap_frame *f, struct knit_tap_flow *flow)
{
	uint32_t have = f->seg[0].iov_len, ip_len = 0, l4_len;
	uint16_t type;

	if (f->desc.gso_type != KNIT_GSO_NONE || have < MIN_L2 + IP4_HLEN + 8)
		return false;
	if (have > KNIT_TAP_HDR_MAX - KNIT_VLAN_HLEN) /* leaves room for a tag */
		have = KNIT_TAP_HDR_MAX - KNIT_VLAN_HLEN;
	memcpy(flow->hdr, f->seg[0].iov_base, have);
	if (!flow_parse_l2(flow, have, &type))
		return false;
	if (type == 0x0800)
		ip_len = flow_parse_ip4(flow->hdr + flow->l3_off, flow);
	else if (type == 0x86dd)
		ip_len = flow_parse_ip6(flow->hdr + flow->l3_off, flow);
	/* padding behind the packet is fine in a short frame, a longer one must be exact */
	if (ip_len == 0 || flow->l3_off + ip_len > f->len ||
	    (flow->l3_off + ip_len < f->len && f->n_segs > 1))
		return false;
	if (flow->l3_off + ip_len < (uint32_t)flow->l4_off + 8)
		return false;
	l4_len = flow->l3_off + ip_len - flow->l4_off;
	flow->hash ^= get_be32(flow->hdr + flow->l4_off) * 17;
	if (flow_is_tcp(flow))
		return have >= flow->l4_off + 20u && parse_tcp(f, flow, l4_len) &&
		       f->hdr_len <= have;
	return frame_parse_udp(f, flow, l4_len);
}

void knit_tap_merge_start(struct knit_tap_merge *m, struct knit_tap_frame *f,
			  const struct knit_tap_flow *flow)
{
	f->next = NULL;
	m->first = f;
	m->last = f;
	m->payload = f->payload;
	m->n_iov = f->n_segs;
	m->n = 1;
	m->push = false;
	m->verified = false;
	m->closed = false;
	m->next_id = flow->ip_id + 1;
	memcpy(&m->flow, flow, offsetof(struct knit_tap_flow, hdr) + f->hdr_len);
	if (flow_is_tcp(flow) && flow->tcp_flags & TH_PUSH)
		m->closed = true;
}

bool knit_tap_merge_same(const struct knit_tap_merge *m, const struct knit_tap_flow *flow)
{
	const uint8_t *a = m->flow.hdr, *b = flow->hdr;

	if (m->flow.hash != flow->hash || m->flow.proto != flow->proto ||
	    memcmp(a + m->flow.l4_off, b + flow->l4_off, 4) != 0)
		return false;
	if (is_ip4(flow))
		return memcmp(a + m->flow.l3_off + 12, b + flow->l3_off + 12, 8) == 0;
	return memcmp(a + m->flow.l3_off + 8, b + flow->l3_off + 8, 32) == 0;
}

static bool same_ip(const struct knit_tap_flow *a, const struct knit_tap_flow *b)
{
	const uint8_t *p = a->hdr + a->l3_off, *q = b->hdr + b->l3_off;

	if (is_ip4(a)) /* version and TOS, flags, TTL; addresses were compared */
		return p[1] == q[1] && a->ip_df == b->ip_df && p[8] == q[8];
	return memcmp(p, q, 4) == 0 && p[7] == q[7];
}

static bool same_tcp(const struct knit_tap_merge *m, const struct knit_tap_frame *f,
		     const struct knit_tap_flow *flow)
{
	const uint8_t *a = m->flow.hdr + flow->l4_off, *b = flow->hdr + flow->l4_off;

	if (flow->seq != m->flow.seq + m->payload)
		return false;
	if (!flow->ip_df && flow->ip_id != m->next_id)
		return false;
	/* acknowledgement and data offset; window; urgent pointer and options */
	return memcmp(a + 8, b + 8, 5) == 0 && memcmp(a + 14, b + 14, 2) == 0 &&
	       memcmp(a + 18, b + 18, f->hdr_len - flow->l4_off - 18) == 0;
}

/* Cutting it counts the id up: no harm if all had the same one. */
static bool same_udp(const struct knit_tap_merge *m, const struct knit_tap_flow *flow)
{
	return flow->ip_df || flow->ip_id == m->next_id || flow->ip_id == m->flow.ip_id;
}

static bool merge_fits(const struct knit_tap_merge *m, const struct knit_tap_frame *f)
{
	return !m->closed && f->payload <= m->first->payload && m->n < KNIT_TAP_MERGE_FRAMES &&
	       m->n_iov + f->n_segs <= KNIT_TAP_MERGE_IOV &&
	       m->first->hdr_len - m->flow.l3_off + m->payload + f->payload <= KNIT_TAP_MERGE_BYTES;
}

bool knit_tap_merge_add(struct knit_tap_merge *m, struct knit_tap_frame *f,
			const struct knit_tap_flow *flow)
{
	struct knit_tap_frame *first = m->first;

	if (!merge_fits(m, f) || m->flow.l3_off != flow->l3_off || first->hdr_len != f->hdr_len ||
	    memcmp(m->flow.hdr, flow->hdr, flow->l3_off) != 0 || !same_ip(&m->flow, flow))
		return false;
	if ((first->desc.flags ^ f->desc.flags) & KNIT_DESC_VLAN ||
	    first->desc.vlan_tci != f->desc.vlan_tci)
		return false;
	if (flow_is_tcp(flow) ? !same_tcp(m, f, flow) : !same_udp(m, flow))
		return false;
	if (!m->verified && !checksums_good(first, &m->flow)) {
		m->closed = true;
		return false;
	}
	m->verified = true;
	if (!checksums_good(f, flow))
		return false;

	f->next = NULL;
	m->last->next = f;
	m->last = f;
	m->payload += f->payload;
	m->n_iov += f->n_segs;
	m->n++;
	m->next_id++;
	m->push = flow_is_tcp(flow) && flow->tcp_flags & TH_PUSH;
	m->closed = m->push || f->payload < first->payload;
	return true;
}

/*
 * Lengths and checksums of the large packet; its L4 checksum is the pseudo header's, the rest is
 * to be added.
 */
static void patch_headers(const struct knit_tap_merge *m, uint8_t *hdr)
{
	const struct knit_tap_flow *flow = &m->flow;
	uint32_t l4_len = m->first->hdr_len - flow->l4_off + m->payload;
	uint8_t *ip = hdr + flow->l3_off, *l4 = hdr + flow->l4_off;
	uint16_t sum = knit_sum_fold(sum_pseudo(flow, l4_len));

	if (is_ip4(flow)) {
		knit_put_be16(ip + 2, l4_len + IP4_HLEN);
		knit_csum_ipv4(ip, IP4_HLEN);
	} else {
		knit_put_be16(ip + 4, l4_len);
	}
	if (flow_is_tcp(flow)) {
		l4[13] |= m->push ? TH_PUSH : 0;
		memcpy(l4 + KNIT_TCP_CSUM_OFFSET, &sum, 2);
	} else {
		knit_put_be16(l4 + 4, l4_len);
		memcpy(l4 + KNIT_UDP_CSUM_OFFSET, &sum, 2);
	}
}

static uint32_t insert_vlan(const struct knit_tap_merge *m, uint8_t *hdr)
{
	if (!(m->first->desc.flags & KNIT_DESC_VLAN))
		return m->first->hdr_len;
	memmove(hdr + 16, hdr + 12, m->first->hdr_len - 12);
	knit_put_be16(hdr + 12, 0x8100);
	knit_put_be16(hdr + 14, m->first->desc.vlan_tci);
	return m->first->hdr_len + KNIT_VLAN_HLEN;
}

static uint32_t add_payload(const struct knit_tap_frame *f, struct iovec *iov)
{
	uint32_t left = f->payload, skip = f->hdr_len, n = 0, i, len;

	for (i = 0; i < f->n_segs && left; i++) {
		len = f->seg[i].iov_len;
		if (skip >= len) {
			skip -= len;
			continue;
		}
		len = len - skip < left ? len - skip : left;
		iov[n].iov_base = (uint8_t *)f->seg[i].iov_base + skip;
		iov[n++].iov_len = len;
		left -= len;
		skip = 0;
	}
	return n;
}

uint32_t knit_tap_merge_build(const struct knit_tap_merge *m, struct virtio_net_hdr *vh,
			      uint8_t *hdr, struct iovec *iov)
{
	static const uint8_t gso[] = {
		[KNIT_TAP_UDP4] = KNIT_GSO_UDP_L4,
		[KNIT_TAP_UDP6] = KNIT_GSO_UDP_L4,
		[KNIT_TAP_TCP4] = KNIT_GSO_TCPV4,
		[KNIT_TAP_TCP6] = KNIT_GSO_TCPV6,
	};
	struct knit_desc d = m->first->desc;
	const struct knit_tap_frame *f;
	uint32_t n = 2;

	d.flags = (d.flags & KNIT_DESC_VLAN) | KNIT_DESC_CSUM_PARTIAL;
	d.csum_start = m->flow.l4_off;
	d.csum_offset = flow_is_tcp(&m->flow) ? KNIT_TCP_CSUM_OFFSET : KNIT_UDP_CSUM_OFFSET;
	d.gso_type = gso[m->flow.proto];
	d.gso_size = m->first->payload;
	d.hdr_len = m->first->hdr_len;
	knit_vnet_from_desc(vh, &d);

	memcpy(hdr, m->flow.hdr, m->first->hdr_len);
	patch_headers(m, hdr);
	iov[0] = (struct iovec){ vh, sizeof(*vh) };
	iov[1] = (struct iovec){ hdr, insert_vlan(m, hdr) };
	for (f = m->first; f; f = f->next)
		n += add_payload(f, &iov[n]);
	return n;
}
