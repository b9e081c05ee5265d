/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PORT_OFFLOAD_H
#define KNIT_PRIMARY_PORT_OFFLOAD_H

#include "system/config/config.h"

#include <rte_ethdev.h>

#include <stdbool.h>
#include <stdint.h>

/*
 * Which offloads a port uses. Pure: no state, no device.
 *
 * Transmit is full or fast. Full: what the port has and the configuration allows; the worker does
 * the rest in software. Fast: none at all, so that drivers such as i40e, ice and ixgbe choose their
 * vector function; the worker does everything in software.
 *
 * MBUF_FAST_FREE is not used. It saves a look at each mbuf's reference count, and promises that all
 * mbufs of a queue are direct ones of one pool. That is so for what knit makes itself, but not for
 * every input: mlx5 can receive into external buffers, net_ring passes on what others made, and
 * net_bonding sends frames of its own through the same queue.
 */
struct port_offloads {
	uint64_t rx;
	uint64_t tx;
	bool fast;
	bool rss; /* RSS spreads flows over the queues */
};

/*
 * i is the index of the port in c. With tx = "auto" a port is fast if nobody wants its offloads:
 * neither it nor the port that is cross-connected with it has an interface, an mbuf holds a frame
 * of either's MTU, and the other one is not told to be full. rss: the port has several receive
 * queues. o->rss is not set.
 *
 * Tags are stripped unless the frames leave through a fast port, which would have to put them back
 * in software.
 */
void port_offload_choose(const struct knit_config *c, unsigned int i,
			 const struct rte_eth_dev_info *info, bool rss, struct port_offloads *o);

/*
 * Changes what a port uses such that net_virtio asks the device for other features. The driver
 * knows them, and the device has them, but with one exception: if the device has no checksum
 * offload, RSS is asked for; the driver initialises the device and then refuses. False: this
 * release's driver does not know RSS.
 */
bool port_offload_vary(const struct rte_eth_dev_info *info, struct port_offloads *o);

/* The largest MTU: the driver's, and of a fast port no more than an mbuf holds. */
uint16_t port_offload_max_mtu(const struct knit_config *c, unsigned int i,
			      const struct rte_eth_dev_info *info);

#endif
