// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "change_poll.h"

#include "kni/base/log.h"
#include "kni/private.h"
#include "memory/handoff.h"
#include "memory/pool.h"
#include "port/port.h"
#include "port/port_driver.h"
#include "primary.h"
#include "process/registry.h"
#include "system/rundir/rundir.h"
#include "system/topology/handoff.h"

#include <rte_errno.h>
#include <rte_mempool.h>

#include <errno.h>
#include <stdio.h>

/*
 * A driver that takes RTNL, in the thread for whose answer the kernel may wait with it. At a start,
 * all interfaces know of such a port.
 */
static int check_requests(const struct primary *p, unsigned int i, char *why, size_t len)
{
	const struct knit_topo_iface *iface;
	unsigned int k;

	if (knit_driver_find(p->topo->ports[i].driver)->sync)
		return 0;
	for (k = 0; k < KNIT_MAX_CONF_IFACES; k++) {
		iface = &p->topo->ifaces[k];
		if (!iface->there || iface->kni->engine_kind != KNIT_ENGINE_KMOD ||
		    iface->kni->async || p->conf->ifaces[k].requests == KNIT_REQUEST_SYNC)
			continue;
		snprintf(why, len,
			 "port %s: its driver needs asynchronous requests, and those of interface "
			 "%s are synchronous since the start: a start is needed, with this port or "
			 "with requests = \"asynchronous\"",
			 p->topo->ports[i].name, iface->name);
		return -EBUSY;
	}
	return 0;
}

static int build_ports(struct primary *p, struct change *c, char *why, size_t len)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < KNIT_MAX_PORTS && ret == 0; i++) {
		if (!(c->new_ports & UINT64_C(1) << i))
			continue;
		knit_topo_name_port(&p->topo->ports[i], &c->wanted->ports[i]);
		ret = port_make_or_null(p, i, c->wanted, c->plan, why, len);
		if (ret == 0)
			ret = check_requests(p, i, why, len);
	}
	return ret;
}

/* What is in force stays there if a secondary does not answer: it is an empty place to knit. */
static void unbuild_ports(struct primary *p, struct change *c)
{
	unsigned int i;
	int ret;

	for (i = 0; i < KNIT_MAX_PORTS; i++) {
		if (!(c->new_ports & UINT64_C(1) << i) || p->ports[i].conf == NULL)
			continue;
		ret = port_unmake(p, i);
		if (ret < 0)
			log_warn("port %s: its device can't be removed again: %s",
				 c->wanted->ports[i].name, rte_strerror(-ret));
		port_forget(p, i);
	}
}

static bool is_new_worker(const struct primary *p, const struct change *c, unsigned int i)
{
	return c->wanted->workers[i].there && !p->topo->workers[i].there;
}

static int build_pools(struct primary *p, struct change *c, char *why, size_t len)
{
	unsigned int i;

	for (i = 0; i < KNIT_MAX_WORKERS; i++) {
		if (!is_new_worker(p, c, i))
			continue;
		p->topo->workers[i].pool = primary_pool_create(p, i, &c->pools);
		if (p->topo->workers[i].pool)
			continue;
		snprintf(why, len,
			 "no memory for the pool of worker %u: more hugepages are needed "
			 "(eal.headroom), from a start on",
			 i);
		return -ENOMEM;
	}
	return 0;
}

static void unbuild_pools(struct primary *p, struct change *c)
{
	unsigned int i;

	for (i = 0; i < KNIT_MAX_WORKERS; i++) {
		if (!is_new_worker(p, c, i))
			continue;
		rte_mempool_free(p->topo->workers[i].pool);
		p->topo->workers[i].pool = NULL;
	}
}

/* Whether x goes on: the same ends, as long as the transmit queue that it stands for. */
static bool is_kept(const struct change *c, const struct knit_handoff *x, unsigned int port,
		    unsigned int w)
{
	return x && x->consumer == c->plan->workers[w].tx_owner[port] &&
	       x->size == knit_handoff_size(c->wanted->ports[port].tx_desc);
}

static int build_handoffs(struct primary *p, struct change *c, char *why, size_t len)
{
	struct knit_plan_worker *next;
	unsigned int k, w;
	int ret = 0;

	for (k = 0; k < KNIT_MAX_PORTS; k++) {
		for (w = 0; w < KNIT_MAX_WORKERS && ret == 0; w++) {
			next = &c->plan->workers[w];
			if (next->tx_owner[k] < 0 || next->tx_owner[k] == (int)w)
				continue;
			if (is_kept(c, p->plan->workers[w].handoff[k], k, w))
				next->handoff[k] = p->plan->workers[w].handoff[k];
			else
				ret = primary_handoff_create(p, c->plan, k, w,
							     c->wanted->ports[k].tx_desc);
		}
	}
	if (ret < 0)
		snprintf(why, len, "no memory for a hand-off queue");
	return ret;
}

static bool plan_has(const struct knit_plan *plan, const struct knit_handoff *x)
{
	unsigned int k, w;

	for (w = 0; w < KNIT_MAX_WORKERS; w++)
		for (k = 0; k < KNIT_MAX_PORTS; k++)
			if (plan->workers[w].handoff[k] == x)
				return true;
	return false;
}

/* Calls act for all hand-off queues of one plan that another one has not. */
static void for_gone(const struct knit_plan *gone, const struct knit_plan *kept,
		     void (*act)(struct knit_handoff *x))
{
	struct knit_handoff *x;
	unsigned int k, w;

	for (w = 0; w < KNIT_MAX_WORKERS; w++) {
		for (k = 0; k < KNIT_MAX_PORTS; k++) {
			x = gone->workers[w].handoff[k];
			if (x && !plan_has(kept, x))
				act(x);
		}
	}
}

static void drain(struct knit_handoff *x)
{
	knit_handoff_drain(x);
}

void change_drain_handoffs(const struct knit_plan *gone, const struct knit_plan *kept)
{
	for_gone(gone, kept, drain);
}

void change_free_handoffs(const struct knit_plan *gone, const struct knit_plan *kept)
{
	for_gone(gone, kept, primary_handoff_free);
}

void change_build(struct primary *p, struct change *c)
{
	char why[256] = "";
	int ret;

	/*
	 * EAL tells all secondaries of a new device. One that attaches could miss it, and one that
	 * has ended does not answer.
	 */
	if (registry_any_dead(p) || registry_any_ended(p) || registry_block_attach(p) < 0) {
		if (p->restart || change_is_late(c, CHANGE_ATTACH_MS))
			change_fail(c, CHANGE_CLEAN, -EBUSY,
				    "a process is attaching, or has died, and does not get on");
		return;
	}
	c->built = true;
	ret = build_ports(p, c, why, sizeof(why));
	if (ret == 0)
		ret = build_pools(p, c, why, sizeof(why));
	if (ret == 0)
		ret = build_handoffs(p, c, why, sizeof(why));
	knit_rundir_unblock_attach();
	change_end(c, ret, why, CHANGE_MAKE, CHANGE_CLEAN);
}

void change_unbuild(struct primary *p, struct change *c)
{
	if (!c->built)
		return;
	change_free_handoffs(c->plan, p->plan);
	unbuild_pools(p, c);
	pthread_mutex_lock(&p->drivers);
	unbuild_ports(p, c);
	pthread_mutex_unlock(&p->drivers);
}
