// SPDX-License-Identifier: BSD-3-Clause
#include "offload_soft.h"

#include <rte_byteorder.h>

#include <netinet/in.h>

#define MAX_L2 (KNIT_ETH_HLEN + 8 * 4) /* as many tags as Linux nests */
#define MAX_L3 511		       /* l3_len of an mbuf has 9 bits */

static bool is_tag(uint16_t type)
{
	return type == RTE_ETHER_TYPE_VLAN || type == RTE_ETHER_TYPE_QINQ;
}

/* Returns the ethertype behind all tags and sets l2_len, or 0. */
static uint16_t headers_parse_l2(const uint8_t *p, uint32_t have, struct knit_headers *h)
{
	uint32_t at = 12;
	uint16_t type;

	if (have < KNIT_ETH_HLEN)
		return 0;
	type = knit_get_be16(p + at);
	while (is_tag(type)) {
		at += 4;
		if (at + 2 > have || at + 2 > MAX_L2)
			return 0;
		type = knit_get_be16(p + at);
	}
	h->l2_len = at + 2;
	return type;
}

static bool parse_ipv4(const uint8_t *p, uint32_t have, struct knit_headers *h)
{
	if (have < 20 || p[0] >> 4 != 4)
		return false;
	h->version = 4;
	h->l3_len = (p[0] & 0xf) * 4;
	h->proto = p[9];
	return h->l3_len >= 20 && h->l3_len <= have && !(knit_get_be16(p + 6) & 0x3fff);
}

static bool parse_ipv6(const uint8_t *p, uint32_t have, struct knit_headers *h)
{
	uint32_t at = 40;
	uint8_t next;

	if (have < 40 || p[0] >> 4 != 6)
		return false;
	next = p[6];
	while (next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS) {
		if (at + 8 > have)
			return false;
		next = p[at];
		at += (p[at + 1] + 1) * 8;
	}
	h->version = 6;
	h->l3_len = at;
	h->proto = next;
	return at <= have && at <= MAX_L3;
}

static bool parse_l4(const uint8_t *p, uint32_t have, struct knit_headers *h)
{
	if (h->proto == IPPROTO_UDP) {
		h->l4_len = 8;
	} else if (h->proto == IPPROTO_TCP && have >= 20) {
		h->l4_len = (p[12] >> 4) * 4;
		if (h->l4_len < 20)
			return false;
	} else {
		return false;
	}
	return h->l4_len <= have;
}

/* Bytes of L3 as its header has it. */
static uint32_t l3_bytes(const uint8_t *ip, uint8_t version)
{
	return version == 4 ? knit_get_be16(ip + 2) : 40u + knit_get_be16(ip + 4);
}

bool knit_headers_parse(const struct rte_mbuf *m, struct knit_headers *h)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	uint32_t have = m->data_len, l3;
	uint16_t type;
	bool ok;

	type = headers_parse_l2(p, have, h);
	if (type == RTE_ETHER_TYPE_IPV4)
		ok = parse_ipv4(p + h->l2_len, have - h->l2_len, h);
	else if (type == RTE_ETHER_TYPE_IPV6)
		ok = parse_ipv6(p + h->l2_len, have - h->l2_len, h);
	else
		return false;
	if (!ok || !parse_l4(p + h->l2_len + h->l3_len, have - h->l2_len - h->l3_len, h))
		return false;
	l3 = l3_bytes(p + h->l2_len, h->version);
	h->l3_fits = l3 >= h->l3_len + h->l4_len && l3 <= m->pkt_len - h->l2_len;
	return true;
}

void knit_headers_request(const struct knit_headers *h, struct rte_mbuf *m)
{
	m->tx_offload = 0;
	m->l2_len = h->l2_len;
	m->l3_len = h->l3_len;
	m->l4_len = h->l4_len;
	m->ol_flags &= ~RTE_MBUF_F_TX_L4_MASK;
	m->ol_flags |= h->version == 4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6;
	m->ol_flags |= h->proto == IPPROTO_TCP ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM;
}

static bool l3_sane(const struct rte_mbuf *m, const uint8_t *ip)
{
	if (m->ol_flags & RTE_MBUF_F_TX_IPV4)
		return m->l3_len >= 20 && ip[0] >> 4 == 4 && m->l3_len == (ip[0] & 0xf) * 4;
	if (m->ol_flags & RTE_MBUF_F_TX_IPV6)
		return m->l3_len >= 40 && ip[0] >> 4 == 6;
	return false;
}

bool knit_headers_sane(const struct rte_mbuf *m)
{
	const uint64_t l4 = m->ol_flags & (RTE_MBUF_F_TX_L4_MASK | KNIT_OFFLOAD_SEG);
	uint32_t len = m->l2_len + m->l3_len, l4_min = 0;

	if (l4)
		l4_min = knit_csum_offset(m->ol_flags) == 6 ? 8 : 20;
	if (m->ol_flags & KNIT_OFFLOAD_SEG && m->l4_len < l4_min)
		return false;
	if (m->l2_len < KNIT_ETH_HLEN || len + RTE_MAX(l4_min, (uint32_t)m->l4_len) > m->data_len)
		return false;
	return l3_sane(m, rte_pktmbuf_mtod_offset(m, const uint8_t *, m->l2_len));
}
