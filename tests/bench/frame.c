// SPDX-License-Identifier: BSD-3-Clause
#include "frame.h"

#include "kni/base/compat.h"

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <netinet/in.h>
#include <string.h>

#define SRC_PORT 20000

static void zero_payload(struct rte_mempool *pool, void *opaque, void *obj, unsigned int idx)
{
	struct rte_mbuf *m = obj;

	memset((char *)m->buf_addr + RTE_PKTMBUF_HEADROOM, 0, m->buf_len - RTE_PKTMBUF_HEADROOM);
}

/* The payload is zero, so the header alone makes the checksum. */
static uint16_t udp_checksum(const struct frame_hdr *h)
{
	uint32_t sum = rte_ipv4_phdr_cksum(&h->ip, 0);
	uint16_t inv;

	sum += rte_raw_cksum(&h->udp, sizeof(h->udp));
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	inv = ~sum;
	return inv ? inv : 0xffff;
}

static void fill_header(struct frame_hdr *h, const struct frame_dst *dst, uint16_t flow,
			const struct frame_set *set)
{
	struct rte_ether_addr *addr = (struct rte_ether_addr *)&h->eth; /* to, from */
	uint16_t ip_len = set->size - RTE_ETHER_HDR_LEN;

	memset(h, 0, sizeof(*h));
	addr[0] = dst->mac;
	addr[1] = (struct rte_ether_addr){ { 0x02, 0, 0, 0, 0, 0x99 } };
	h->eth.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	h->ip.version_ihl = RTE_IPV4_VHL_DEF;
	h->ip.total_length = rte_cpu_to_be_16(ip_len);
	h->ip.time_to_live = 64;
	h->ip.next_proto_id = IPPROTO_UDP;
	h->ip.src_addr = rte_cpu_to_be_32(RTE_IPV4(10, 9, 0, 99));
	h->ip.dst_addr = dst->ip;
	h->ip.hdr_checksum = rte_ipv4_cksum(&h->ip);
	h->udp.src_port = rte_cpu_to_be_16(SRC_PORT + flow);
	h->udp.dst_port = rte_cpu_to_be_16(dst->port);
	h->udp.dgram_len = rte_cpu_to_be_16(ip_len - sizeof(h->ip));
	h->udp.dgram_cksum = set->partial ? rte_ipv4_phdr_cksum(&h->ip, RTE_MBUF_F_TX_UDP_CKSUM)
					  : udp_checksum(h);
}

void frame_prepare(struct frame_set *set, const struct frame_dst *dst, struct rte_mempool *pool)
{
	uint16_t i;

	rte_mempool_obj_iter(pool, zero_payload, NULL);
	for (i = 0; i < set->n_flows; i++)
		fill_header(&set->hdr[i], dst, i, set);
	set->next = 0;
}

void frame_fill(struct frame_set *set, struct rte_mbuf *m)
{
	memcpy(rte_pktmbuf_mtod(m, void *), &set->hdr[set->next], sizeof(set->hdr[0]));
	m->data_len = set->size;
	m->pkt_len = set->size;
	if (set->partial) {
		m->ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_UDP_CKSUM;
		m->l2_len = sizeof(struct rte_ether_hdr);
		m->l3_len = sizeof(struct rte_ipv4_hdr);
	} else {
		m->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	}
	if (++set->next == set->n_flows)
		set->next = 0;
}
