// SPDX-License-Identifier: GPL-2.0
#include "kni_flow.h"
#include "kni_headers.h"

#include <linux/string.h>

/* Where things stand in the frames that are merged. */
#define L3 14

/* First byte of addresses of groups, which may be routed where nothing else is. */
#define IP4_GROUPS 224 /* and above: broadcast */
#define IP6_GROUPS 0xff

#define IP_DF 0x4000
#define IP_LEN_MAX 65535u

/* In memory order. */
static inline __u32 get_raw32(const __u8 *p)
{
	__u32 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline __u64 get_raw64(const __u8 *p)
{
	__u64 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline bool ip4_sum_good(const __u8 *ip)
{
	__u64 sum =
		(__u64)get_raw32(ip) + get_raw32(ip + 4) + get_raw32(ip + 8) + get_raw32(ip + 12);

	sum += get_raw32(ip + 16);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

/* Fragments and options are not merged. *len: of the IP packet. */
static inline enum kni_flow_kind parse_ip4(struct kni_flow *flow, __u32 *len)
{
	const __u8 *ip = flow->hdr + L3;

	if (ip[9] != PROTO_UDP)
		return ip[9] == PROTO_TCP ? KNI_FLOW_OTHER : KNI_FLOW_UNKNOWN;
	if (ip[0] != 0x45 || kni_be16(ip + 6) & ~IP_DF || ip[16] >= IP4_GROUPS || !ip4_sum_good(ip))
		return KNI_FLOW_UNKNOWN;
	*len = kni_be16(ip + 2);
	flow->hdr_len = L3 + IP4_HLEN + UDP_HLEN;
	flow->id = kni_be16(ip + 4);
	flow->ip4 = true;
	flow->df = kni_be16(ip + 6) & IP_DF;
	flow->hash = get_raw32(ip + 12) ^ get_raw32(ip + 16);
	return KNI_FLOW_DATAGRAM;
}

static inline enum kni_flow_kind parse_ip6(struct kni_flow *flow, __u32 have, __u32 *len)
{
	const __u8 *ip = flow->hdr + L3;

	if (have < L3 + IP6_HLEN + UDP_HLEN)
		return KNI_FLOW_UNKNOWN;
	if (ip[6] != PROTO_UDP)
		return ip[6] == PROTO_TCP ? KNI_FLOW_OTHER : KNI_FLOW_UNKNOWN;
	if (ip[0] >> 4 != 6 || ip[24] == IP6_GROUPS)
		return KNI_FLOW_UNKNOWN;
	*len = kni_be16(ip + 4) + IP6_HLEN;
	flow->hdr_len = L3 + IP6_HLEN + UDP_HLEN;
	flow->id = 0;
	flow->ip4 = false;
	flow->df = true;
	flow->hash = get_raw32(ip + 20) ^ get_raw32(ip + 36);
	return KNI_FLOW_DATAGRAM;
}

static inline enum kni_flow_kind parse_udp(struct kni_flow *flow, __u32 end)
{
	const __u8 *udp = flow->hdr + flow->hdr_len - UDP_HLEN;

	if (end <= flow->hdr_len || kni_be16(udp + 4) != end - flow->hdr_len + UDP_HLEN ||
	    kni_be16(udp + 6) == 0)
		return KNI_FLOW_UNKNOWN;
	flow->payload = (__u16)(end - flow->hdr_len);
	flow->hash = (flow->hash ^ get_raw32(udp)) * 0x9e3779b1;
	return KNI_FLOW_DATAGRAM;
}

enum kni_flow_kind kni_flow_parse(struct kni_flow *flow, const __u8 *hdr, __u32 len)
{
	enum kni_flow_kind kind;
	__u32 ip_len = 0;
	__u16 type;

	if (len < L3 + IP4_HLEN + UDP_HLEN)
		return KNI_FLOW_UNKNOWN;
	flow->hdr = hdr;
	type = kni_be16(hdr + 12);
	if (type == TYPE_IP4)
		kind = parse_ip4(flow, &ip_len);
	else if (type == TYPE_IP6)
		kind = parse_ip6(flow, len, &ip_len);
	else
		return type == TYPE_VLAN || type == TYPE_QINQ ? KNI_FLOW_UNKNOWN : KNI_FLOW_OTHER;
	if (kind != KNI_FLOW_DATAGRAM)
		return kind;
	/* what is behind the packet is padding */
	return L3 + ip_len > len ? KNI_FLOW_UNKNOWN : parse_udp(flow, L3 + ip_len);
}

void kni_row_start(struct kni_row *row, const struct kni_flow *flow)
{
	row->first = *flow;
	row->payload = flow->payload;
	row->n = 1;
	row->closed = false;
}

static inline __u64 flow_diff32(const struct kni_flow *a, const struct kni_flow *b, __u32 at)
{
	return get_raw32(a->hdr + at) ^ get_raw32(b->hdr + at);
}

static inline __u64 flow_diff64(const struct kni_flow *a, const struct kni_flow *b, __u32 at)
{
	return get_raw64(a->hdr + at) ^ get_raw64(b->hdr + at);
}

static inline bool same_headers(const struct kni_flow *a, const struct kni_flow *b)
{
	__u64 diff = flow_diff64(a, b, 0) | flow_diff64(a, b, 8) | (a->hdr_len ^ b->hdr_len);
	__u32 at;

	if (a->ip4) /* flags to protocol, addresses, ports */
		return !(diff | flow_diff32(a, b, L3 + 6) | flow_diff64(a, b, L3 + 12) |
			 flow_diff32(a, b, L3 + IP4_HLEN));
	diff |= flow_diff32(a, b, L3) | (a->hdr[L3 + 7] ^ b->hdr[L3 + 7]);
	for (at = L3 + 8; at < L3 + IP6_HLEN; at += 8)
		diff |= flow_diff64(a, b, at);
	return !(diff | flow_diff32(a, b, L3 + IP6_HLEN));
}

static bool id_follows(const struct kni_row *row, const struct kni_flow *flow)
{
	return flow->df || flow->id == row->first.id || flow->id == (__u16)(row->first.id + row->n);
}

bool kni_row_add(struct kni_row *row, const struct kni_flow *flow)
{
	__u32 ip_len = row->first.hdr_len - L3 + row->payload + flow->payload;

	if (row->closed || flow->payload > row->first.payload || ip_len > IP_LEN_MAX ||
	    !same_headers(&row->first, flow) || !id_follows(row, flow))
		return false;
	row->payload += flow->payload;
	row->n++;
	row->closed = flow->payload < row->first.payload;
	return true;
}
