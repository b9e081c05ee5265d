/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
#ifndef KNIT_SHM_H
#define KNIT_SHM_H

#include "knit_desc.h"
#include "knit_req.h"
#include "knit_ring.h"

/*
 * The shared block of one interface: everything that an engine is shown. Its creator chooses the
 * number of pairs and the ring size once and tells the engine in the create call; the engine
 * computes the rest with the functions below and never reads sizes or offsets from the block.
 *
 *   struct knit_shm_hdr | struct knit_iface_state | req_q | resp_q | pair 0 | pair 1 | ...
 *   a pair: rx_q | free_q | alloc_q | tx_q
 *
 * All four queues of all pairs have the same size. In each direction
 * of a pair at most ring_size buffers are with the engine (a cookie each), so free_q and tx_q
 * always have room for what comes back.
 */
#define KNIT_MAGIC 0x74696e6b /* "knit" in memory on little-endian machines */
#define KNIT_ABI_VERSION 2
#define KNIT_MAX_PAIRS 16

/*
 * Smallest ring_size with KNIT_FEAT_SG. All buffers of one frame from the kernel must be on offer
 * at a time, and the user side refills alloc_q in steps of a quarter of it.
 */
#define KNIT_RING_MIN_SG 128
KNIT_ASSERT(KNIT_RING_MIN_SG - KNIT_RING_MIN_SG / 4 >= KNIT_DESC_MAX_SEGS, "a frame fits alloc_q");

struct knit_shm_hdr {
	__u32 magic;	    /* creator: wo, for all lines of this struct */
	__u32 version;	    /* KNIT_ABI_VERSION */
	__u32 size;	    /* bytes of the block; for people and debuggers */
	__u32 ring_size;    /* likewise */
	__u32 n_pairs;	    /* likewise */
	__u32 reserved[11]; /* must be zero */
};

KNIT_ASSERT_SIZE(struct knit_shm_hdr, 64);
KNIT_ASSERT_OFFSET(struct knit_shm_hdr, magic, 0);
KNIT_ASSERT_OFFSET(struct knit_shm_hdr, version, 4);
KNIT_ASSERT_OFFSET(struct knit_shm_hdr, reserved, 20);

/*
 * Features. Each says what user space accepts in frames from the kernel, and what it puts into
 * descriptors towards the kernel.
 */
#define KNIT_FEAT_SG 0x0001   /* frames of several segments */
#define KNIT_FEAT_CSUM 0x0002 /* KNIT_DESC_CSUM_PARTIAL, both ways */
#define KNIT_FEAT_TSO 0x0004  /* KNIT_GSO_TCPV4 and TCPV6, both ways; needs SG and CSUM */
#define KNIT_FEAT_USO 0x0008  /* KNIT_GSO_UDP_L4, both ways; needs SG and CSUM */
#define KNIT_FEAT_VLAN 0x0010 /* tags travel in vlan_tci */
#define KNIT_FEAT_ALL 0x001f  /* what every engine serves */
/*
 * Frames of TCP up to KNIT_BIG_FRAME_MAX, both ways; needs TSO. Not of every kernel: KNIT_IOC_INFO.
 * Buffers of less than KNIT_BIG_BUFFER_MIN do not hold the longest ones.
 */
#define KNIT_FEAT_BIG_TCP 0x0020
#define KNIT_FEAT_KNOWN (KNIT_FEAT_ALL | KNIT_FEAT_BIG_TCP)

enum knit_queue {
	KNIT_RX_Q,
	KNIT_FREE_Q,
	KNIT_ALLOC_Q,
	KNIT_TX_Q,
	KNIT_QUEUES,
};

static inline size_t knit_shm_req_bytes(void)
{
	return knit_ring_bytes(KNIT_REQ_RING, sizeof(struct knit_req));
}

static inline size_t knit_shm_queue_bytes(__u32 ring_size)
{
	return knit_ring_bytes(ring_size, sizeof(struct knit_desc));
}

static inline size_t knit_shm_state_off(void)
{
	return sizeof(struct knit_shm_hdr);
}

static inline size_t knit_shm_req_off(void)
{
	return knit_shm_state_off() + sizeof(struct knit_iface_state);
}

static inline size_t knit_shm_resp_off(void)
{
	return knit_shm_req_off() + knit_shm_req_bytes();
}

static inline size_t knit_shm_queue_off(__u32 ring_size, __u32 pair, enum knit_queue q)
{
	return knit_shm_resp_off() + knit_shm_req_bytes() +
	       (size_t)(pair * KNIT_QUEUES + q) * knit_shm_queue_bytes(ring_size);
}

static inline size_t knit_shm_bytes(__u32 ring_size, __u32 n_pairs)
{
	return knit_shm_queue_off(ring_size, n_pairs, KNIT_RX_Q);
}

KNIT_ASSERT(sizeof(struct knit_iface_state) % KNIT_CACHE_LINE == 0, "queues start on a cache line");

#endif
