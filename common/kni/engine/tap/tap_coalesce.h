/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_TAP_COALESCE_H
#define KNIT_TAP_COALESCE_H

#include "vnet.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

/*
 * Frames of one TCP or UDP flow that follow each other can enter the kernel as one large frame,
 * which it treats as if a NIC had merged them (TCP) or as a sender's segmentation offload (UDP).
 * Only headers are written anew; the payload stays where it is. Pure logic on frames that somebody
 * else validated.
 *
 * The frames' memory may be written by others at any time: lengths are read once, checked, and
 * only the checked copies are used.
 */
struct knit_tap_frame {
	struct knit_desc desc;	     /* private copy of the first descriptor: its offload fields */
	const struct iovec *seg;     /* the segments, n_segs of them; not empty */
	struct knit_tap_frame *next; /* in a merge */
	uint32_t len;		     /* of all segments */
	uint16_t n_segs;
	uint16_t hdr_len; /* bytes before the payload; set by knit_tap_parse */
	uint32_t payload; /* bytes of payload, padding excluded; likewise */
};

enum knit_tap_proto {
	KNIT_TAP_UDP4,
	KNIT_TAP_UDP6,
	KNIT_TAP_TCP4,
	KNIT_TAP_TCP6,
};

#define KNIT_TAP_HDR_MAX 128 /* Ethernet, two tags, IPv6, TCP with all options: 122 */
#define KNIT_TAP_MERGE_FRAMES 64
#define KNIT_TAP_MERGE_IOV 256
#define KNIT_TAP_MERGE_BYTES 65535 /* of IP packet */

/* What knit_tap_parse found in a frame. */
struct knit_tap_flow {
	uint8_t proto; /* enum knit_tap_proto */
	uint8_t l3_off;
	uint8_t l4_off;
	uint8_t tcp_flags;
	uint16_t ip_id;
	bool ip_df;
	uint32_t seq;
	uint32_t hash; /* of addresses and ports */
	uint8_t hdr[KNIT_TAP_HDR_MAX];
};

/* A row of frames that become one. */
struct knit_tap_merge {
	struct knit_tap_frame *first;
	struct knit_tap_frame *last;
	struct knit_tap_flow flow; /* of first */
	uint32_t payload;	   /* of all */
	uint32_t n_iov;
	uint16_t n;
	bool closed; /* takes no more: had a short frame or PSH */
	bool push;
	bool verified; /* first's checksums are known to be good */
	uint16_t next_id;
};

/* False: the frame can't be part of a merge; nothing of its flow may then overtake it. */
bool knit_tap_parse(struct knit_tap_frame *f, struct knit_tap_flow *flow);

void knit_tap_merge_start(struct knit_tap_merge *m, struct knit_tap_frame *f,
			  const struct knit_tap_flow *flow);

/* Same addresses and ports: order between this frame and the row matters. */
bool knit_tap_merge_same(const struct knit_tap_merge *m, const struct knit_tap_flow *flow);

/*
 * Adds f if it goes on where the row ends, with equal headers and good checksums. On a false
 * return the row is as before, and must be sent before f.
 */
bool knit_tap_merge_add(struct knit_tap_merge *m, struct knit_tap_frame *f,
			const struct knit_tap_flow *flow);

/*
 * A row of two or more as one frame: iov[0] the tap header vh, iov[1] the headers in hdr, then the
 * payloads. A tag in the descriptor goes into hdr. hdr has room for KNIT_TAP_HDR_MAX, iov for
 * n_iov + 2. Returns the entries of iov.
 */
uint32_t knit_tap_merge_build(const struct knit_tap_merge *m, struct virtio_net_hdr *vh,
			      uint8_t *hdr, struct iovec *iov);

#endif
