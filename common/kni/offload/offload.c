// SPDX-License-Identifier: BSD-3-Clause
#include "offload.h"
#include "offload_soft.h"

#include <netinet/in.h>

/* Does the descriptor mean the L4 checksum of these headers? */
static bool csum_is_l4(const struct knit_desc *d, const struct knit_headers *h)
{
	return d->csum_start == h->l2_len + h->l3_len &&
	       d->csum_offset == (h->proto == IPPROTO_UDP ? 6 : 16);
}

static bool gso_matches(const struct knit_desc *d, const struct knit_headers *h)
{
	if (d->hdr_len != h->l2_len + h->l3_len + h->l4_len)
		return false;
	switch (d->gso_type & KNIT_GSO_TYPE) {
	case KNIT_GSO_TCPV4:
		return h->proto == IPPROTO_TCP && h->version == 4;
	case KNIT_GSO_TCPV6:
		return h->proto == IPPROTO_TCP && h->version == 6;
	default:
		return h->proto == IPPROTO_UDP;
	}
}

static int request_gso(const struct knit_desc *d, const struct knit_headers *h, struct rte_mbuf *m)
{
	bool one = m->pkt_len - d->hdr_len <= d->gso_size;

	if (!gso_matches(d, h) || (one && !h->l3_fits))
		return -EINVAL;
	knit_headers_request(h, m);
	if (one)
		return 0;
	m->tso_segsz = d->gso_size;
	m->ol_flags |= h->proto == IPPROTO_UDP ? RTE_MBUF_F_TX_UDP_SEG : RTE_MBUF_F_TX_TCP_SEG;
	if (h->version == 4)
		m->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
	return 0;
}

int knit_offload_from_desc_slow(const struct knit_desc *d, struct rte_mbuf *m)
{
	struct knit_headers h;
	bool l4;

	if (knit_desc_check_frame(d, m->pkt_len) != KNIT_REJECT_NONE)
		return -EINVAL;
	if (d->flags & KNIT_DESC_VLAN) {
		m->vlan_tci = d->vlan_tci;
		m->ol_flags |= RTE_MBUF_F_TX_VLAN;
	}
	if (!(d->flags & KNIT_DESC_CSUM_PARTIAL)) {
		if (d->flags & KNIT_DESC_CSUM_GOOD)
			m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
		return 0;
	}
	l4 = knit_headers_parse(m, &h) && csum_is_l4(d, &h);
	if (d->gso_type != KNIT_GSO_NONE)
		return l4 ? request_gso(d, &h, m) : -EINVAL;
	if (l4 && h.l3_fits)
		knit_headers_request(&h, m);
	else
		knit_csum_complete(m, d->csum_start, d->csum_offset);
	return 0;
}

/* KNIT_FEAT_* without which the kernel would not know of all that m asks for. */
static uint32_t features_for(uint64_t ol)
{
	uint32_t need = 0;

	if (ol & (RTE_MBUF_F_TX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED))
		need |= KNIT_FEAT_VLAN;
	if (ol & (RTE_MBUF_F_TX_L4_MASK | KNIT_OFFLOAD_SEG))
		need |= KNIT_FEAT_CSUM;
	if (ol & RTE_MBUF_F_TX_TCP_SEG)
		need |= KNIT_FEAT_TSO;
	if (ol & RTE_MBUF_F_TX_UDP_SEG)
		need |= KNIT_FEAT_USO;
	return need;
}

static bool ip_checksum_stands(const struct rte_mbuf *m)
{
	return m->l2_len + m->l3_len <= m->data_len &&
	       knit_sum_fold(knit_sum(rte_pktmbuf_mtod_offset(m, void *, m->l2_len), m->l3_len)) ==
		       0xffff;
}

bool knit_offload_fits_slow(const struct rte_mbuf *m, uint32_t features)
{
	uint64_t ol = m->ol_flags;

	if (ol & KNIT_OFFLOAD_UNSUPPORTED ||
	    (ol & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_SCTP_CKSUM)
		return false;
	if (features_for(ol) & ~features || knit_offload_rx_partial(m))
		return false;
	if (ol & KNIT_OFFLOAD_SEG && m->l2_len + m->l3_len + m->l4_len > UINT8_MAX)
		return false;
	if (m->pkt_len > KNIT_FRAME_MAX && !(features & KNIT_FEAT_BIG_TCP))
		return false;
	/* Descriptors have no word for it; the kernel's own frames carry it anyway. */
	return !(ol & RTE_MBUF_F_TX_IP_CKSUM) || ip_checksum_stands(m);
}

static void gso_to_desc(const struct rte_mbuf *m, struct knit_desc *d)
{
	d->gso_size = m->tso_segsz;
	d->hdr_len = (uint8_t)(m->l2_len + m->l3_len + m->l4_len);
	if (m->ol_flags & RTE_MBUF_F_TX_UDP_SEG) {
		d->gso_type = KNIT_GSO_UDP_L4;
		return;
	}
	d->gso_type = m->ol_flags & RTE_MBUF_F_TX_IPV6 ? KNIT_GSO_TCPV6 : KNIT_GSO_TCPV4;
	if (knit_tcp_cwr(m))
		d->gso_type |= KNIT_GSO_ECN;
}

void knit_offload_to_desc_slow(const struct rte_mbuf *m, uint32_t features, struct knit_desc *d)
{
	uint64_t ol = m->ol_flags, l4 = ol & (RTE_MBUF_F_TX_L4_MASK | KNIT_OFFLOAD_SEG);

	if (ol & (RTE_MBUF_F_TX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED) && features & KNIT_FEAT_VLAN) {
		d->flags |= KNIT_DESC_VLAN;
		d->vlan_tci = m->vlan_tci;
	}
	if (!l4 || features_for(l4) & ~features || l4 == RTE_MBUF_F_TX_SCTP_CKSUM)
		return;
	d->flags &= (uint16_t) ~(KNIT_DESC_HASH | KNIT_DESC_CSUM_GOOD);
	d->flags |= KNIT_DESC_CSUM_PARTIAL;
	d->csum_start = m->l2_len + m->l3_len;
	d->csum_offset = knit_csum_offset(ol);
	if (l4 & KNIT_OFFLOAD_SEG)
		gso_to_desc(m, d);
}

uint64_t knit_offload_iface_capa(uint32_t features)
{
	uint64_t capa =
		RTE_ETH_TX_OFFLOAD_MULTI_SEGS | KNIT_OFFLOAD_IPV6_EXT | KNIT_OFFLOAD_TSO_ECN;

	if (features & KNIT_FEAT_CSUM)
		capa |= RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
	if (features & KNIT_FEAT_TSO)
		capa |= RTE_ETH_TX_OFFLOAD_TCP_TSO;
	if (features & KNIT_FEAT_BIG_TCP)
		capa |= KNIT_OFFLOAD_BIG_TCP;
	if (features & KNIT_FEAT_USO)
		capa |= RTE_ETH_TX_OFFLOAD_UDP_TSO;
	if (features & KNIT_FEAT_VLAN)
		capa |= RTE_ETH_TX_OFFLOAD_VLAN_INSERT;
	return capa;
}
