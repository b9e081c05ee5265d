// SPDX-License-Identifier: BSD-3-Clause
#include "hostile.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <string.h>

#define PORT 7 /* nobody listens */

/* A frame while it is made. */
struct draft {
	struct dice *dice;
	const struct target *target;
	uint8_t *data;
	struct knit_desc *desc;
	uint32_t at; /* end of what is written */
	uint32_t len;
};

void mac_of(uint8_t *mac, uint8_t number, uint8_t host)
{
	const uint8_t full[6] = { 0x02, 0, 0x0a, 0x42, number, host };

	memcpy(mac, full, sizeof(full));
}

static void put(struct draft *f, const void *bytes, uint32_t n)
{
	memcpy(f->data + f->at, bytes, n);
	f->at += n;
}

static void put_type(struct draft *f, uint16_t type)
{
	const uint16_t be = htons(type);

	put(f, &be, sizeof(be));
}

static uint16_t sum_of(const void *bytes, uint32_t n)
{
	const uint8_t *p = bytes;
	uint32_t sum = 0, i;

	for (i = 0; i < n; i += 2)
		sum += p[i] << 8 | p[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	return htons(~((sum & 0xffff) + (sum >> 16)));
}

static void ethernet(struct draft *f)
{
	static const uint32_t depths[] = { 0, 0, 0, 0, 1, 2, 3, 8, 40 };
	uint32_t tags = PICK(f->dice, depths);
	uint8_t macs[12];

	mac_of(macs, f->target->number, 1);
	mac_of(macs + 6, f->target->number, 2);
	if (one_in(f->dice, 8))
		memset(macs, 0xff, 6);
	put(f, macs, sizeof(macs));
	for (; tags; tags--) {
		put_type(f, one_in(f->dice, 2) ? ETH_P_8021Q : ETH_P_8021AD);
		put_type(f, below(f->dice, 0x10000));
	}
	if (one_in(f->dice, 4)) {
		f->desc->flags |= KNIT_DESC_VLAN;
		f->desc->vlan_tci = below(f->dice, 0x10000);
	}
}

/* All lengths up to the longest are likely, and so are the short ones. */
static uint32_t payload(struct draft *f, uint32_t headers)
{
	uint32_t most = 65535 - headers;

	return below(f->dice, (1u << below(f->dice, 17)) + 1) % most;
}

static void ipv4(struct draft *f, uint8_t protocol, uint32_t l4)
{
	/* to itself, to its neighbour's neighbour (forwarded), to nobody */
	const uint8_t number = f->target->number;
	const uint32_t to[] = { ADDRESS(number, 1), ADDRESS(number, 1),
				ADDRESS((number + 1) % TARGETS, 2), (uint32_t)roll(f->dice) };
	struct iphdr ip = { .ihl = 5, .version = 4, .ttl = 64, .protocol = protocol };

	put_type(f, ETH_P_IP);
	if (sizeof(ip) + l4 <= 65535 || one_in(f->dice, 10))
		ip.tot_len = htons(sizeof(ip) + l4);
	ip.id = htons(below(f->dice, 0x10000));
	ip.frag_off = htons(one_in(f->dice, 10) ? below(f->dice, 0x10000) : 0);
	ip.saddr = htonl(ADDRESS(number, 2));
	ip.daddr = htonl(PICK(f->dice, to));
	ip.check = sum_of(&ip, sizeof(ip));
	put(f, &ip, sizeof(ip));
}

/* How long an IPv6 packet is whose header can't say it; or not. */
static void jumbo_option(struct draft *f, uint8_t protocol, uint32_t len)
{
	uint8_t option[8] = { protocol, 0, 0xc2, 4 };
	uint32_t be;

	if (one_in(f->dice, 6))
		len = edge(f->dice);
	be = htonl(len);
	memcpy(option + 4, &be, sizeof(be));
	if (one_in(f->dice, 10))
		option[below(f->dice, 4)] = roll(f->dice);
	put(f, option, sizeof(option));
}

static void ipv6(struct draft *f, uint8_t protocol, uint32_t l4)
{
	const uint8_t number = f->target->number;
	struct ipv6hdr ip = { .version = 6, .hop_limit = 64, .nexthdr = protocol };
	bool jumbo = l4 > 65535 && one_in(f->dice, 2);

	put_type(f, ETH_P_IPV6);
	if (l4 <= 65535 || one_in(f->dice, 10))
		ip.payload_len = htons(l4);
	if (jumbo)
		ip.nexthdr = IPPROTO_HOPOPTS;
	ip.saddr.s6_addr[0] = 0xfd;
	ip.daddr.s6_addr[0] = one_in(f->dice, 3) ? 0xff : 0xfd;
	ip.daddr.s6_addr[1] = ip.daddr.s6_addr[0] == 0xff ? 2 : 0;
	ip.saddr.s6_addr[14] = ip.daddr.s6_addr[14] = number;
	ip.saddr.s6_addr[15] = 2;
	ip.daddr.s6_addr[15] = 1;
	put(f, &ip, sizeof(ip));
	if (jumbo)
		jumbo_option(f, protocol, l4 + 8);
}

static void partial(struct draft *f, uint32_t l4, uint32_t offset)
{
	f->desc->flags |= KNIT_DESC_CSUM_PARTIAL;
	f->desc->csum_start = l4;
	f->desc->csum_offset = offset;
}

static void to_be_cut(struct draft *f, uint8_t type, uint32_t more)
{
	static const uint16_t sizes[] = { 256, 536, 1000, 1448, 9000, 60000 };

	f->desc->gso_type = type;
	f->desc->gso_size = PICK(f->dice, sizes);
	f->desc->hdr_len = f->at;
	if (more && type != KNIT_GSO_UDP_L4 && one_in(f->dice, 4))
		f->desc->gso_type |= KNIT_GSO_ECN;
}

static void udp(struct draft *f, bool v6)
{
	uint32_t n = payload(f, 100), start;
	struct udphdr h = {
		.source = htons(1024 + below(f->dice, 8)),
		.dest = htons(PORT),
		.len = htons(sizeof(h) + n),
	};

	v6 ? ipv6(f, IPPROTO_UDP, sizeof(h) + n) : ipv4(f, IPPROTO_UDP, sizeof(h) + n);
	start = f->at;
	put(f, &h, sizeof(h));
	if (one_in(f->dice, 2))
		partial(f, start, offsetof(struct udphdr, check));
	if (f->desc->flags & KNIT_DESC_CSUM_PARTIAL && one_in(f->dice, 2))
		to_be_cut(f, KNIT_GSO_UDP_L4, n);
	f->len = f->at + n;
}

static void tcp(struct draft *f, bool v6)
{
	bool big = one_in(f->dice, 6);
	uint32_t n = big ? below(f->dice, KNIT_BIG_FRAME_MAX) : payload(f, 100), start;
	struct tcphdr h = {
		.source = htons(1024 + below(f->dice, 8)),
		.dest = htons(PORT),
		.seq = htonl(roll(f->dice)),
		.doff = 5,
		.ack = 1,
		.window = 0xffff,
	};

	v6 ? ipv6(f, IPPROTO_TCP, sizeof(h) + n) : ipv4(f, IPPROTO_TCP, sizeof(h) + n);
	start = f->at;
	put(f, &h, sizeof(h));
	if (big || one_in(f->dice, 2))
		partial(f, start, offsetof(struct tcphdr, check));
	else if (one_in(f->dice, 2))
		f->desc->flags |= KNIT_DESC_CSUM_GOOD; /* a lie */
	if (f->desc->flags & KNIT_DESC_CSUM_PARTIAL && (big || one_in(f->dice, 2)))
		to_be_cut(f, v6 ? KNIT_GSO_TCPV6 : KNIT_GSO_TCPV4, n);
	f->len = f->at + n;
}

/* A header and nothing behind it, or anything. */
static void odd(struct draft *f)
{
	static const uint16_t types[] = { ETH_P_ARP,	 ETH_P_IP, ETH_P_IPV6, ETH_P_8021Q,
					  ETH_P_LOOP,	 0x88b5,   ETH_P_TEB,  ETH_P_PAE,
					  ETH_P_MPLS_UC, 0,	   5,	       ETH_P_LLDP,
					  0x88a8,	 0x86dd };

	put_type(f, PICK(f->dice, types));
	f->len = f->at + (one_in(f->dice, 3) ? 0 : payload(f, 400));
}

uint32_t frame_make(struct dice *d, const struct target *t, uint8_t *data, struct knit_desc *desc)
{
	struct draft f = { .dice = d, .target = t, .data = data, .desc = desc };
	uint32_t kind = below(d, 9);

	memset(desc, 0, sizeof(*desc));
	ethernet(&f);
	if (kind < 4)
		udp(&f, kind == 3);
	else if (kind < 8)
		tcp(&f, kind == 7);
	else
		odd(&f);
	if (!(desc->flags & KNIT_DESC_CSUM_PARTIAL) && one_in(d, 3)) {
		desc->flags |= KNIT_DESC_HASH;
		desc->hash = roll(d);
	}
	return f.len;
}
