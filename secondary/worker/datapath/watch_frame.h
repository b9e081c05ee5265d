/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_WORKER_DATAPATH_WATCH_FRAME_H
#define KNIT_WORKER_DATAPATH_WATCH_FRAME_H

#include <rte_mbuf.h>

#include <stdint.h>

/* A frame as it is on the wire, a VLAN tag that the device took off or will insert in its place. */
struct knit_watch_frame {
	const uint8_t *data;
	uint32_t captured; /* bytes of data */
	uint32_t len;	   /* of the frame */
};

/*
 * At least the first most bytes of m in one piece: where they are, or a copy in flat, which has
 * room for most bytes. most is at least the length of an Ethernet header.
 */
struct knit_watch_frame knit_watch_flatten(const struct rte_mbuf *m, uint8_t *flat, uint32_t most);

#endif
