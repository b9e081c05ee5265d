/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KNI_FLOW_H
#define KNI_FLOW_H

#include "abi/knit_types.h"

/*
 * Which UDP datagrams may pass the stack together: those of one flow that follow each other, all of
 * one size but the last one, which may be shorter, with headers that differ in nothing but lengths,
 * checksums and IPv4's identification. Pure: also compiled in user space, for its tests. Works on
 * private memory only.
 *
 * Where the stack takes them apart again it counts the identification up from the first one's. So
 * they must count up, unless it means nothing: with DF, or if all have the same one.
 */
struct kni_flow {
	const __u8 *hdr; /* the frame */
	__u16 hdr_len;	 /* bytes before the payload */
	__u16 payload;	 /* padding of short frames is not part of it */
	__u16 id;
	bool ip4;
	bool df; /* or IPv6 */
	__u32 hash;
};

struct kni_row {
	struct kni_flow first;
	__u32 payload; /* of all */
	__u16 n;
	bool closed; /* the last one was shorter */
};

enum kni_flow_kind {
	KNI_FLOW_OTHER,	  /* not UDP: rows may go on behind it */
	KNI_FLOW_UNKNOWN, /* may be of any UDP flow: nothing behind it may overtake it */
	KNI_FLOW_DATAGRAM,
};

/*
 * len bytes of a frame, from Ethernet's header on. Fills in all of *flow for a DATAGRAM. The
 * checksum of IPv4's header is verified, that of UDP is not; a datagram without one is UNKNOWN, and
 * so is one to a group.
 */
enum kni_flow_kind kni_flow_parse(struct kni_flow *flow, const __u8 *hdr, __u32 len);

void kni_row_start(struct kni_row *row, const struct kni_flow *flow);
/* True: it goes on where the row ends, and the row counts it. */
bool kni_row_add(struct kni_row *row, const struct kni_flow *flow);

#endif
