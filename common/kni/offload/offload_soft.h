/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_OFFLOAD_SOFT_H
#define KNIT_OFFLOAD_SOFT_H

#include "offload.h"

#include <rte_tcp.h>

/*
 * What the offload_*.c files and the tap engine share. Sums are one's complement sums of 16-bit
 * words as they lie in memory, so they are stored without a byte swap.
 */

/* Where the headers of a frame are. version 4 or 6; proto IPPROTO_TCP or IPPROTO_UDP. */
struct knit_headers {
	uint32_t l2_len;
	uint32_t l3_len;
	uint32_t l4_len;
	uint8_t version;
	uint8_t proto;
	bool l3_fits; /* the IP header's length says that L4 is all there */
};

/*
 * Finds TCP or UDP behind Ethernet, tags, IPv4 or IPv6 with extension headers, all in m's first
 * segment. False: there is none, or it is a fragment, or lengths make no sense or do not fit an
 * mbuf's fields.
 */
bool knit_headers_parse(const struct rte_mbuf *m, struct knit_headers *h);

/* Sets what an mbuf says about a frame with these headers whose checksum is partial. */
void knit_headers_request(const struct knit_headers *h, struct rte_mbuf *m);

/* Do l2_len, l3_len, l4_len and the flags of m fit its first segment? */
bool knit_headers_sane(const struct rte_mbuf *m);

/* 16 bits in network order at any address. */
static inline uint16_t knit_get_be16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static inline void knit_put_be16(uint8_t *p, uint16_t value)
{
	p[0] = value >> 8;
	p[1] = value & 0xff;
}

static inline uint16_t knit_sum_fold(uint64_t sum)
{
	sum = (sum >> 32) + (uint32_t)sum;
	sum = (sum >> 32) + (uint32_t)sum;
	sum = (sum >> 16) + (uint16_t)sum;
	sum = (sum >> 16) + (uint16_t)sum;
	return (uint16_t)((sum >> 16) + sum);
}

/* Not folded; of at most 64 KiB, so that a few of them can be added. */
uint64_t knit_sum(const void *data, uint32_t len);

/* Of a chain: len bytes from off; they are there. */
uint16_t knit_sum_chain(const struct rte_mbuf *m, uint32_t off, uint32_t len);

/* Of the pseudo header for len bytes of L4; ip is an IPv4 or IPv6 header, by version. */
uint64_t knit_sum_phdr(const void *ip, uint8_t version, uint8_t proto, uint32_t len);

/* Offset of m's L4 checksum field in its L4 header. */
static inline uint32_t knit_csum_offset(uint64_t ol_flags)
{
	bool udp = (ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_UDP_CKSUM ||
		   ol_flags & RTE_MBUF_F_TX_UDP_SEG;

	return udp ? 6 : 16;
}

static inline uint8_t knit_csum_proto(uint64_t ol_flags)
{
	return knit_csum_offset(ol_flags) == 6 ? IPPROTO_UDP : IPPROTO_TCP;
}

/* Of a frame with RTE_MBUF_F_TX_TCP_SEG, whose lengths may be nonsense. */
static inline bool knit_tcp_cwr(const struct rte_mbuf *m)
{
	uint32_t l4 = m->l2_len + m->l3_len;

	return l4 + 20 <= m->data_len &&
	       *rte_pktmbuf_mtod_offset(m, uint8_t *, l4 + 13) & RTE_TCP_CWR_FLAG;
}

static inline bool knit_ipv6_ext(const struct rte_mbuf *m)
{
	return m->ol_flags & RTE_MBUF_F_TX_IPV6 && m->l3_len != 40;
}

/*
 * Completes the sum from start to the end of the frame; the field at start + offset is in the
 * frame.
 */
void knit_csum_complete(struct rte_mbuf *m, uint32_t start, uint32_t offset);

/*
 * Completes the L4 checksum that m asks for and clears the request. 0 or -EINVAL. Writes the first
 * segment.
 */
int knit_csum_l4(struct rte_mbuf *m);

/* The checksum of the IPv4 header at ip, len bytes. */
void knit_csum_ipv4(void *ip, uint32_t len);

/*
 * Cuts m, whose headers are sane. Outputs ask for what port can do and carry complete checksums
 * otherwise. As knit_offload_fallback, but m stays the caller's.
 */
unsigned int knit_gso_cut(const struct rte_mbuf *m, const struct knit_offload_port *port,
			  struct rte_mbuf **out, unsigned int max);

#endif
