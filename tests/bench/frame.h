/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_BENCH_FRAME_H
#define KNIT_BENCH_FRAME_H

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include <stdbool.h>
#include <stdint.h>

struct rte_mbuf;
struct rte_mempool;

#define FRAME_FLOWS_MAX 256
#define FRAME_SIZE_MAX 1514

struct frame_hdr {
	struct rte_ether_hdr eth;
	struct rte_ipv4_hdr ip;
	struct rte_udp_hdr udp;
} __attribute__((packed, aligned(2)));

/* UDP over IPv4, from 10.9.0.99, one header per flow: flows differ in their source port. */
struct frame_set {
	struct frame_hdr hdr[FRAME_FLOWS_MAX];
	uint16_t n_flows;
	uint16_t size; /* of the frame without FCS */
	uint16_t next; /* flow of the next frame */
	bool partial;  /* the checksum is left to the port */
};

struct frame_dst {
	struct rte_ether_addr mac;
	uint32_t ip;   /* network byte order */
	uint16_t port; /* host byte order */
};

/*
 * Prepares the headers, checksums included, for set->size, set->n_flows and set->partial, and
 * writes the payload (zeros) into every mbuf of pool, so that sending costs one copy of a header
 * per frame.
 */
void frame_prepare(struct frame_set *set, const struct frame_dst *dst, struct rte_mempool *pool);

/*
 * Makes a freshly allocated mbuf of that pool the next frame, marked as by NICs that verified its
 * checksums; with a partial one as a sender's that leaves it to the port.
 */
void frame_fill(struct frame_set *set, struct rte_mbuf *m);

#endif
