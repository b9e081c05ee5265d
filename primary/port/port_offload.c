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

/* The port that is cross-connected with it, -1: none. Each has at most one. */
static int peer_of(const struct knit_config *c, int port)
{
	const struct knit_conf_rule *r;
	unsigned int w, k;

	for (w = 0; w < c->n_workers; w++) {
		for (k = 0; k < c->workers[w].n_rules; k++) {
			r = &c->workers[w].rules[k];
			if (r->mode == KNIT_FORWARD_PUNT || r->ifaces)
				continue;
			if (r->a == port)
				return r->b;
			if (r->b == port)
				return r->a;
		}
	}
	return -1;
}

/* Nothing speaks against it but what it is told. */
static bool can_be_fast(const struct knit_config *c, int port)
{
	return c->ports[port].mtu <= room_mtu(c) && !has_iface(c, port);
}

static bool is_fast(const struct knit_config *c, int port)
{
	int peer = peer_of(c, port);

	if (c->ports[port].tx != KNIT_TX_AUTO)
		return c->ports[port].tx == KNIT_TX_FAST;
	return can_be_fast(c, port) &&
	       (peer < 0 || (can_be_fast(c, peer) && c->ports[peer].tx != KNIT_TX_FULL));
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
	int peer = peer_of(c, i);

	o->fast = is_fast(c, i);
	tx = o->fast ? 0 : tx_full(port);
	if (port->rx_checksum)
		rx |= RTE_ETH_RX_OFFLOAD_CHECKSUM;
	if (rss)
		rx |= RTE_ETH_RX_OFFLOAD_RSS_HASH;
	if (port->vlan && (peer < 0 ? has_iface(c, i) : !is_fast(c, peer)))
		rx |= RTE_ETH_RX_OFFLOAD_VLAN_STRIP;
	o->rx = rx & info->rx_offload_capa;
	o->tx = tx & knit_offload_usable(info->driver_name, info->tx_offload_capa);
}

/*
 * What virtio has a feature for. A port without any gets those of transmit: those of receive would
 * exclude the vector function for good.
 */
bool port_offload_vary(const struct rte_eth_dev_info *info, struct port_offloads *o)
{
	const uint64_t tx = RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM |
			    RTE_ETH_TX_OFFLOAD_TCP_TSO;
	const uint64_t rx = RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM;

	if ((o->rx & rx) || (o->tx & tx)) {
		o->rx &= ~rx;
		o->tx &= ~tx;
		return true;
	}
	o->tx |= info->tx_offload_capa & tx;
	if (o->tx & tx)
		return true;
	o->rx |= info->rx_offload_capa & rx;
	if (o->rx & rx)
		return true;
	o->rss = !o->rss;
	if (!o->rss)
		o->rx &= ~RTE_ETH_RX_OFFLOAD_RSS_HASH;
	return KNIT_VIRTIO_RSS;
}

uint16_t port_offload_max_mtu(const struct knit_config *c, unsigned int i,
			      const struct rte_eth_dev_info *info)
{
	uint32_t max = knit_driver_max_mtu(info);

	return is_fast(c, i) ? RTE_MIN(max, room_mtu(c)) : max;
}
