// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_port
#include "port.h"

#include "event/event.h"
#include "kni/base/compat.h"
#include "kni/base/doorbell.h"
#include "kni/base/log.h"
#include "kni/base/netns.h"
#include "port_driver.h"
#include "port_removal.h"
#include "port_renew.h"
#include "port_rxmode.h"
#include "port_setup.h"
#include "port_tap.h"
#include "primary.h"
#include "process/channel.h"
#include "process/registry.h"
#include "system/topology/port_bursts.h"

#include <rte_dev.h>
#include <rte_ethdev.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

static int port_learn(struct primary *p, unsigned int i, const struct knit_config *c,
		      struct knit_plan *plan, char *why, size_t len)
{
	struct port *port = &p->ports[i];
	const struct knit_driver *driver;
	struct rte_eth_dev_info info;
	struct rte_ether_addr mac;
	int ret;

	ret = port_setup_choose(p, i, c, plan, &port->setup, why, len);
	if (ret == 0)
		ret = rte_eth_dev_info_get(port->id, &info);
	if (ret < 0)
		return ret;
	driver = knit_driver_find(info.driver_name);
	port_renew_learn(port, &info);
	port->lsc = *info.dev_flags & RTE_ETH_DEV_INTR_LSC && !driver->poll_link;
	rte_eth_macaddr_get(port->id, &mac);
	memcpy(port->topo->mac, mac.addr_bytes, sizeof(mac.addr_bytes));
	memcpy(port->own_mac, mac.addr_bytes, sizeof(mac.addr_bytes));
	port->topo->port_id = port->id;
	port->topo->made++;
	port->topo->mtu = port->setup.mtu; /* its interface may be made before it is set up */
	port->topo->admin_up = 1;
	port->topo->per_process = driver->per_process;
	snprintf(port->topo->driver, sizeof(port->topo->driver), "%s", info.driver_name);
	snprintf(port->topo->device, sizeof(port->topo->device), "%s", port->conf->device);
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
 * Burst functions are per process. A secondary copies them when it attaches, and the addresses of
 * the lists of queues. Everything that selects one is fixed at configuration. If a start
 * nevertheless selects another one, workers that continue would call the wrong function.
 */
static bool port_burst_changed(struct port *port)
{
	const void *rx = (const void *)knit_eth_calls(port->id)->rx_pkt_burst;
	const void *tx = (const void *)knit_eth_calls(port->id)->tx_pkt_burst;
	const void *prepare = (const void *)knit_eth_calls(port->id)->tx_pkt_prepare;
	bool changed = port->rx_burst && (port->rx_burst != rx || port->tx_burst != tx ||
					  port->tx_prepare != prepare);
	void *rx_queues, *tx_queues;

	knit_eth_queues(port->id, &rx_queues, &tx_queues);
	changed |= port->rx_burst && (port->rx_queues != rx_queues || port->tx_queues != tx_queues);
	port->rx_queues = rx_queues;
	port->tx_queues = tx_queues;
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
	log_warn("port %s: it has other burst functions or queues now; its workers start anew",
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

static int port_make_in_netns(struct primary *p, unsigned int i, const struct knit_config *c,
			      struct knit_plan *plan, char *why, size_t len)
{
	struct port *port = &p->ports[i];
	int ret;

	ret = port->absent ? make_null_device(port) : make_or_find_device(port);
	if (ret < 0) {
		registry_hotplug_failed(p);
		snprintf(why, len, "port %s: device %s: %s", port->conf->name, port->conf->device,
			 ret == -ENOMSG ? "a process of knit did not answer" : rte_strerror(-ret));
		return ret;
	}
	ret = port_learn(p, i, c, plan, why, len);
	if (ret == 0 && knit_driver_find(port->topo->driver)->tap)
		port_tap_find(port);
	return ret;
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

void port_adopt_conf(struct port *port, const struct knit_conf_port *conf)
{
	port->conf = conf;
	port->netns = port->absent ? "" : conf->netns;
}

static void port_init(struct primary *p, unsigned int i, const struct knit_config *c)
{
	struct port *port = &p->ports[i];

	port_adopt_conf(port, &c->ports[i]);
	port->promisc = port_needs_promisc(c, i);
	port->want_promisc = port->conf->promisc;
	port->id = RTE_MAX_ETHPORTS;
}

void port_follow_rules(struct primary *p, unsigned int i, const struct knit_config *c)
{
	struct port *port = &p->ports[i];
	bool promisc = port_needs_promisc(c, i);
	int netns, ret;

	if (promisc == port->promisc)
		return;
	ret = port_enter(port, &netns);
	if (ret == 0)
		ret = port_set_xconnect(port, promisc);
	knit_netns_leave(&netns);
	if (ret < 0)
		log_err("port %s: promiscuous mode: %s", port->topo->name, rte_strerror(-ret));
}

void port_leave_iface(struct primary *p, unsigned int i, const struct knit_conf_port *conf)
{
	struct port *port = &p->ports[i];
	struct rte_ether_addr mac;
	uint64_t word = 0;
	int netns, ret;

	ret = port_enter(port, &netns);
	if (ret < 0)
		return;
	memcpy(mac.addr_bytes, port->own_mac, sizeof(mac.addr_bytes));
	if (memcmp(port->topo->mac, mac.addr_bytes, sizeof(mac.addr_bytes)) != 0 &&
	    rte_eth_dev_default_mac_addr_set(port->id, &mac) == 0) {
		memcpy(&word, mac.addr_bytes, sizeof(mac.addr_bytes));
		__atomic_store_n((uint64_t *)(void *)port->topo->mac, word, __ATOMIC_RELEASE);
	}
	knit_macs_set(&port->topo->further, NULL, 0);
	port_set_lists(port, NULL, 0, 0);
	port_set_allmulti(port, false);
	port_set_promisc(port, conf->promisc);
	if (!port->topo->admin_up)
		rte_eth_dev_set_link_up(port->id);
	__atomic_store_n(&port->topo->admin_up, 1, __ATOMIC_RELEASE);
	knit_netns_leave(&netns);
}

int port_make(struct primary *p, unsigned int i, const struct knit_config *c,
	      struct knit_plan *plan, char *why, size_t len)
{
	struct port *port = &p->ports[i];
	int netns, ret;

	port_init(p, i, c);
	ret = port_enter(port, &netns);
	if (ret < 0) {
		snprintf(why, len, "port %s: network namespace %s: %s", port->conf->name,
			 port->conf->netns, rte_strerror(-ret));
		return ret;
	}
	ret = port_make_in_netns(p, i, c, plan, why, len);
	knit_netns_leave(&netns);
	return ret;
}

int port_make_or_null(struct primary *p, unsigned int i, const struct knit_config *c,
		      struct knit_plan *plan, char *why, size_t len)
{
	int ret = port_make(p, i, c, plan, why, len);

	if (ret == 0 || !c->ports[i].optional)
		return ret;
	log_err("%s", why);
	if (port_unmake(p, i) < 0)
		return ret;
	p->ports[i].absent = true;
	ret = port_make(p, i, c, plan, why, len);
	if (ret == 0)
		EVENT(PORT_ABSENT, EV(c->ports[i].name), EV(c->ports[i].device));
	return ret;
}

int port_set_up_and_start(struct primary *p, unsigned int i)
{
	struct port *port = &p->ports[i];
	int netns, ret;

	ret = port_enter(port, &netns);
	if (ret < 0)
		return errno_log(ret, "network namespace of a port");
	report_numa_distance(p, i);
	ret = port->renewable && port->topo->starts ? port_renew(p, i) : port_set_up(p, i);
	knit_netns_leave(&netns);
	return ret < 0 ? ret : port_start(p, i);
}

static int port_open(struct primary *p, unsigned int i)
{
	char why[256];
	int ret;

	ret = port_make(p, i, p->conf, p->plan, why, sizeof(why));
	if (ret < 0) {
		log_err("%s", why);
		return ret;
	}
	return port_set_up_and_start(p, i);
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
	return port_open(p, i);
}

int primary_ports_open(struct primary *p)
{
	unsigned int i;
	int ret;

	for (i = 0; i < p->topo->n_ports; i++) {
		if (!p->conf->ports[i].there)
			continue;
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

/* Also if the namespace of its device has gone, with the device. */
static void port_close(struct primary *p, unsigned int i)
{
	struct port *port = &p->ports[i];
	bool inside;
	int netns;

	if (port->started)
		port_stop(p, i);
	inside = port_enter(port, &netns) == 0;
	port_removal_blank(port);
	rte_eth_dev_close(port->id);
	port_tap_forget(port);
	if (inside)
		knit_netns_leave(&netns);
	port->id = RTE_MAX_ETHPORTS;
}

/* "net_tap0" of "net_tap0,iface=x" */
static void device_name(const struct port *port, char *name, size_t size)
{
	if (port->absent)
		snprintf(name, size, "net_null_%s", port->topo->name);
	else
		snprintf(name, size, "%.*s", (int)strcspn(port->topo->device, ","),
			 port->topo->device);
}

void port_forget(struct primary *p, unsigned int i)
{
	p->ports[i] =
		(struct port){ .topo = &p->topo->ports[i], .id = RTE_MAX_ETHPORTS, .sysfs = -1 };
}

int port_unmake(struct primary *p, unsigned int i)
{
	struct port *port = &p->ports[i];
	char name[RTE_ETH_NAME_MAX_LEN];
	int ret;

	if (port->id != RTE_MAX_ETHPORTS)
		port_close(p, i);
	device_name(port, name, sizeof(name));
	channel_clear(p);
	/* EAL asks all secondaries to detach the device and waits for their answers. */
	ret = rte_eal_hotplug_remove("vdev", name);
	if (ret < 0 && ret != -ENOENT && ret != -ENODEV) {
		registry_hotplug_failed(p);
		return ret;
	}
	port_forget(p, i);
	return 0;
}

void primary_ports_close(struct primary *p)
{
	struct port *port;
	unsigned int i;

	for (i = KNIT_MAX_PORTS; i-- > 0;) {
		port = &p->ports[i];
		if (port->conf && port->id != RTE_MAX_ETHPORTS)
			port_close(p, i);
	}
}
