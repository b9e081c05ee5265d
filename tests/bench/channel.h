/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_BENCH_CHANNEL_H
#define KNIT_BENCH_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

struct rte_kni;
struct rte_mbuf;
struct rte_mempool;

/*
 * One way between DPDK and the kernel, whatever it is made of, so that every channel is driven by
 * the same loops: an ethdev (net_tap, net_af_packet, net_af_xdp, virtio_user, each with the
 * interface it was given as EAL argument) or an interface of knit's, by its public API.
 */
#define CHANNEL_MAX 8
#define CHANNEL_BURST 32

struct channel {
	uint16_t (*rx)(struct channel *ch, struct rte_mbuf **mbufs, uint16_t n);
	uint16_t (*tx)(struct channel *ch, struct rte_mbuf **mbufs, uint16_t n);
	struct rte_kni *kni; /* NULL: an ethdev */
	uint16_t port;
	bool offloads; /* an ethdev whose checksum and segmentation offloads are on */
	bool link_set; /* knit: carrier was switched on */
};

struct channel_conf {
	struct rte_mempool *pool;
	const char *engine; /* knit: "tap" or "kmod" */
	bool big_tcp;	    /* knit: RTE_KNI_OFFLOAD_BIG_TCP */
	int engine_cpu;	    /* knit: where the engine's thread runs, -1: anywhere */
};

/*
 * "port=NAME", "offload=NAME" (a port with offloads) or "knit=NAME[@NETNS]". 0, or a negative errno
 * after a message on stderr.
 */
int channel_open(struct channel *ch, const char *spec, const struct channel_conf *conf);

/* Only after channel_open succeeded. */
void channel_close(struct channel *ch);

/*
 * Serves what the kernel wants besides packets (knit: requests, and carrier once the interface is
 * up). From the control thread, about every 10 ms.
 */
void channel_service(struct channel *ch);

#endif
