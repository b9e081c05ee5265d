// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "iface.h"

#include "event/event.h"
#include "kni/base/handover.h"
#include "kni/base/log.h"
#include "kni/base/netns.h"
#include "kni/engine/engine.h"
#include "kni/engine/select.h"
#include "port/port_driver.h"
#include "port/port_offload.h"
#include "port/port_pause.h"
#include "port/port_tap.h"
#include "primary.h"
#include "system/config/cpus.h"

#include <rte_ethdev.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

/*
 * The kernel holds RTNL while it waits for the answer to a synchronous request. One thread answers
 * for all ports. It may be busy with another port, whose driver waits for RTNL. So one port with
 * such a driver makes the requests of all interfaces asynchronous.
 */
static const struct port *port_that_needs_rtnl(const struct primary *p)
{
	unsigned int i;

	for (i = 0; i < p->topo->n_ports; i++)
		if (p->topo->ports[i].there && !knit_driver_find(p->topo->ports[i].driver)->sync)
			return &p->ports[i];
	return NULL;
}

static bool is_async(const struct primary *p, const struct knit_conf_iface *c)
{
	const struct port *port = port_that_needs_rtnl(p);

	if (c->requests == KNIT_REQUEST_AUTO)
		return port != NULL;
	if (c->requests == KNIT_REQUEST_SYNC && port)
		log_warn("interface %s: requests = \"synchronous\": control operations of port %s "
			 "may need the lock that the kernel holds while it waits; ip link may time "
			 "out",
			 c->name, port->conf->name);
	return c->requests == KNIT_REQUEST_ASYNC;
}

static bool is_kmod_iface(const struct knit_conf_iface *c)
{
	const struct knit_engine_ops *engine = knit_engine_get(c->engine);

	return engine && engine->kind == KNIT_ENGINE_KMOD;
}

static uint16_t largest_mtu(const struct primary *p, const struct knit_config *conf,
			    const struct knit_conf_iface *c)
{
	struct rte_eth_dev_info info;

	if (c->port < 0 || rte_eth_dev_info_get(p->ports[c->port].id, &info) < 0)
		return c->max_mtu;
	return RTE_MIN(c->max_mtu, (uint32_t)port_offload_max_mtu(conf, c->port, &info));
}

static void cpus_leave_out(struct knit_cpu_set *set, uint32_t lcore, const char *cpus)
{
	struct knit_cpu_set own;
	unsigned int i;

	knit_cpus_of(lcore, cpus, &own);
	for (i = 0; i < RTE_DIM(own.bits); i++)
		set->bits[i] &= ~own.bits[i];
}

/*
 * The CPUs for engine threads: those configured, else all that are not an lcore's. Any CPU if none
 * is left.
 */
static const cpu_set_t *engine_cpus(const struct knit_config *c, cpu_set_t *set)
{
	struct knit_cpu_set own;
	unsigned int i;

	_Static_assert(sizeof(own) == sizeof(*set), "both are a bit for each of 1024 CPUs");
	if (!knit_cpus_parse(c->tap.cpus, &own)) {
		knit_cpus_allowed(&own);
		cpus_leave_out(&own, c->eal.lcore, c->eal.cpus);
		cpus_leave_out(&own, c->control.lcore, c->control.cpus);
		for (i = 0; i < c->n_workers; i++)
			if (c->workers[i].there)
				cpus_leave_out(&own, c->workers[i].lcore, c->workers[i].cpus);
	}
	memcpy(set, &own, sizeof(*set));
	return CPU_COUNT(set) ? set : NULL;
}

/* "auto" can be decided by the environment, as the engine can. Or a negative errno, logged. */
static int iface_handover(const struct knit_conf_iface *c)
{
	int mode = knit_handover_parse(c->handover);

	return mode == KNIT_HANDOVER_AUTO ? knit_handover_wanted() : mode;
}

uint16_t primary_iface_pairs(const struct knit_config *all, const struct knit_plan *plan,
			     unsigned int i)
{
	uint16_t n = knit_plan_pairs(plan, i);

	n = RTE_MAX(n, 1);
	return n > all->eal.max_workers ? n : all->eal.max_workers;
}

int primary_iface_create(struct primary *p, unsigned int i, const struct knit_config *all,
			 const struct knit_plan *plan)
{
	cpu_set_t cpus;
	const struct knit_conf_iface *c = &all->ifaces[i];
	struct knit_topo_iface *topo = &p->topo->ifaces[i];
	int handover = iface_handover(c);
	struct rte_kni *kni;
	struct knit_iface_conf conf = {
		.engine = c->engine,
		.netns = c->netns[0] ? c->netns : NULL,
		.mtu = c->mtu,
		.min_mtu = c->min_mtu,
		.max_mtu = largest_mtu(p, all, c),
		.n_pairs = primary_iface_pairs(all, plan, i),
		.port_id = UINT16_MAX,
		.ring_size = c->ring_size,
		.features = KNIT_FEAT_ALL | (c->big_tcp ? KNIT_FEAT_BIG_TCP : 0),
		.core_id = c->core >= 0 ? c->core : 0,
		.force_bind = c->core >= 0 && (all->tap.thread_per_pair || is_kmod_iface(c)),
		.cpus = engine_cpus(all, &cpus),
		.thread_per_pair = all->tap.thread_per_pair,
		.async = is_async(p, c),
		.carrier = c->port < 0,
		.merge_datagrams = c->merge_datagrams,
		.handover = handover,
		.io_uring = all->tap.io_uring,
	};

	if (handover < 0)
		return handover;
	snprintf(conf.name, sizeof(conf.name), "%s", c->name);
	memcpy(conf.mac, c->mac, sizeof(conf.mac));
	if (c->port >= 0 && memcmp(c->mac, "\0\0\0\0\0\0", 6) == 0)
		memcpy(conf.mac, p->ports[c->port].own_mac, sizeof(conf.mac));
	if (conf.mtu == 0)
		conf.mtu = c->port >= 0 ? p->topo->ports[c->port].mtu : 1500;
	kni = knit_iface_create(&conf);
	if (kni == NULL) {
		log_err("interface %s: %s", c->name, rte_strerror(rte_errno));
		return -rte_errno;
	}
	pthread_mutex_lock(&p->places);
	snprintf(topo->name, sizeof(topo->name), "%s", c->name);
	topo->kni = kni;
	p->topo->n_ifaces = RTE_MAX(p->topo->n_ifaces, i + 1);
	__atomic_store_n(&topo->there, 1, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&p->places);
	EVENT(INTERFACE_MADE, EV(c->name), EV(topo->kni->engine->name));
	return 0;
}

int primary_ifaces_create(struct primary *p)
{
	unsigned int i;
	int ret;

	for (i = 0; i < p->topo->n_ifaces; i++) {
		if (!p->conf->ifaces[i].there)
			continue;
		ret = primary_iface_create(p, i, p->conf, p->plan);
		if (ret < 0)
			return ret;
	}
	return 0;
}

void primary_iface_destroy(struct primary *p, unsigned int i)
{
	struct knit_topo_iface *topo = &p->topo->ifaces[i];
	struct rte_kni *kni = topo->kni;
	char name[IFNAMSIZ];
	bool was_there;

	if (!topo->there)
		return;
	memcpy(name, topo->name, sizeof(name));
	pthread_mutex_lock(&p->places);
	__atomic_store_n(&topo->there, 0, __ATOMIC_RELEASE);
	*topo = (struct knit_topo_iface){ 0 };
	pthread_mutex_unlock(&p->places);
	/* Somebody else may have removed it: that was an event of its own. */
	was_there = kni->ifindex != 0;
	knit_iface_destroy(kni);
	if (was_there)
		EVENT(INTERFACE_GONE, EV(name));
}

void primary_ifaces_destroy(struct primary *p)
{
	unsigned int i;

	for (i = KNIT_MAX_CONF_IFACES; i-- > 0;)
		primary_iface_destroy(p, i);
}

/* 1: somebody has the drivers. The caller tries again soon. */
static int port_get_link(struct primary *p, struct port *port, struct rte_eth_link *link)
{
	int ret;

	memset(link, 0, sizeof(*link));
	if (port->topo->removed)
		return 0;
	if (pthread_mutex_trylock(&p->drivers))
		return 1;
	if (port->tap)
		port_tap_follow(port);
	ret = rte_eth_link_get_nowait(port->id, link);
	if (port->tap)
		link->link_status = port_tap_link_up(port);
	pthread_mutex_unlock(&p->drivers);
	return ret;
}

static void tell_link(struct port *port, bool up, const struct rte_eth_link *link)
{
	if (up == port->topo->link_up && link->link_speed == port->topo->link_speed)
		return;
	port->topo->link_up = up;
	port->topo->link_speed = link->link_speed;
	if (up)
		EVENT(LINK_UP, EV(port->topo->name),
		      EV(link->link_speed == UINT32_MAX ? 0 : link->link_speed));
	else
		EVENT(LINK_DOWN, EV(port->topo->name));
}

/*
 * A port that is held for a restart has no link; its interface's carrier stays as it is. With each
 * plan a port may have another interface, which knows nothing of the link.
 */
bool primary_link_update(struct primary *p, unsigned int i)
{
	const struct knit_plan *plan = knit_topo_plan(p->topo);
	struct port *port = &p->ports[i];
	struct rte_eth_link link;
	struct rte_kni *kni;
	bool up;
	int ret;

	ret = port_get_link(p, port, &link);
	if (ret)
		return ret < 0;
	up = link.link_status == RTE_ETH_LINK_UP && port->topo->admin_up && !port->absent;
	if (!port->topo->removed && port_held(port, up))
		return true;
	if (up == port->topo->link_up && link.link_speed == port->topo->link_speed &&
	    port->link_told == plan->number)
		return true;
	tell_link(port, up, &link);
	port->link_told = plan->number;
	if (plan->ports[i].iface < 0)
		return true;
	kni = p->topo->ifaces[plan->ports[i].iface].kni;
	kni->engine->set_link(kni, up, link.link_speed,
			      link.link_duplex == RTE_ETH_LINK_FULL_DUPLEX);
	return true;
}

static void poll_requests(const char *name, const struct rte_kni *kni, uint64_t *before)
{
	struct knit_engine_req_stats stats = { 0 };

	kni->engine->req_stats(kni, &stats);
	if (stats.timeout > *before)
		EVENT(REQUEST_TIMEOUT, EV(name), EV(stats.timeout - *before));
	*before = stats.timeout;
}

static void poll_removal(const char *name, const struct rte_kni *kni, bool *removed)
{
	if (!*removed && kni->ifindex == 0)
		EVENT(INTERFACE_REMOVED, EV(name));
	*removed = kni->ifindex == 0;
}

void primary_ifaces_poll(struct primary *p)
{
	static struct {
		const struct rte_kni *kni; /* of which the rest is */
		uint64_t generation;
		uint64_t timeouts;
		bool removed;
	} seen[KNIT_MAX_CONF_IFACES];
	const struct knit_topo_iface *iface;
	unsigned int i;

	for (i = 0; i < p->topo->n_ifaces; i++) {
		iface = &p->topo->ifaces[i];
		if (!iface->there)
			continue;
		if (seen[i].kni != iface->kni || seen[i].generation != iface->kni->generation)
			memset(&seen[i], 0, sizeof(seen[i]));
		seen[i].kni = iface->kni;
		seen[i].generation = iface->kni->generation;
		poll_requests(iface->name, iface->kni, &seen[i].timeouts);
		poll_removal(iface->name, iface->kni, &seen[i].removed);
	}
}
