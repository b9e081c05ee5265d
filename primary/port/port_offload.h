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
 * the rest in software. Fast: none at all but MBUF_FAST_FREE, so that drivers such as i40e, ice and
 * ixgbe choose their vector function; the worker does everything in software.
 *
 * MBUF_FAST_FREE promises that all mbufs of a queue come from one pool, that nobody else holds a
 * reference, and that there are no chains. A worker sends mbufs of its own pool only, with one
 * reference, and without MULTI_SEGS it sends no chain.
 */
struct port_offloads {
	uint64_t rx;
	uint64_t tx;
	bool fast;
};

/*
 * i is the index of the port in c. With tx = "auto" a port is fast if nobody wants its offloads:
 * neither it nor a port that is cross-connected with it has an interface; and if an mbuf holds a
 * frame of its MTU. rss: the port has several receive queues.
 */
void port_offload_choose(const struct knit_config *c, unsigned int i,
			 const struct rte_eth_dev_info *info, bool rss, struct port_offloads *o);

/* The largest MTU: the driver's, and with tx = "fast" no more than an mbuf holds. */
uint16_t port_offload_max_mtu(const struct knit_config *c, unsigned int i,
			      const struct rte_eth_dev_info *info);

#endif
