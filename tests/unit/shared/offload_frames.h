/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_OFFLOAD_FRAMES_H
#define KNIT_OFFLOAD_FRAMES_H

#include "kni/offload/offload.h"
#include "unit.h"

#include <rte_mempool.h>

/* All frames come from here and go back: every test ends with pool_is_full. */
extern struct rte_mempool *pool;  /* 2048 bytes of data, 1024 mbufs */
extern struct rte_mempool *small; /* 1024 bytes of data, 128 mbufs */
void pool_is_full(void);

/* Once EAL runs, and before the tests: makes the pools. A second call does nothing. */
void frames_make_pools(void);

/* A frame as Linux would send it with a partial checksum. Payload byte i is payload_byte(i). */
struct frame {
	int version; /* 4 or 6 */
	int proto;   /* IPPROTO_TCP or UDP */
	int tags;    /* in the data */
	int ext; /* IPv6: 1 destination options, 2 also a routing header with another destination */
	int options; /* bytes of TCP options */
	uint32_t payload;
	uint32_t seg;	/* bytes per further segment, 0: as many as fit */
	uint32_t first; /* bytes of the first segment beyond the headers, if seg */
	uint8_t tcp_flags;
	bool jumbo; /* IPv6: its length in a hop-by-hop option. IPv4 says 0 if it is too long */
};

struct rte_mbuf *frame_make(const struct frame *f);
uint32_t frame_l2(const struct frame *f);
uint32_t frame_l3(const struct frame *f);
uint32_t frame_l4(const struct frame *f);
uint32_t frame_hdr(const struct frame *f);
uint8_t payload_byte(uint32_t i);

/* The descriptor an engine makes of it. gso_size 0: not to be cut. */
struct knit_desc frame_desc(const struct frame *f, uint32_t gso_size);

/* The chain as one piece; static memory, overwritten by the next call. */
uint8_t *flat(const struct rte_mbuf *m);

/*
 * Asserts on one frame as it is to be on the wire: lengths, IP and L4 checksums, payload from byte
 * at.
 */
void frame_verify(const struct frame *f, const struct rte_mbuf *m, uint32_t at, uint32_t payload);

/* A slow sum, word by word, to hold others against. */
uint16_t slow_sum(const uint8_t *p, uint32_t len, uint32_t start);

#endif
