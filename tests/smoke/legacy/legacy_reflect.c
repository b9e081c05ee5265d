// SPDX-License-Identifier: BSD-3-Clause
#include "legacy_app.h"

#include <rte_arp.h>
#include <rte_icmp.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_udp.h>

#ifndef RTE_MBUF_F_INDIRECT
#define RTE_MBUF_F_INDIRECT IND_ATTACHED_MBUF
#endif

/* ICMP's types and the members of an Ethernet header have other names in other releases of DPDK. */
#define ECHO_REPLY 0
#define ECHO_REQUEST 8

/* Who answers for every address behind the interface */
static const struct rte_ether_addr own_mac = { .addr_bytes = { 2, 0x4b, 0x4e, 0x49, 0, 1 } };

static bool reflect_arp(struct rte_mbuf *m, struct rte_ether_hdr *eth)
{
	struct rte_arp_hdr *arp = (struct rte_arp_hdr *)(eth + 1);
	uint32_t ip;

	if (m->data_len < sizeof(*eth) + sizeof(*arp) ||
	    arp->arp_opcode != rte_cpu_to_be_16(RTE_ARP_OP_REQUEST) ||
	    arp->arp_data.arp_sip == arp->arp_data.arp_tip)
		return false;
	ip = arp->arp_data.arp_tip;
	arp->arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REPLY);
	arp->arp_data.arp_tha = arp->arp_data.arp_sha;
	arp->arp_data.arp_tip = arp->arp_data.arp_sip;
	arp->arp_data.arp_sha = own_mac;
	arp->arp_data.arp_sip = ip;
	return true;
}

static bool reflect_icmp(struct rte_icmp_hdr *icmp)
{
	uint32_t sum;

	if (icmp->icmp_type != ECHO_REQUEST)
		return false;
	icmp->icmp_type = ECHO_REPLY;
	/* the type's word became smaller by 0x0800, so the sum's complement grows by it */
	sum = rte_be_to_cpu_16(icmp->icmp_cksum) + 0x0800;
	icmp->icmp_cksum = rte_cpu_to_be_16((uint16_t)(sum + (sum >> 16)));
	return true;
}

static bool reflect_udp(struct rte_ipv4_hdr *ip, struct knit_reflect_stats *stats)
{
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);
	rte_be16_t port = udp->src_port;

	/* over one that is right, too, the sum has no bit that is not set */
	if (udp->dgram_cksum == 0 || rte_ipv4_udptcp_cksum(ip, udp) != 0xffff) {
		stats->bad_csum++;
		return false;
	}
	udp->src_port = udp->dst_port;
	udp->dst_port = port;
	return true;
}

static bool reflect_ipv4(struct rte_mbuf *m, struct rte_ether_hdr *eth,
			 struct knit_reflect_stats *stats)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
	rte_be32_t addr;
	bool mine;

	if (m->data_len < sizeof(*eth) + sizeof(*ip) + sizeof(struct rte_icmp_hdr) ||
	    ip->version_ihl != RTE_IPV4_VHL_DEF ||
	    rte_be_to_cpu_16(ip->total_length) > m->data_len - sizeof(*eth))
		return false;
	if (ip->next_proto_id == IPPROTO_ICMP)
		mine = reflect_icmp((struct rte_icmp_hdr *)(ip + 1));
	else
		mine = ip->next_proto_id == IPPROTO_UDP && reflect_udp(ip, stats);
	addr = ip->src_addr;
	ip->src_addr = ip->dst_addr;
	ip->dst_addr = addr;
	return mine;
}

static bool reflect(struct rte_mbuf *m, struct knit_reflect_stats *stats)
{
	struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	struct rte_ether_addr *addr = (struct rte_ether_addr *)eth; /* to, from */
	bool mine = false;

	stats->offloads += (m->ol_flags & ~RTE_MBUF_F_INDIRECT) != 0;
	stats->chains += m->nb_segs > 1;
	if (eth->ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP))
		mine = reflect_arp(m, eth);
	else if (eth->ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4))
		mine = reflect_ipv4(m, eth, stats);
	addr[0] = addr[1];
	addr[1] = own_mac;
	return mine;
}

unsigned int knit_reflect(struct rte_mbuf **mbufs, unsigned int n, struct knit_reflect_stats *stats)
{
	unsigned int i, out = 0;

	for (i = 0; i < n; i++) {
		if (reflect(mbufs[i], stats)) {
			stats->reflected++;
			mbufs[out++] = mbufs[i];
		} else {
			stats->other++;
			rte_pktmbuf_free(mbufs[i]);
		}
	}
	return out;
}
