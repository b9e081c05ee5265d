// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_port
#include "port_op.h"

#include "event/event.h"
#include "kni/base/log.h"
#include "kni/base/netns.h"
#include "port.h"
#include "port_driver.h"
#include "port_offload.h"
#include "port_pause.h"
#include "port_removal.h"
#include "port_rxmode.h"
#include "port_tap.h"
#include "primary.h"
#include "process/park.h"
#include "process/registry.h"

#include <rte_ethdev.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

/*
 * Requests of the kernel for an interface, carried out on its port. Each handler validates, acts,
 * and changes the topology only on success. On failure the port is as it was.
 */

/* The device was removed, so nothing can be set. A value that needs a device is refused. */
static int op_on_removed(struct knit_msg *m)
{
	if (m->op != KNIT_OP_MTU && m->op != KNIT_OP_MAC)
		return 0;
	KNIT_MSG_TEXT(m, "its device was taken away");
	return -ENODEV;
}

static int op_link(struct primary *p, unsigned int i, struct knit_msg *m)
{
	struct port *port = &p->ports[i];
	int ret;

	if (m->value > 1) {
		KNIT_MSG_TEXT(m, "link %u: 0 or 1 is allowed", m->value);
		return -EINVAL;
	}
	ret = m->value ? rte_eth_dev_set_link_up(port->id) : rte_eth_dev_set_link_down(port->id);
	ret = port_if_supported(ret);
	if (ret < 0)
		return ret;
	__atomic_store_n(&port->topo->admin_up, m->value, __ATOMIC_RELEASE);
	park_wake(p, UINT64_C(1) << i);
	return 0;
}

/*
 * Parks the port's workers, stops the port, sets the MTU and starts the port. After an error the
 * port runs as well, unless its device is removed just then.
 */
static int mtu_stopped(struct primary *p, unsigned int i, struct knit_msg *m)
{
	struct port *port = &p->ports[i];
	int ret, started;

	ret = port_pause(p, i, m->text, sizeof(m->text));
	if (ret < 0)
		return ret;
	ret = port_stop(p, i);
	if (ret == 0)
		ret = rte_eth_dev_set_mtu(port->id, m->value);
	started = port_start(p, i);
	if (started < 0) {
		ret = started;
		rte_eth_dev_set_mtu(port->id, port->topo->mtu);
		started = port_start(p, i);
	}
	if (port_go_on(p, i, started) < 0)
		return port_is_removed(port) ? op_on_removed(m) : started;
	return ret;
}

static int op_mtu(struct primary *p, unsigned int i, struct knit_msg *m)
{
	struct port *port = &p->ports[i];
	const struct knit_driver *driver;
	struct rte_eth_dev_info info;
	uint16_t max;
	int ret;

	ret = rte_eth_dev_info_get(port->id, &info);
	if (ret < 0)
		return ret;
	driver = knit_driver_find(info.driver_name);
	max = port_offload_max_mtu(p->conf, i, &info);
	if (m->value < info.min_mtu || m->value > max) {
		KNIT_MSG_TEXT(m, "mtu %u: driver %s%s allows %u to %u", m->value, info.driver_name,
			      max < knit_driver_max_mtu(&info) ? " with tx = \"fast\"" : "",
			      info.min_mtu, max);
		return -EINVAL;
	}
	if (m->value == port->topo->mtu)
		return 0;
	if (driver->tap)
		ret = port_tap_set_mtu(port, m->value);
	else
		ret = driver->mtu_stopped ? -EBUSY : rte_eth_dev_set_mtu(port->id, m->value);
	if (ret == -EBUSY)
		ret = mtu_stopped(p, i, m);
	if (ret < 0)
		return ret;
	port->topo->mtu = m->value;
	port->setup.mtu = m->value;
	return 0;
}

static int op_mac(struct primary *p, unsigned int i, struct knit_msg *m)
{
	struct port *port = &p->ports[i];
	struct rte_ether_addr mac;
	uint64_t word;
	int ret;

	memcpy(mac.addr_bytes, m->mac, sizeof(mac.addr_bytes));
	if (!rte_is_valid_assigned_ether_addr(&mac)) {
		KNIT_MSG_TEXT(m, "a multicast or zero address can't be a port's");
		return -EADDRNOTAVAIL;
	}
	ret = rte_eth_dev_default_mac_addr_set(port->id, &mac);
	if (ret < 0)
		return ret;
	memcpy(&word, m->mac, sizeof(word));
	/* Workers read it at any moment, so it is written by one store. */
	__atomic_store_n((uint64_t *)(void *)port->topo->mac, word, __ATOMIC_RELEASE);
	return 0;
}

static int op_promisc(struct primary *p, unsigned int i, struct knit_msg *m)
{
	return port_set_promisc(&p->ports[i], m->value);
}

static int op_allmulti(struct primary *p, unsigned int i, struct knit_msg *m)
{
	return port_set_allmulti(&p->ports[i], m->value);
}

static int op_rxlist(struct primary *p, unsigned int i, struct knit_msg *m)
{
	const struct knit_topo_rxlist *list = &p->topo->control.rxlist;
	unsigned int n_uc = list->n_uc, n_mc = list->n_mc;

	if (n_uc > KNIT_RXLIST_MAX || n_mc > KNIT_RXLIST_MAX) {
		KNIT_MSG_TEXT(m, "%u unicast and %u multicast addresses: %d each are allowed", n_uc,
			      n_mc, KNIT_RXLIST_MAX);
		return -EINVAL;
	}
	knit_macs_set(&p->topo->ports[i].further, list->addr, n_uc);
	return port_set_lists(&p->ports[i], list->addr, n_uc, n_mc);
}

static void tell_refused(const struct primary *p, const struct knit_msg *m, int why)
{
	EVENT(REQUEST_REFUSED, EV(p->topo->ports[m->port].name), EV(knit_op_name(m->op)),
	      EV(m->text[0] ? m->text : rte_strerror(-why)));
}

int port_op(struct primary *p, struct knit_msg *m)
{
	static int (*const ops[KNIT_OP_COUNT])(struct primary *, unsigned int,
					       struct knit_msg *) = {
		[KNIT_OP_LINK] = op_link,	  [KNIT_OP_MTU] = op_mtu,
		[KNIT_OP_MAC] = op_mac,		  [KNIT_OP_PROMISC] = op_promisc,
		[KNIT_OP_ALLMULTI] = op_allmulti, [KNIT_OP_RXLIST] = op_rxlist,
	};
	int netns, ret;

	ret = registry_is_control(p, m);
	if (ret < 0)
		return ret;
	if (m->op >= KNIT_OP_COUNT || ops[m->op] == NULL || m->port >= p->topo->n_ports) {
		KNIT_MSG_TEXT(m, "operation %u on port %u: there is none such", m->op, m->port);
		return -EINVAL;
	}
	pthread_mutex_lock(&p->drivers);
	ret = port_enter(&p->ports[m->port], &netns);
	if (ret == 0)
		ret = port_is_removed(&p->ports[m->port]) ? op_on_removed(m)
							  : ops[m->op](p, m->port, m);
	knit_netns_leave(&netns);
	pthread_mutex_unlock(&p->drivers);
	if (ret < 0 && ret != -EINPROGRESS)
		tell_refused(p, m, ret);
	return ret;
}

void port_op_give_up(const struct primary *p, struct knit_msg *m)
{
	m->result = -EBUSY; /* the text says who was in the way */
	tell_refused(p, m, m->result);
}
