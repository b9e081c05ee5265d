// SPDX-License-Identifier: BSD-3-Clause
#include "port_rxmode.h"

#include <rte_ethdev.h>

#include <errno.h>
#include <string.h>

int port_if_supported(int ret)
{
	return ret == -ENOTSUP || ret == -ENOSYS ? 0 : ret;
}

static int port_sync_promisc(struct port *port)
{
	bool on = port->promisc || port->want_promisc || port->list_promisc;

	return port_if_supported(on ? rte_eth_promiscuous_enable(port->id)
				    : rte_eth_promiscuous_disable(port->id));
}

static int port_sync_allmulti(struct port *port)
{
	bool on = port->want_allmulti || port->list_allmulti;

	return port_if_supported(on ? rte_eth_allmulticast_enable(port->id)
				    : rte_eth_allmulticast_disable(port->id));
}

int port_set_xconnect(struct port *port, bool on)
{
	port->promisc = on;
	return port_sync_promisc(port);
}

int port_set_promisc(struct port *port, bool on)
{
	bool before = port->want_promisc;
	int ret;

	port->want_promisc = on;
	ret = port_sync_promisc(port);
	if (ret < 0)
		port->want_promisc = before;
	return ret;
}

int port_set_allmulti(struct port *port, bool on)
{
	bool before = port->want_allmulti;
	int ret;

	port->want_allmulti = on;
	ret = port_sync_allmulti(port);
	if (ret < 0)
		port->want_allmulti = before;
	return ret;
}

static bool list_has_mac(const struct rte_ether_addr *list, unsigned int n,
			 const struct rte_ether_addr *mac)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (rte_is_same_ether_addr(&list[i], mac))
			return true;
	return false;
}

/*
 * Adds and removes only the difference, and stores what the port has. A port without room for all
 * addresses becomes promiscuous.
 */
static int port_sync_unicast(struct port *port, const struct rte_ether_addr *list, unsigned int n)
{
	struct rte_ether_addr has[KNIT_RXLIST_MAX], mac;
	unsigned int i, n_has = 0;

	for (i = 0; i < port->n_uc; i++)
		if (!list_has_mac(list, n, &port->uc[i]))
			rte_eth_dev_mac_addr_remove(port->id, &port->uc[i]);
	for (i = 0; i < n; i++) {
		mac = list[i];
		if (list_has_mac(port->uc, port->n_uc, &mac) ||
		    rte_eth_dev_mac_addr_add(port->id, &mac, 0) == 0)
			has[n_has++] = mac;
	}
	memcpy(port->uc, has, n_has * sizeof(has[0]));
	port->n_uc = n_has;
	port->list_promisc = n_has < n;
	return port_sync_promisc(port);
}

static int port_sync_multicast(struct port *port, const struct rte_ether_addr *list, unsigned int n)
{
	struct rte_ether_addr copy[KNIT_RXLIST_MAX];
	int ret;

	memcpy(copy, list, n * sizeof(list[0]));
	ret = rte_eth_dev_set_mc_addr_list(port->id, n ? copy : NULL, n);
	memcpy(port->mc, copy, n * sizeof(copy[0]));
	port->n_mc = n;
	port->list_allmulti = ret < 0 && n > 0;
	return port_sync_allmulti(port);
}

int port_set_lists(struct port *port, const struct rte_ether_addr *list, unsigned int n_uc,
		   unsigned int n_mc)
{
	int uc = port_sync_unicast(port, list, n_uc);
	int mc = port_sync_multicast(port, list + n_uc, n_mc);

	return uc < 0 ? uc : mc;
}

void port_rxmode_restore(struct port *port)
{
	port_sync_promisc(port);
	if (port->n_mc)
		port_sync_multicast(port, port->mc, port->n_mc);
	else
		port_sync_allmulti(port);
	if (!port->topo->admin_up)
		rte_eth_dev_set_link_down(port->id);
}
