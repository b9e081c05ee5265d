// SPDX-License-Identifier: BSD-3-Clause
#include "port_offload.h"

#include "kni/base/compat.h"
#include "kni/offload/offload.h"
#include "port_driver.h"

#include <rte_ether.h>

/* Of a frame in one mbuf, with two VLAN tags. */
static uint32_t room_mtu(const struct knit_config *c)
{
	return c->mempool.data_room - RTE_ETHER_HDR_LEN - 2 * RTE_VLAN_HLEN;
}

static bool has_iface(const struct knit_config *c, int port)
{
	unsigned int i;

	for (i = 0; i < c->n_ifaces; i++)
		if (c->ifaces[i].port == port)
			return true;
	return false;
}

/* The port, or one that sends to it what it received. */
static bool meets_iface(const struct knit_config *c, int port)
{
	const struct knit_conf_rule *r;
	unsigned int w, k;

	if (has_iface(c, port))
		return true;
	for (w = 0; w < c->n_workers; w++) {
		for (k = 0; k < c->workers[w].n_rules; k++) {
			r = &c->workers[w].rules[k];
			if (r->mode == KNIT_FORWARD_PUNT || r->ifaces)
				continue;
			if ((r->a == port && has_iface(c, r->b)) ||
			    (r->b == port && has_iface(c, r->a)))
				return true;
		}
	}
	return false;
}

static bool is_fast(const struct knit_config *c, unsigned int i)
{
	const struct knit_conf_port *port = &c->ports[i];

	if (port->tx != KNIT_TX_AUTO)
		return port->tx == KNIT_TX_FAST;
	return port->mtu <= room_mtu(c) && !meets_iface(c, i);
}

static uint64_t tx_full(const struct knit_conf_port *port)
{
	uint64_t tx = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;

	if (port->vlan)
		tx |= RTE_ETH_TX_OFFLOAD_VLAN_INSERT;
	if (port->tx_checksum)
		tx |= RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM |
		      RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
	if (port->tso)
		tx |= RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_UDP_TSO;
	return tx;
}

void port_offload_choose(const struct knit_config *c, unsigned int i,
			 const struct rte_eth_dev_info *info, bool rss, struct port_offloads *o)
{
	const struct knit_conf_port *port = &c->ports[i];
	uint64_t rx = RTE_ETH_RX_OFFLOAD_SCATTER, tx;

	o->fast = is_fast(c, i);
	tx = o->fast ? RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE : tx_full(port);
	if (port->rx_checksum)
		rx |= RTE_ETH_RX_OFFLOAD_CHECKSUM;
	if (rss)
		rx |= RTE_ETH_RX_OFFLOAD_RSS_HASH;
	/* A tag that was taken off would be put back in software. */
	if (port->vlan && !o->fast)
		rx |= RTE_ETH_RX_OFFLOAD_VLAN_STRIP;
	o->rx = rx & info->rx_offload_capa;
	o->tx = tx & knit_offload_usable(info->driver_name, info->tx_offload_capa);
}

uint16_t port_offload_max_mtu(const struct knit_config *c, unsigned int i,
			      const struct rte_eth_dev_info *info)
{
	uint32_t max = knit_driver_max_mtu(info);

	return c->ports[i].tx == KNIT_TX_FAST ? RTE_MIN(max, room_mtu(c)) : max;
}
