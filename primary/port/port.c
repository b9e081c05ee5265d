// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_port
#include "port.h"

#include "event/event.h"
#include "kni/base/compat.h"
#include "kni/base/doorbell.h"
#include "kni/base/log.h"
#include "kni/base/netns.h"
#include "kni/offload/offload.h"
#include "port_driver.h"
#include "port_offload.h"
#include "port_removal.h"
#include "port_rxmode.h"
#include "port_tap.h"
#include "primary.h"
#include "process/channel.h"
#include "system/topology/port_bursts.h"

#include <rte_dev.h>
#include <rte_ethdev.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RSS_TYPES (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP)

/*
 * The device that replaces an absent port. It receives nothing and drops all packets. Its link is
 * ignored.
 */
static int make_null_device(struct port *port)
{
	char name[RTE_ETH_NAME_MAX_LEN];
	int ret;

	snprintf(name, sizeof(name), "net_null_%s", port->conf->name);
	ret = rte_eal_hotplug_add("vdev", name, "no-rx=1");
	if (ret == 0)
		ret = rte_eth_dev_get_port_by_name(name, &port->id);
	return ret < 0 ? errno_log(ret, "net_null for an absent port") : 0;
}

/*
 * Makes a virtual device, or finds the PCI device that EAL probed. The caller is in the port's
 * namespace.
 */
static int make_or_find_device(struct port *port)
{
	const char *device = port->conf->device;
	char name[RTE_ETH_NAME_MAX_LEN];
	const char *args = strchr(device, ',');
	struct rte_pci_addr pci;
	int ret;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(device, ","), device);
	if (rte_pci_addr_parse(name, &pci) == 0) {
		rte_pci_device_name(&pci, name, sizeof(name));
	} else {
		ret = rte_eal_hotplug_add("vdev", name, args ? args + 1 : "");
		if (ret < 0) {
			log_err("port %s: device %s can't be made: %s", port->conf->name, device,
				rte_strerror(-ret));
			return ret;
		}
	}
	ret = rte_eth_dev_get_port_by_name(name, &port->id);
	if (ret < 0)
		log_err("port %s: no DPDK port %s: is the device there, and bound to vfio-pci or "
			"another driver for user space?",
			port->conf->name, name);
	return ret;
}

static bool one_queue_only(const struct port *port, const struct rte_eth_dev_info *info,
			   const struct knit_driver *driver)
{
	bool rss = info->flow_type_rss_offloads & RSS_TYPES;

	switch (port->conf->rx_spread) {
	case KNIT_SPREAD_NONE:
		return true;
	case KNIT_SPREAD_RSS:
		return !rss;
	case KNIT_SPREAD_DEVICE:
		return !driver->device_spread;
	case KNIT_SPREAD_AUTO:
		break;
	}
	return !rss && !driver->device_spread;
}

/*
 * Whether RSS spreads flows over several queues. A device that spreads them itself uses RSS only if
 * the configuration says so.
 */
static bool uses_rss(const struct port *port, const struct rte_eth_dev_info *info)
{
	if (!(info->flow_type_rss_offloads & RSS_TYPES) ||
	    port->conf->rx_spread == KNIT_SPREAD_NONE)
		return false;
	return port->conf->rx_spread == KNIT_SPREAD_RSS ||
	       !knit_driver_find(info->driver_name)->device_spread;
}

static int check_queues(const struct port *port, unsigned int n,
			const struct rte_eth_dev_info *info, const struct knit_driver *driver)
{
	unsigned int most = info->max_rx_queues;

	if (driver->max_queues && driver->max_queues < most)
		most = driver->max_queues;
	if (driver->primary_only) {
		log_err("port %s: driver %s moves packets in the process that made the port only, "
			"and workers are other ones: no worker could use it",
			port->conf->name, info->driver_name);
		return -ENOTSUP;
	}
	if (n > 1 && (driver->hands_on || one_queue_only(port, info, driver))) {
		log_err("port %s: %u workers forward it, but driver %s can serve one only: it %s",
			port->conf->name, n, info->driver_name,
			driver->hands_on ? "passes mbufs on between processes"
					 : "can't spread received packets over queues");
		return -ENOTSUP;
	}
	if (n > most) {
		log_err("port %s: %u workers forward it, but driver %s has %u receive queues",
			port->conf->name, n, info->driver_name, most);
		return -ENOTSUP;
	}
	return 0;
}

/*
 * If there are fewer transmit queues than workers, the other workers send through hand-off queues.
 */
static int choose_tx_queues(struct primary *p, unsigned int i, const struct rte_eth_dev_info *info,
			    const struct knit_driver *driver)
{
	const struct knit_plan_port *plan = &p->plan->ports[i];
	struct port *port = &p->ports[i];
	unsigned int most = info->max_tx_queues;

	if (driver->max_queues && driver->max_queues < most)
		most = driver->max_queues;
	if (port->conf->tx_queues > most) {
		log_err("port %s: tx_queues: found %u: driver %s has %u", port->conf->name,
			port->conf->tx_queues, info->driver_name, most);
		return -EINVAL;
	}
	if (plan->n_tx_queues > most)
		knit_plan_tx(p->plan, i, most);
	if (plan->n_tx_queues < plan->n_queues)
		log_notice("port %s: %u workers send through %u transmit queues", port->conf->name,
			   plan->n_queues, plan->n_tx_queues);
	return 0;
}

static void choose_offloads(struct primary *p, unsigned int i, const struct rte_eth_dev_info *info)
{
	struct port *port = &p->ports[i];
	struct port_offloads o;

	port_offload_choose(p->conf, i, info, p->plan->ports[i].n_queues > 1, &o);
	port->rx_offloads = o.rx;
	port->tx_offloads = o.tx;
	port->topo->tx_capa = o.tx;
	port->topo->tx_fast = o.fast;
	port->topo->rx_partial = knit_offload_none_is_partial(info->driver_name);
}

/* The MTU at start; later ones are refused by port_op.c. */
static int check_mtu(const struct primary *p, unsigned int i, const struct rte_eth_dev_info *info)
{
	const struct knit_conf_port *c = p->ports[i].conf;
	uint16_t max = port_offload_max_mtu(p->conf, i, info);

	if (c->mtu >= info->min_mtu && c->mtu <= max)
		return 0;
	if (max < knit_driver_max_mtu(info) && c->mtu > max)
		log_err("port %s: mtu %u: tx = \"fast\" and mempool.data_room %u allow at most %u",
			c->name, c->mtu, p->conf->mempool.data_room, max);
	else
		log_err("port %s: mtu %u: driver %s allows %u to %u", c->name, c->mtu,
			info->driver_name, info->min_mtu, max);
	return -EINVAL;
}

/* Everything that can select a burst function is fixed here and never changes, see port_start. */
static int port_configure(struct port *port, const struct knit_plan_port *plan)
{
	struct rte_eth_conf conf = { 0 };
	struct rte_eth_dev_info info;
	unsigned int n = plan->n_queues, n_tx = plan->n_tx_queues;
	uint16_t mtu = port->topo->mtu;
	int ret;

	ret = rte_eth_dev_info_get(port->id, &info);
	if (ret < 0)
		return errno_log(ret, "rte_eth_dev_info_get");
	if (knit_driver_find(info.driver_name)->paired)
		n_tx = n;
	if (knit_driver_find(info.driver_name)->tap)
		mtu = RTE_MIN(mtu, PORT_TAP_ETHDEV_MTU);
	conf.rxmode.offloads = port->rx_offloads;
	conf.txmode.offloads = port->tx_offloads;
	conf.intr_conf.lsc = port->lsc;
	if (n > 1 && uses_rss(port, &info)) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf = info.flow_type_rss_offloads & RSS_TYPES;
	}
	ret = knit_eth_configure(port->id, n, n_tx, &conf, mtu);
	if (ret < 0)
		return errno_log(ret, "rte_eth_dev_configure");
	return 0;
}

static int port_learn(struct primary *p, unsigned int i)
{
	struct port *port = &p->ports[i];
	const struct knit_driver *driver;
	struct rte_eth_dev_info info;
	struct rte_ether_addr mac;
	int ret;

	ret = rte_eth_dev_info_get(port->id, &info);
	if (ret < 0)
		return errno_log(ret, "rte_eth_dev_info_get");
	driver = knit_driver_find(info.driver_name);
	ret = check_queues(port, p->plan->ports[i].n_queues, &info, driver);
	if (ret == 0)
		ret = choose_tx_queues(p, i, &info, driver);
	if (ret < 0)
		return ret;
	ret = check_mtu(p, i, &info);
	if (ret < 0)
		return ret;
	choose_offloads(p, i, &info);
	port->lsc = *info.dev_flags & RTE_ETH_DEV_INTR_LSC && !driver->poll_link;
	port->rx_desc = port->conf->rx_desc;
	port->tx_desc = port->conf->tx_desc;
	rte_eth_macaddr_get(port->id, &mac);
	memcpy(port->topo->mac, mac.addr_bytes, sizeof(mac.addr_bytes));
	port->topo->port_id = port->id;
	port->topo->made++;
	port->topo->mtu = port->conf->mtu;
	port->topo->admin_up = 1;
	port->topo->per_process = driver->per_process;
	snprintf(port->topo->driver, sizeof(port->topo->driver), "%s", info.driver_name);
	snprintf(port->topo->device, sizeof(port->topo->device), "%s", port->conf->device);
	return 0;
}

int port_queue_setup(struct primary *p, unsigned int i, unsigned int w, struct rte_mempool *pool)
{
	const struct knit_plan_worker *worker = &p->plan->workers[w];
	struct port *port = &p->ports[i];
	int socket = rte_eth_dev_socket_id(port->id);
	int ret, txq = worker->txq[i];

	if (worker->rxq[i] < 0)
		return 0;
	/* The driver needs a transmit queue for each receive queue. Nobody uses this one. */
	if (txq < 0 && knit_driver_find(port->topo->driver)->paired)
		txq = worker->rxq[i];
	/* The receive queue comes first: net_tap copies its fd to the transmit queue. */
	ret = rte_eth_rx_queue_setup(port->id, worker->rxq[i], port->rx_desc, socket, NULL, pool);
	if (ret < 0)
		return errno_log(ret, "rte_eth_rx_queue_setup");
	if (txq < 0)
		return 0;
	ret = rte_eth_tx_queue_setup(port->id, txq, port->tx_desc, socket, NULL);
	if (ret < 0)
		return errno_log(ret, "rte_eth_tx_queue_setup");
	return 0;
}

/* Packets cross between NUMA nodes. That works, but costs speed, so the log says it. */
static void report_numa_distance(struct primary *p, unsigned int i)
{
	int node = rte_eth_dev_socket_id(p->ports[i].id);
	unsigned int w;

	for (w = 0; node >= 0 && w < p->topo->n_workers; w++)
		if (p->plan->workers[w].rxq[i] >= 0 && p->pools.worker[w] != (unsigned int)node)
			log_notice("port %s is on NUMA node %d, worker %u and its pool on %u",
				   p->ports[i].conf->name, node, p->topo->workers[w].id,
				   p->pools.worker[w]);
}

/*
 * Burst functions are per process. A secondary copies them when it attaches. Everything that
 * selects one is fixed at configuration. If a start nevertheless selects another one, workers that
 * continue would call the wrong function.
 */
static bool port_burst_changed(struct port *port)
{
	const void *rx = (const void *)knit_eth_calls(port->id)->rx_pkt_burst;
	const void *tx = (const void *)knit_eth_calls(port->id)->tx_pkt_burst;
	const void *prepare = (const void *)knit_eth_calls(port->id)->tx_pkt_prepare;
	bool changed = port->rx_burst && (port->rx_burst != rx || port->tx_burst != tx ||
					  port->tx_prepare != prepare);

	port->rx_burst = rx;
	port->tx_burst = tx;
	port->tx_prepare = prepare;
	return changed;
}

int port_enter(struct port *port, int *saved)
{
	int netns, ret;

	if (port->tap)
		port_tap_follow(port);
	netns = port->tap ? port_tap_netns(port) : -1;
	if (netns < 0)
		return knit_netns_enter(port->netns, saved);
	ret = knit_netns_enter_fd(netns, saved);
	close(netns);
	return ret;
}

int port_start(struct primary *p, unsigned int i)
{
	struct port *port = &p->ports[i];
	int netns, ret;

	if (knit_driver_find(port->topo->driver)->tap)
		channel_clear(p);
	ret = port_enter(port, &netns);
	if (ret < 0)
		return ret;
	ret = rte_eth_dev_start(port->id);
	if (ret == 0 && port->topo->mtu > PORT_TAP_ETHDEV_MTU &&
	    knit_driver_find(port->topo->driver)->tap)
		ret = port_tap_set_mtu(port, port->topo->mtu);
	if (ret == 0)
		port_rxmode_restore(port);
	knit_netns_leave(&netns);
	if (ret < 0) {
		log_err("port %s: rte_eth_dev_start: %s", port->conf->name, rte_strerror(-ret));
		return ret;
	}
	port->started = true;
	port->wedged = false;
	knit_port_bursts_tell(port->topo);
	__atomic_fetch_add(&port->topo->starts, 1, __ATOMIC_RELEASE);
	/* net_tap sent its fds to every secondary; control closes them. */
	knit_doorbell_ring(p->topo->control.doorbell);
	if (!port_burst_changed(port))
		return 0;
	log_warn("port %s: the driver took other burst functions; its workers must start anew",
		 port->conf->name);
	return 1;
}

int port_stop(struct primary *p, unsigned int i)
{
	struct port *port = &p->ports[i];
	int netns, ret;

	ret = port_enter(port, &netns);
	if (ret < 0)
		return ret;
	port_removal_blank(port);
	ret = rte_eth_dev_stop(port->id);
	knit_netns_leave(&netns);
	if (ret < 0)
		return errno_log(ret, "rte_eth_dev_stop");
	port->started = false;
	return 0;
}

static int port_setup_queues(struct primary *p, unsigned int i)
{
	unsigned int w;
	int ret;

	for (w = 0; w < p->topo->n_workers; w++) {
		ret = port_queue_setup(p, i, w, p->topo->workers[w].pool);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int port_open_in_netns(struct primary *p, unsigned int i)
{
	struct port *port = &p->ports[i];
	int ret;

	ret = port->absent ? make_null_device(port) : make_or_find_device(port);
	if (ret < 0)
		return ret;
	ret = port_learn(p, i);
	if (ret < 0)
		return ret;
	if (knit_driver_find(port->topo->driver)->tap)
		port_tap_find(port);
	ret = port_configure(port, &p->plan->ports[i]);
	if (ret < 0)
		return ret;
	report_numa_distance(p, i);
	rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &port->rx_desc, &port->tx_desc);
	return port_setup_queues(p, i);
}

static int port_open(struct primary *p, unsigned int i)
{
	struct port *port = &p->ports[i];
	int netns, ret;

	ret = port_enter(port, &netns);
	if (ret < 0) {
		log_err("port %s: network namespace %s: %s", port->conf->name, port->conf->netns,
			rte_strerror(-ret));
		return ret;
	}
	ret = port_open_in_netns(p, i);
	knit_netns_leave(&netns);
	if (ret < 0)
		return ret;
	return port_start(p, i);
}

/* Opens an optional port without its device. What was opened of the device has been closed. */
static int port_open_null(struct primary *p, unsigned int i)
{
	struct port *port = &p->ports[i];

	if (port->id != RTE_MAX_ETHPORTS)
		rte_eth_dev_close(port->id);
	port->id = RTE_MAX_ETHPORTS;
	port_tap_forget(port);
	port->absent = true;
	port->netns = "";
	return port_open(p, i);
}

/*
 * A cross connection forwards frames that are addressed to others, so its ports must receive these.
 */
static bool port_needs_promisc(const struct knit_config *c, int port)
{
	const struct knit_conf_rule *r;
	unsigned int w, i;

	for (w = 0; w < c->n_workers; w++) {
		for (i = 0; i < c->workers[w].n_rules; i++) {
			r = &c->workers[w].rules[i];
			if (r->mode == KNIT_FORWARD_XCONNECT && !r->ifaces &&
			    (r->a == port || r->b == port))
				return true;
		}
	}
	return false;
}

int primary_ports_open(struct primary *p)
{
	unsigned int i;
	int ret;

	for (i = 0; i < p->topo->n_ports; i++) {
		if (!p->conf->ports[i].there)
			continue;
		p->ports[i].conf = &p->conf->ports[i];
		p->ports[i].topo = &p->topo->ports[i];
		p->ports[i].netns = p->ports[i].absent ? "" : p->conf->ports[i].netns;
		p->ports[i].promisc = port_needs_promisc(p->conf, i);
		p->ports[i].want_promisc = p->conf->ports[i].promisc;
		p->ports[i].id = RTE_MAX_ETHPORTS;
		ret = port_open(p, i);
		if (ret < 0 && p->conf->ports[i].optional && !p->ports[i].absent)
			ret = port_open_null(p, i);
		if (ret < 0)
			return ret;
		__atomic_store_n(&p->topo->ports[i].there, 1, __ATOMIC_RELEASE);
		if (p->ports[i].absent)
			EVENT(PORT_ABSENT, EV(p->conf->ports[i].name),
			      EV(p->conf->ports[i].device));
	}
	return 0;
}

void primary_ports_close(struct primary *p)
{
	struct port *port;
	unsigned int i;
	int netns;

	for (i = p->topo->n_ports; i-- > 0;) {
		port = &p->ports[i];
		if (port->conf == NULL || port->id == RTE_MAX_ETHPORTS)
			continue;
		if (port->started)
			port_stop(p, i);
		if (port_enter(port, &netns) < 0)
			continue;
		port_removal_blank(port);
		rte_eth_dev_close(port->id);
		port_tap_forget(port);
		knit_netns_leave(&netns);
		port->id = RTE_MAX_ETHPORTS;
	}
}
