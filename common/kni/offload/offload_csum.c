// SPDX-License-Identifier: BSD-3-Clause
#include "offload_soft.h"

#include <rte_byteorder.h>

#include <string.h>

/* Four sums of 32-bit words, which the compiler turns into vector adds. */
uint64_t knit_sum(const void *data, uint32_t len)
{
	uint64_t a = 0, b = 0, c = 0, d = 0;
	const uint8_t *p = data;
	uint32_t w[4], last = 0;

	for (; len >= sizeof(w); len -= sizeof(w), p += sizeof(w)) {
		memcpy(w, p, sizeof(w));
		a += w[0];
		b += w[1];
		c += w[2];
		d += w[3];
	}
	for (; len >= sizeof(last); len -= sizeof(last), p += sizeof(last)) {
		memcpy(&last, p, sizeof(last));
		a += last;
	}
	last = 0;
	memcpy(&last, p, len); /* zero padding, wherever the last byte ends up */
	return a + b + c + d + last;
}

uint16_t knit_sum_chain(const struct rte_mbuf *m, uint32_t off, uint32_t len)
{
	uint32_t part, done = 0;
	uint64_t sum = 0;
	uint16_t piece;

	for (; off >= m->data_len && len; m = m->next)
		off -= m->data_len;
	for (; done < len; m = m->next, off = 0) {
		part = RTE_MIN(len - done, m->data_len - off);
		piece = knit_sum_fold(knit_sum(rte_pktmbuf_mtod_offset(m, void *, off), part));
		/* Begun at an odd byte, high and low are the other way round. */
		sum += done & 1 ? rte_bswap16(piece) : piece;
		done += part;
	}
	return knit_sum_fold(sum);
}

uint64_t knit_sum_phdr(const void *ip, uint8_t version, uint8_t proto, uint32_t len)
{
	uint64_t sum = rte_cpu_to_be_16(proto);

	sum += rte_cpu_to_be_16(len >> 16);
	sum += rte_cpu_to_be_16(len & UINT16_MAX);
	if (version == 4)
		return sum + knit_sum((const uint8_t *)ip + 12, 8);
	return sum + knit_sum((const uint8_t *)ip + 8, 32);
}

void knit_csum_ipv4(void *ip, uint32_t len)
{
	uint16_t csum = 0;

	memcpy((uint8_t *)ip + 10, &csum, sizeof(csum));
	csum = (uint16_t)~knit_sum_fold(knit_sum(ip, len));
	memcpy((uint8_t *)ip + 10, &csum, sizeof(csum));
}

static void set_byte(struct rte_mbuf *m, uint32_t off, uint8_t value)
{
	for (; off >= m->data_len; m = m->next)
		off -= m->data_len;
	*rte_pktmbuf_mtod_offset(m, uint8_t *, off) = value;
}

/* Zero would mean "no checksum" in UDP, and its complement sums up the same. */
static uint16_t sum_invert(uint16_t sum)
{
	return sum == 0xffff ? sum : (uint16_t)~sum;
}

void knit_csum_complete(struct rte_mbuf *m, uint32_t start, uint32_t offset)
{
	uint16_t csum = rte_be_to_cpu_16(sum_invert(knit_sum_chain(m, start, m->pkt_len - start)));

	set_byte(m, start + offset, csum >> 8);
	set_byte(m, start + offset + 1, csum & 0xff);
}

/* Bytes of L4 as the IP header has them; 0 if they are not all there. */
static uint32_t l4_bytes(const struct rte_mbuf *m, const uint8_t *ip)
{
	uint32_t l3, l4_min = knit_csum_offset(m->ol_flags) == 6 ? 8 : 20;

	if (m->ol_flags & KNIT_OFFLOAD_SEG)
		return m->pkt_len - m->l2_len - m->l3_len;
	if (m->ol_flags & RTE_MBUF_F_TX_IPV4)
		l3 = knit_get_be16(ip + 2);
	else
		l3 = 40 + knit_get_be16(ip + 4);
	if (l3 < m->l3_len + l4_min || l3 > m->pkt_len - m->l2_len)
		return 0;
	return l3 - m->l3_len;
}

static void write_phdr(struct rte_mbuf *m, uint32_t len)
{
	uint8_t version = m->ol_flags & RTE_MBUF_F_TX_IPV4 ? 4 : 6;
	uint8_t *ip = rte_pktmbuf_mtod_offset(m, uint8_t *, m->l2_len);
	uint16_t sum;

	sum = knit_sum_fold(knit_sum_phdr(ip, version, knit_csum_proto(m->ol_flags), len));
	memcpy(ip + m->l3_len + knit_csum_offset(m->ol_flags), &sum, sizeof(sum));
}

int knit_offload_phdr(struct rte_mbuf *m)
{
	uint32_t len;

	if (!(m->ol_flags & (RTE_MBUF_F_TX_L4_MASK | KNIT_OFFLOAD_SEG)))
		return 0;
	if (!knit_headers_sane(m))
		return -EINVAL;
	len = l4_bytes(m, rte_pktmbuf_mtod_offset(m, const uint8_t *, m->l2_len));
	if (len == 0)
		return -EINVAL;
	write_phdr(m, len);
	return 0;
}

int knit_csum_l4(struct rte_mbuf *m)
{
	uint32_t start = m->l2_len + m->l3_len, len;
	uint16_t csum;

	len = l4_bytes(m, rte_pktmbuf_mtod_offset(m, const uint8_t *, m->l2_len));
	if (len == 0)
		return -EINVAL;
	/*
	 * rte_eth_tx_prepare may have been here, and other conventions exist: make the pseudo
	 * header's sum anew. Not behind extension headers: with a routing header the destination
	 * that counts is not in the IP header, and no one but the kernel has touched the field.
	 */
	if (!knit_ipv6_ext(m))
		write_phdr(m, len);
	csum = sum_invert(knit_sum_chain(m, start, len));
	memcpy(rte_pktmbuf_mtod_offset(m, uint8_t *, start + knit_csum_offset(m->ol_flags)), &csum,
	       sizeof(csum));
	m->ol_flags &= ~RTE_MBUF_F_TX_L4_MASK;
	return 0;
}
