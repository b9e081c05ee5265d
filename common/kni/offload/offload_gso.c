// SPDX-License-Identifier: BSD-3-Clause
#include "offload_soft.h"

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_errno.h>
#include <rte_memcpy.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include <netinet/in.h>
#include <string.h>

#define IP6_HLEN 40
#define JUMBO_HLEN 8
#define JUMBO_TYPE 0xc2

/*
 * Segmentation by copy. Attaching the payload instead would cost a second mbuf per segment and
 * atomic reference counts, and the checksum has to read the payload anyway.
 */
struct cut {
	const struct rte_mbuf *seg; /* where the payload goes on */
	uint32_t off;
	uint32_t jumbo; /* bytes behind the IPv6 header that the outputs do not get */
	uint32_t l2_len;
	uint32_t l3_len;  /* of the outputs */
	uint32_t hdr_len; /* likewise */
	uint32_t mss;
	uint32_t payload;
	uint64_t ol_flags; /* of the outputs */
	uint8_t version;
	uint8_t proto;
	bool csum; /* outputs get complete checksums */
	bool ext;  /* the pseudo header can't be made from the IP header */
	uint16_t id;
	uint32_t seq;
	uint64_t phdr; /* if ext: without length */
	struct rte_mempool *pool;
};

/*
 * The option that says how long an IPv6 packet is whose header can't. Older kernels write it as
 * a header of its own, and without others.
 */
static uint32_t jumbo_bytes(const struct rte_mbuf *m)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, m->l2_len);
	const uint8_t *opt = ip + IP6_HLEN;

	if (!(m->ol_flags & RTE_MBUF_F_TX_IPV6) || m->l3_len < IP6_HLEN + JUMBO_HLEN ||
	    ip[6] != IPPROTO_HOPOPTS)
		return 0;
	return opt[1] == 0 && opt[2] == JUMBO_TYPE && opt[3] == 4 ? JUMBO_HLEN : 0;
}

static void cut_init(struct cut *c, const struct rte_mbuf *m, const struct knit_offload_port *port)
{
	bool udp = m->ol_flags & RTE_MBUF_F_TX_UDP_SEG;
	uint64_t l4 = udp ? RTE_MBUF_F_TX_UDP_CKSUM : RTE_MBUF_F_TX_TCP_CKSUM;
	uint64_t need = udp ? RTE_ETH_TX_OFFLOAD_UDP_CKSUM : RTE_ETH_TX_OFFLOAD_TCP_CKSUM;

	c->seg = m;
	c->l2_len = m->l2_len;
	c->jumbo = jumbo_bytes(m);
	c->l3_len = m->l3_len - c->jumbo;
	c->off = m->l2_len + m->l3_len + m->l4_len;
	c->hdr_len = c->off - c->jumbo;
	c->mss = m->tso_segsz;
	c->payload = m->pkt_len - c->off;
	c->version = m->ol_flags & RTE_MBUF_F_TX_IPV4 ? 4 : 6;
	c->proto = udp ? IPPROTO_UDP : IPPROTO_TCP;
	c->ext = c->version == 6 && c->l3_len != IP6_HLEN;
	c->csum = !(port->capa & need) || (c->ext && !(port->capa & KNIT_OFFLOAD_IPV6_EXT));
	c->ol_flags = m->ol_flags & RTE_MBUF_F_TX_VLAN;
	if (!c->csum)
		c->ol_flags |= l4 | (m->ol_flags & (RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6));
	c->pool = port->pool;
}

/*
 * What the first segment's headers carry over. The field holds the sum of a pseudo header for all
 * of it.
 */
static void cut_read_headers(struct cut *c, const struct rte_mbuf *m)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, c->l2_len);
	const uint8_t *l4 = ip + m->l3_len;
	uint32_t all = m->pkt_len - c->l2_len - m->l3_len;
	uint16_t field;

	if (c->version == 4)
		c->id = (uint16_t)(ip[4] << 8 | ip[5]);
	if (c->proto == IPPROTO_TCP) {
		memcpy(&c->seq, l4 + 4, sizeof(c->seq));
		c->seq = rte_be_to_cpu_32(c->seq);
	}
	memcpy(&field, l4 + (c->proto == IPPROTO_UDP ? 6 : 16), sizeof(field));
	c->phdr = field;
	c->phdr += (uint16_t)~rte_cpu_to_be_16(all >> 16);
	c->phdr += (uint16_t)~rte_cpu_to_be_16(all & UINT16_MAX);
}

static void copy_payload(struct cut *c, uint8_t *to, uint32_t n)
{
	uint32_t part;

	while (n) {
		part = RTE_MIN(n, c->seg->data_len - c->off);
		rte_memcpy(to, rte_pktmbuf_mtod_offset(c->seg, const void *, c->off), part);
		to += part;
		n -= part;
		c->off += part;
		if (c->off == c->seg->data_len) {
			c->seg = c->seg->next;
			c->off = 0;
		}
	}
}

/* Appends n bytes of payload to head, with more mbufs where they do not fit. */
static int segment_fill(struct cut *c, struct rte_mbuf *head, uint32_t n)
{
	struct rte_mbuf *tail = head;
	uint32_t part;

	while (n) {
		if (unlikely(rte_pktmbuf_tailroom(tail) == 0)) {
			tail->next = rte_pktmbuf_alloc(c->pool);
			if (tail->next == NULL)
				return -ENOMEM;
			tail = tail->next;
			head->nb_segs++;
		}
		part = RTE_MIN(n, (uint32_t)rte_pktmbuf_tailroom(tail));
		copy_payload(c, rte_pktmbuf_mtod_offset(tail, uint8_t *, tail->data_len), part);
		tail->data_len += part;
		head->pkt_len += part;
		n -= part;
	}
	return 0;
}

static void copy_headers(const struct cut *c, const struct rte_mbuf *m, uint8_t *to)
{
	const uint8_t *from = rte_pktmbuf_mtod(m, const uint8_t *);
	uint32_t ip = c->l2_len + IP6_HLEN;

	if (likely(c->jumbo == 0)) {
		rte_memcpy(to, from, c->hdr_len);
		return;
	}
	rte_memcpy(to, from, ip);
	rte_memcpy(to + ip, from + ip + c->jumbo, c->hdr_len - ip);
	to[c->l2_len + 6] = from[ip]; /* next header */
}

static void write_ip(struct cut *c, uint8_t *ip, uint32_t l4_len)
{
	if (c->version == 6) {
		knit_put_be16(ip + 4, c->l3_len - IP6_HLEN + l4_len);
		return;
	}
	knit_put_be16(ip + 2, c->l3_len + l4_len);
	knit_put_be16(ip + 4, c->id++);
	knit_csum_ipv4(ip, c->l3_len);
}

/* FIN and PSH belong to the end of the data, CWR to its beginning. */
static void write_tcp(struct cut *c, uint8_t *tcp, uint32_t chunk, bool first)
{
	uint32_t seq = rte_cpu_to_be_32(c->seq);

	memcpy(tcp + 4, &seq, sizeof(seq));
	c->seq += chunk;
	if (c->payload)
		tcp[13] &= (uint8_t) ~(RTE_TCP_FIN_FLAG | RTE_TCP_PSH_FLAG);
	if (!first)
		tcp[13] &= (uint8_t)~RTE_TCP_CWR_FLAG;
}

static void write_csum(const struct cut *c, struct rte_mbuf *s, uint32_t l4_len)
{
	uint8_t *ip = rte_pktmbuf_mtod_offset(s, uint8_t *, c->l2_len);
	uint8_t *field = ip + c->l3_len + (c->proto == IPPROTO_UDP ? 6 : 16);
	uint16_t sum;

	if (c->ext)
		sum = knit_sum_fold(c->phdr + rte_cpu_to_be_16(l4_len));
	else
		sum = knit_sum_fold(knit_sum_phdr(ip, c->version, c->proto, l4_len));
	memcpy(field, &sum, sizeof(sum));
	if (!c->csum)
		return;
	sum = knit_sum_chain(s, c->l2_len + c->l3_len, l4_len);
	sum = sum == 0xffff ? sum : (uint16_t)~sum;
	memcpy(field, &sum, sizeof(sum));
}

/* Makes s, which is empty, the next segment of m. */
static int cut_one(struct cut *c, const struct rte_mbuf *m, struct rte_mbuf *s, bool first)
{
	uint32_t chunk = RTE_MIN(c->payload, c->mss);
	uint32_t l4_len = c->hdr_len - c->l2_len - c->l3_len + chunk;
	uint8_t *p = rte_pktmbuf_mtod(s, uint8_t *);

	copy_headers(c, m, p);
	s->data_len = c->hdr_len;
	s->pkt_len = c->hdr_len;
	s->port = m->port;
	s->vlan_tci = m->vlan_tci;
	s->ol_flags |= c->ol_flags;
	s->tx_offload = 0;
	s->l2_len = m->l2_len;
	s->l3_len = c->l3_len;
	s->l4_len = m->l4_len;
	if (segment_fill(c, s, chunk) < 0)
		return -ENOMEM;
	c->payload -= chunk;
	write_ip(c, p + c->l2_len, l4_len);
	if (c->proto == IPPROTO_TCP)
		write_tcp(c, p + c->l2_len + c->l3_len, chunk, first);
	else
		knit_put_be16(p + c->l2_len + c->l3_len + 4, l4_len);
	write_csum(c, s, l4_len);
	return 0;
}

/* How many segments, or -errno if they can't be made or sent. */
static int segments_count(const struct cut *c, const struct knit_offload_port *port,
			  unsigned int max)
{
	uint32_t room = rte_pktmbuf_data_room_size(port->pool), n;

	if (c->mss == 0)
		return -EINVAL;
	if (c->hdr_len - c->l2_len - (c->version == 6 ? IP6_HLEN : 0) +
		    RTE_MIN(c->mss, c->payload) >
	    UINT16_MAX)
		return -EINVAL;
	if (room < RTE_PKTMBUF_HEADROOM + c->hdr_len + 1)
		return -EMSGSIZE;
	room -= RTE_PKTMBUF_HEADROOM;
	if (!(port->capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) &&
	    c->hdr_len + RTE_MIN(c->mss, c->payload) > room)
		return -EMSGSIZE;
	n = (c->payload + c->mss - 1) / c->mss;
	if (n > max || n > KNIT_OFFLOAD_MAX_SEGS)
		return -ENOSPC;
	return RTE_MAX(n, 1u);
}

unsigned int knit_gso_cut(const struct rte_mbuf *m, const struct knit_offload_port *port,
			  struct rte_mbuf **out, unsigned int max)
{
	struct cut c = { 0 };
	int n, i, ret = 0;

	cut_init(&c, m, port);
	cut_read_headers(&c, m);
	n = segments_count(&c, port, max);
	if (n < 0) {
		rte_errno = -n;
		return 0;
	}
	if (rte_pktmbuf_alloc_bulk(port->pool, out, n) < 0) {
		rte_errno = ENOMEM;
		return 0;
	}
	for (i = 0; i < n && ret == 0; i++)
		ret = cut_one(&c, m, out[i], i == 0);
	if (ret == 0)
		return n;
	rte_pktmbuf_free_bulk(out, n);
	rte_errno = -ret;
	return 0;
}
