/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KNI_HEADERS_H
#define KNI_HEADERS_H

#include "abi/knit_types.h"

/* Headers of Ethernet, IP, TCP and UDP: their numbers. Pure: also compiled in user space. */
#define TYPE_IP4 0x0800
#define TYPE_IP6 0x86dd
#define TYPE_VLAN 0x8100
#define TYPE_QINQ 0x88a8
#define PROTO_HOP 0
#define PROTO_TCP 6
#define PROTO_UDP 17
#define PROTO_ROUTING 43
#define PROTO_DST 60
#define IP4_HLEN 20
#define IP6_HLEN 40
#define TCP_HLEN 20
#define UDP_HLEN 8

/* Two bytes in network order, aligned or not. */
static inline __u16 kni_be16(const __u8 *p)
{
	return (__u16)(p[0] << 8 | p[1]);
}

#endif
