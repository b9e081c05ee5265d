/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
#ifndef KNIT_DESC_H
#define KNIT_DESC_H

#include "knit_types.h"

/*
 * One descriptor is one contiguous piece of a frame, or one empty buffer. It tells the other side
 * all it needs, so that neither the kernel nor the tap engine ever reads an rte_mbuf.
 *
 * The four queues of a pair carry the same descriptor and use it so (names as the net_device sees):
 *
 *   queue     from -> to         addr, len                        other fields
 *   rx_q      user -> engine     a segment of a frame             all; offload fields in the first
 *   free_q    engine -> user     zero                             cookie: as it came in rx_q
 *   alloc_q   user -> engine     an empty buffer and its room     cookie
 *   tx_q      engine -> user     where in that buffer the         all; cookie: as it came
 *                                segment starts, and its bytes    in alloc_q
 *
 * A frame is a chain of 1..KNIT_DESC_MAX_SEGS consecutive descriptors, all but the last marked
 * KNIT_DESC_MORE. The offload fields of the first descriptor speak for the whole frame; in the
 * others they are zero. All but the first may be empty, as segments of mbufs may: an engine does
 * not look at the address of such a one and returns its cookie like any other. Numbers are in host
 * byte order.
 *
 * A cookie belongs to the user side: an index into the table in which it remembers the buffer. An
 * engine returns each cookie exactly once and otherwise ignores it; the user side takes only
 * cookies that are in range and in use, so a wrong or repeated one costs a counter and nothing
 * else.
 */
struct knit_desc {
	__u64 addr;	/* user virtual address of the first byte */
	__u32 len;	/* bytes; 1..KNIT_DESC_MAX_LEN, or 0 in a frame's further segments */
	__u32 cookie;	/* index into the user side's table */
	__u16 flags;	/* KNIT_DESC_* */
	__u16 vlan_tci; /* if KNIT_DESC_VLAN: a tag (PCP, DEI, id) that is not in the data */
	__u16 gso_size; /* if gso_type: bytes of payload per segment */
	__u8 gso_type;	/* KNIT_GSO_* */
	__u8 hdr_len;	/* if gso_type: bytes before the payload (Ethernet, IP and L4 headers) */
	union {
		struct {
			__u16 csum_start;  /* if KNIT_DESC_CSUM_PARTIAL: first byte to sum */
			__u16 csum_offset; /* and where, counted from there, the sum goes */
		};
		__u32 hash; /* if KNIT_DESC_HASH: RSS hash of the flow */
	};
	__u32 reserved; /* must be zero */
};

/* flags. CSUM_PARTIAL and HASH exclude each other: they share room. */
#define KNIT_DESC_MORE 0x0001	      /* the frame goes on in the next descriptor */
#define KNIT_DESC_CSUM_GOOD 0x0002    /* the L4 checksum was verified */
#define KNIT_DESC_CSUM_PARTIAL 0x0004 /* holds the pseudo header's sum: to be completed */
#define KNIT_DESC_VLAN 0x0008	      /* vlan_tci is valid */
#define KNIT_DESC_HASH 0x0010	      /* hash is valid */
#define KNIT_DESC_FLAGS 0x001f

/*
 * gso_type: the frame is to be cut into frames of gso_size bytes of payload each. Needs
 * CSUM_PARTIAL.
 */
#define KNIT_GSO_NONE 0
#define KNIT_GSO_TCPV4 1
#define KNIT_GSO_TCPV6 2
#define KNIT_GSO_UDP_L4 3
#define KNIT_GSO_TYPE 0x7f
#define KNIT_GSO_ECN 0x80 /* or-ed to a TCP type: the first segment alone carries CWR */

#define KNIT_ETH_HLEN 14
/*
 * Longest frame on either way: what Linux hands to a device with TSO (GSO_LEGACY_MAX_SIZE, 65536)
 * plus Ethernet header and two tags. With KNIT_FEAT_BIG_TCP, TCP that is to be cut may be longer:
 * KNIT_BIG_FRAME_MAX. What is longer than KNIT_FRAME_MAX has 0 as its length in the IP header.
 */
#define KNIT_FRAME_MAX (KNIT_GSO_MAX_BYTES + KNIT_ETH_HLEN + 8)
#define KNIT_GSO_MAX_BYTES 65536
#define KNIT_BIG_FRAME_MAX (KNIT_BIG_GSO_MAX_BYTES + KNIT_ETH_HLEN + 8)
#define KNIT_BIG_GSO_MAX_BYTES 196608
/*
 * Segments that a frame is to be cut into, at most. Cut at Linux's least TCP payload that makes
 * sense (536) it gives 123.
 */
#define KNIT_GSO_MAX_SEGS 256
/* Longest single buffer. mbufs address 16 bits of data. */
#define KNIT_DESC_MAX_LEN 65535
/* KNIT_FRAME_MAX in buffers of 1 KiB, the smallest data room that knit accepts. */
#define KNIT_DESC_MAX_SEGS 65
/* The smallest buffers in which KNIT_BIG_FRAME_MAX is as many. */
#define KNIT_BIG_BUFFER_MIN ((KNIT_BIG_FRAME_MAX + KNIT_DESC_MAX_SEGS - 1) / KNIT_DESC_MAX_SEGS)

KNIT_ASSERT_SIZE(struct knit_desc, 32);
KNIT_ASSERT_OFFSET(struct knit_desc, addr, 0);
KNIT_ASSERT_OFFSET(struct knit_desc, len, 8);
KNIT_ASSERT_OFFSET(struct knit_desc, cookie, 12);
KNIT_ASSERT_OFFSET(struct knit_desc, flags, 16);
KNIT_ASSERT_OFFSET(struct knit_desc, vlan_tci, 18);
KNIT_ASSERT_OFFSET(struct knit_desc, gso_size, 20);
KNIT_ASSERT_OFFSET(struct knit_desc, gso_type, 22);
KNIT_ASSERT_OFFSET(struct knit_desc, hdr_len, 23);
KNIT_ASSERT_OFFSET(struct knit_desc, csum_start, 24);
KNIT_ASSERT_OFFSET(struct knit_desc, csum_offset, 26);
KNIT_ASSERT_OFFSET(struct knit_desc, hash, 24);
KNIT_ASSERT_OFFSET(struct knit_desc, reserved, 28);

/* How a descriptor is read that the other side wrote: a private copy, each word read once. */
static inline void knit_desc_load(struct knit_desc *dst, const struct knit_desc *src)
{
	knit_load_words(dst, src);
}

/* Why an engine refuses what it found in rx_q or alloc_q. One counter each. */
#define KNIT_REJECT_TABLE(X)                                                                      \
	X(BAD_INDEX, bad_index, "producer or consumer index moved by more than the ring holds")   \
	X(BAD_FLAGS, bad_flags, "unknown or contradicting flags, or reserved field not zero")     \
	X(BAD_LEN, bad_len,                                                                       \
	  "first segment empty, or segment too long, or frame shorter than a header or too long") \
	X(BAD_ADDR, bad_addr, "address outside the registered memory")                            \
	X(BAD_CHAIN, bad_chain, "chain too long, or its end was never submitted")                 \
	X(BAD_CSUM, bad_csum, "checksum position outside the frame")                              \
	X(BAD_GSO, bad_gso, "unknown segmentation type, or size or header length impossible")

enum knit_reject {
	KNIT_REJECT_NONE,
#define X(id, name, text) KNIT_REJECT_##id,
	KNIT_REJECT_TABLE(X)
#undef X
	KNIT_REJECT_COUNT,
};

/* One segment, taken by itself. d is a private copy; first: of its frame. */
static inline enum knit_reject knit_desc_check_seg(const struct knit_desc *d, bool first)
{
	if (d->flags & ~KNIT_DESC_FLAGS || d->reserved)
		return KNIT_REJECT_BAD_FLAGS;
	if ((d->len == 0 && first) || d->len > KNIT_DESC_MAX_LEN)
		return KNIT_REJECT_BAD_LEN;
	return KNIT_REJECT_NONE;
}

static inline enum knit_reject knit_desc_check_gso(const struct knit_desc *d, __u32 frame_len)
{
	__u8 type = d->gso_type & KNIT_GSO_TYPE;

	if (d->gso_type == KNIT_GSO_NONE)
		return KNIT_REJECT_NONE;
	if (type == KNIT_GSO_NONE || type > KNIT_GSO_UDP_L4)
		return KNIT_REJECT_BAD_GSO;
	if (d->gso_type & KNIT_GSO_ECN && type == KNIT_GSO_UDP_L4)
		return KNIT_REJECT_BAD_GSO;
	if (d->gso_size == 0 || d->hdr_len < KNIT_ETH_HLEN || d->hdr_len > frame_len)
		return KNIT_REJECT_BAD_GSO;
	if (!(d->flags & KNIT_DESC_CSUM_PARTIAL) || d->csum_start >= d->hdr_len)
		return KNIT_REJECT_BAD_GSO;
	return KNIT_REJECT_NONE;
}

/* Longest frame that this descriptor may be the first of, on an interface with all features. */
static inline __u32 knit_desc_longest(const struct knit_desc *first)
{
	__u8 type = first->gso_type & KNIT_GSO_TYPE;

	return type == KNIT_GSO_TCPV4 || type == KNIT_GSO_TCPV6 ? KNIT_BIG_FRAME_MAX
								: KNIT_FRAME_MAX;
}

/*
 * A whole frame: first is a private copy of its first descriptor, frame_len the sum of the lengths
 * of all of them (each passed knit_desc_check_seg). Addresses are the engine's to check, and what
 * the interface's features allow.
 */
static inline enum knit_reject knit_desc_check_frame(const struct knit_desc *first, __u32 frame_len)
{
	if (frame_len < KNIT_ETH_HLEN || frame_len > knit_desc_longest(first))
		return KNIT_REJECT_BAD_LEN;
	if (first->flags & KNIT_DESC_CSUM_PARTIAL && first->flags & KNIT_DESC_HASH)
		return KNIT_REJECT_BAD_FLAGS;
	if (first->flags & KNIT_DESC_CSUM_PARTIAL &&
	    (first->csum_start < KNIT_ETH_HLEN ||
	     (__u32)first->csum_start + first->csum_offset + 2 > frame_len))
		return KNIT_REJECT_BAD_CSUM;
	return knit_desc_check_gso(first, frame_len);
}

#endif
