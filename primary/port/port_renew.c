// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_port
#include "port_renew.h"

#include "kni/base/log.h"
#include "port_driver.h"
#include "port_offload.h"
#include "port_rxmode.h"
#include "port_setup.h"

#include <rte_ethdev.h>
#include <rte_mempool.h>

#include <errno.h>
#include <string.h>

/* How many mbufs are in the pools of dead workers with a queue on the port; -1: there are none. */
static int dead_mbufs(const struct primary *p, unsigned int i)
{
	const struct knit_topo_worker *worker;
	unsigned int w;
	int n = -1;

	for (w = 0; w < p->topo->n_workers; w++) {
		worker = &p->topo->workers[w];
		if (worker->state == KNIT_PROCESS_DEAD && p->plan->workers[w].rxq[i] >= 0)
			n = RTE_MAX(n, 0) + (int)rte_mempool_avail_count(worker->pool);
	}
	return n;
}

/* Another set-up, such that the driver initialises the device. False: there is none. */
static bool vary(const struct rte_eth_dev_info *info, struct port_setup *s)
{
	struct port_offloads o = { .rx = s->rx_offloads, .tx = s->tx_offloads, .rss = s->rss };
	bool other = port_offload_vary(info, &o);

	s->rx_offloads = o.rx;
	s->tx_offloads = o.tx;
	s->rss = o.rss;
	return other;
}

void port_renew_learn(struct port *port, const struct rte_eth_dev_info *info)
{
	struct port_setup s = port->setup;

	port->renewable = false;
	if (knit_driver_find(info->driver_name)->reset != KNIT_RESET_DEVICE)
		return;
	port->renewable = vary(info, &s);
	if (!port->renewable)
		log_notice("port %s: its device offers no checksum offload: a killed worker will "
			   "make the primary start anew",
			   port->conf->name);
}

/*
 * Wants other features, which makes the driver initialise the device. If RSS is one of them, the
 * driver refuses afterwards.
 */
static int port_vary(struct port *port, const struct port_setup *now)
{
	struct rte_eth_dev_info info;
	struct port_setup s = *now;
	int ret;

	ret = rte_eth_dev_info_get(port->id, &info);
	if (ret < 0)
		return errno_log(ret, "rte_eth_dev_info_get");
	vary(&info, &s);
	if (s.rss == now->rss || info.flow_type_rss_offloads)
		return port_configure(port, &s);
	log_notice("port %s: refusals of RSS follow; to ask for it makes the driver initialise the "
		   "device",
		   port->conf->name);
	ret = port_configure(port, &s);
	return ret == -ENOTSUP ? 0 : ret;
}

/* The device and the driver then have the device's first address. All else is set at start. */
static int port_init_device(struct port *port)
{
	struct rte_ether_addr mac;
	int ret;

	ret = port_vary(port, &port->setup);
	if (ret == 0)
		ret = port_configure(port, &port->setup);
	if (ret < 0)
		return ret;
	memcpy(mac.addr_bytes, port->topo->mac, sizeof(mac.addr_bytes));
	ret = port_if_supported(rte_eth_dev_default_mac_addr_set(port->id, &mac));
	return ret < 0 ? errno_log(ret, "rte_eth_dev_default_mac_addr_set") : 0;
}

int port_renew(struct primary *p, unsigned int i)
{
	struct port *port = &p->ports[i];
	int had = dead_mbufs(p, i), ret;

	ret = port_init_device(port);
	if (ret < 0)
		return ret;
	/* A receive ring always holds some. */
	if (had >= 0 && dead_mbufs(p, i) == had) {
		log_err("port %s: driver %s does not give back the mbufs of its queues",
			port->conf->name, port->topo->driver);
		return -EIO;
	}
	return port_setup_queues(p, i);
}
