// SPDX-License-Identifier: BSD-3-Clause
#include "offload.h"
#include "offload_soft.h"

#include <rte_errno.h>
#include <rte_ether.h>

/* Two tags, which an MTU does not count. */
#define TAGS_LEN (2 * sizeof(struct rte_vlan_hdr))

/* The L4 checksum that m asks for, not counting what segmentation implies. */
static uint64_t missing_l4(uint64_t l4, uint64_t capa)
{
	switch (l4) {
	case RTE_MBUF_F_TX_TCP_CKSUM:
		return capa & RTE_ETH_TX_OFFLOAD_TCP_CKSUM ? 0 : l4;
	case RTE_MBUF_F_TX_UDP_CKSUM:
		return capa & RTE_ETH_TX_OFFLOAD_UDP_CKSUM ? 0 : l4;
	default:
		return l4;
	}
}

static bool must_cut(const struct rte_mbuf *m, uint64_t capa)
{
	uint64_t need = m->ol_flags & RTE_MBUF_F_TX_TCP_SEG ? RTE_ETH_TX_OFFLOAD_TCP_TSO
							    : RTE_ETH_TX_OFFLOAD_UDP_TSO;

	if (!(capa & need) || (m->nb_segs > 1 && !(capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS)))
		return true;
	if (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG && !(capa & KNIT_OFFLOAD_TSO_ECN) &&
	    knit_tcp_cwr(m))
		return true;
	if (m->pkt_len > KNIT_FRAME_MAX && !(capa & KNIT_OFFLOAD_BIG_TCP))
		return true;
	/* A descriptor's hdr_len, and what controllers take. */
	return m->l2_len + m->l3_len + m->l4_len > UINT8_MAX;
}

uint64_t knit_offload_missing(const struct rte_mbuf *m, uint64_t capa)
{
	uint64_t ol = m->ol_flags, missing = 0;

	if (ol & RTE_MBUF_F_TX_VLAN && !(capa & RTE_ETH_TX_OFFLOAD_VLAN_INSERT))
		missing |= RTE_MBUF_F_TX_VLAN;
	if (ol & RTE_MBUF_F_TX_IP_CKSUM && !(capa & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM))
		missing |= RTE_MBUF_F_TX_IP_CKSUM;
	if (!(ol & (RTE_MBUF_F_TX_L4_MASK | KNIT_OFFLOAD_SEG)))
		return missing;
	if (knit_ipv6_ext(m) && !(capa & KNIT_OFFLOAD_IPV6_EXT))
		missing |= ol & (RTE_MBUF_F_TX_L4_MASK | KNIT_OFFLOAD_SEG);
	else if (!(ol & KNIT_OFFLOAD_SEG))
		missing |= missing_l4(ol & RTE_MBUF_F_TX_L4_MASK, capa);
	else if (must_cut(m, capa))
		missing |= ol & KNIT_OFFLOAD_SEG;
	return missing;
}

/* A sum of the pseudo header is never 0. */
static bool has_checksum(const struct rte_mbuf *m, const struct knit_headers *h)
{
	return h->proto != IPPROTO_UDP ||
	       *rte_pktmbuf_mtod_offset(m, unaligned_uint16_t *, h->l2_len + h->l3_len + 6) != 0;
}

/* What the port that received m left undone becomes what m asks for. */
static void request_rx_pending(struct rte_mbuf *m)
{
	struct knit_headers h;

	if (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) {
		m->ol_flags &= ~(RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_VLAN);
		m->ol_flags |= RTE_MBUF_F_TX_VLAN;
	}
	if (!knit_offload_rx_partial(m))
		return;
	m->ol_flags &= ~RTE_MBUF_F_RX_L4_CKSUM_MASK;
	if (!(m->ol_flags & (RTE_MBUF_F_TX_L4_MASK | KNIT_OFFLOAD_SEG)) &&
	    knit_headers_parse(m, &h) && h.l3_fits && has_checksum(m, &h))
		knit_headers_request(&h, m);
}

static int request_validate(const struct rte_mbuf *m, const struct knit_offload_port *port)
{
	uint64_t l4 = m->ol_flags & RTE_MBUF_F_TX_L4_MASK;

	if (m->ol_flags & KNIT_OFFLOAD_UNSUPPORTED || l4 == RTE_MBUF_F_TX_SCTP_CKSUM)
		return -EINVAL;
	if (m->ol_flags & KNIT_OFFLOAD_TX & ~RTE_MBUF_F_TX_VLAN && !knit_headers_sane(m))
		return -EINVAL;
	if (m->data_len < KNIT_ETH_HLEN)
		return -EINVAL;
	if (port->mtu && knit_offload_wire_len(m) > port->mtu + KNIT_ETH_HLEN + TAGS_LEN)
		return -EMSGSIZE;
	return 0;
}

/* Headers are written in place only where nobody else reads them and a tag has room. */
static bool headers_writable(const struct rte_mbuf *m)
{
	return RTE_MBUF_DIRECT(m) && rte_mbuf_refcnt_read(m) == 1 &&
	       rte_pktmbuf_headroom(m) >= sizeof(struct rte_vlan_hdr);
}

/*
 * Copies m into new mbufs of the port's pool: headers can be written then, and the chain is as
 * short as buffers allow. 0 or -errno; *m stays valid.
 */
static int frame_copy(struct rte_mbuf **m, const struct knit_offload_port *port, bool one_segment)
{
	uint32_t room = rte_pktmbuf_data_room_size(port->pool) - RTE_PKTMBUF_HEADROOM;
	struct rte_mbuf *copy;

	if (one_segment && (*m)->pkt_len > room)
		return -EMSGSIZE;
	copy = rte_pktmbuf_copy(*m, port->pool, 0, UINT32_MAX);
	if (copy == NULL)
		return -ENOMEM;
	rte_pktmbuf_free(*m);
	*m = copy;
	return 0;
}

static int checksums_complete(struct rte_mbuf *m, uint64_t missing)
{
	if (missing & RTE_MBUF_F_TX_IP_CKSUM) {
		if (!(m->ol_flags & RTE_MBUF_F_TX_IPV4))
			return -EINVAL;
		knit_csum_ipv4(rte_pktmbuf_mtod_offset(m, void *, m->l2_len), m->l3_len);
		m->ol_flags &= ~RTE_MBUF_F_TX_IP_CKSUM;
	}
	return missing & RTE_MBUF_F_TX_L4_MASK ? knit_csum_l4(m) : 0;
}

/* All but cutting. 0 or -errno; *m stays valid. */
static int fallback_one(struct rte_mbuf **m, const struct knit_offload_port *port, uint64_t missing)
{
	bool join = (*m)->nb_segs > 1 && !(port->capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS);
	int ret = 0;

	/* When cutting, the copies get the headers' checksums, and are single segments. */
	if (missing & KNIT_OFFLOAD_SEG) {
		join = false;
		missing &= RTE_MBUF_F_TX_VLAN;
	}
	if (join || (missing && !headers_writable(*m)))
		ret = frame_copy(m, port, join);
	if (ret == 0 && missing & RTE_MBUF_F_TX_VLAN)
		ret = rte_vlan_insert(m);
	if (ret == 0)
		ret = checksums_complete(*m, missing);
	return ret;
}

unsigned int knit_offload_fallback(struct rte_mbuf *m, const struct knit_offload_port *port,
				   struct rte_mbuf **out, unsigned int max)
{
	unsigned int n = 1;
	uint64_t missing;
	int ret;

	request_rx_pending(m);
	missing = knit_offload_missing(m, port->capa);
	ret = max ? request_validate(m, port) : -ENOSPC;
	if (ret == 0)
		ret = fallback_one(&m, port, missing);
	if (ret < 0) {
		rte_errno = -ret;
		rte_pktmbuf_free(m);
		return 0;
	}
	if (!(missing & KNIT_OFFLOAD_SEG)) {
		out[0] = m;
		return n;
	}
	n = knit_gso_cut(m, port, out, max);
	rte_pktmbuf_free(m);
	return n;
}
