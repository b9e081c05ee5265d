// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_port
#include "domain_reset.h"

#include "event/event.h"
#include "kni/base/log.h"
#include "kni/base/netns.h"
#include "kni/control/pair.h"
#include "kni/engine/engine.h"
#include "memory/handoff.h"
#include "memory/pool.h"
#include "port/port.h"
#include "port/port_driver.h"
#include "port/port_pause.h"
#include "port/port_removal.h"
#include "port/port_renew.h"
#include "port/port_setup.h"
#include "primary.h"
#include "process/park.h"
#include "process/registry.h"
#include "system/rundir/rundir.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include <string.h>

/*
 * Reset of dead domains. A worker that was killed inside a burst leaves its queues, its pool and
 * its rings in any state. So none of these is repaired. They are replaced, in this order:
 *
 *   1  The engine has detached the pairs (registry.c did that at once). New workers are kept out.
 *   2  Live workers with a queue on one of the same ports are parked. These ports are stopped. The
 *      pools of all dead workers forget their objects, so they have room for what drivers free.
 *      Where a driver frees mbufs only when it initialises the device (KNIT_RESET_DEVICE), that is
 *      done now, for all queues of the port.
 *   3  The dead worker's queues, on all ports, are set up again with the spare pool of its NUMA
 *      node. The driver frees the old mbufs into their pool. That pool has forgotten its other
 *      objects, so it has room for them.
 *   4  The queues and cookies of the pairs are emptied, and so are the hand-off queues that the
 *      worker used. The worker at the other end of a hand-off queue has a queue on the same port,
 *      so it is parked. Now nobody holds a mbuf of the old pool. It is rebuilt in place and becomes
 *      the spare. Steps 3 and 4 are repeated for the next dead worker.
 *   5  The ports start, the parked workers continue, and the entries are free.
 *
 * If a live worker cannot be parked, the domain stays as it is, without a pair or an owner. The
 * caller's timer tries the reset again.
 */

/*
 * Tries in a row during which new secondaries are kept out. Otherwise the successor of a dead
 * worker would attach in between, find its domain not reset, and end. But a worker that stands
 * still for long must not keep everybody out.
 */
#define PATIENCE 8
#define SAY_EVERY 64 /* tries, some seconds */

/* A removed device cannot be initialised. */
static bool port_resettable(const struct port *port)
{
	if (port->renewable)
		return !port_is_removed(port);
	return knit_driver_find(port->topo->driver)->reset == KNIT_RESET_PORT;
}

static bool ports_resettable(struct primary *p, uint64_t ports)
{
	unsigned int k;

	for (k = 0; k < p->topo->n_ports; k++) {
		if (!(ports & (UINT64_C(1) << k)) || p->ports[k].released ||
		    port_resettable(&p->ports[k]))
			continue;
		log_err("port %s: a queue of driver %s can't be reset; starting anew",
			p->topo->ports[k].name, p->topo->ports[k].driver);
		return false;
	}
	return true;
}

static int stop_ports(struct primary *p, uint64_t ports)
{
	unsigned int k;
	int ret;

	for (k = 0; k < p->topo->n_ports; k++) {
		if (!(ports & (UINT64_C(1) << k)) || !p->ports[k].started)
			continue;
		port_is_removed(&p->ports[k]);
		ret = port_stop(p, k);
		if (ret < 0 && !port_is_removed(&p->ports[k]))
			return ret;
	}
	return 0;
}

static void forget_pools(struct primary *p)
{
	unsigned int i;

	for (i = 0; i < p->topo->n_workers; i++)
		if (p->topo->workers[i].state == KNIT_PROCESS_DEAD)
			primary_pool_forget(p->topo->workers[i].pool);
}

static int renew_ports(struct primary *p, uint64_t ports)
{
	unsigned int k;
	int ret = 0;

	for (k = 0; k < p->topo->n_ports && ret == 0; k++)
		if (ports & (UINT64_C(1) << k) && !p->ports[k].released && p->ports[k].renewable)
			ret = port_renew(p, k);
	return ret;
}

/* Ports whose device was removed are not started. Their queues are new, and empty. */
static int start_ports(struct primary *p, uint64_t ports)
{
	unsigned int k;
	int ret;

	for (k = 0; k < p->topo->n_ports; k++) {
		if (!(ports & (UINT64_C(1) << k)) || port_is_removed(&p->ports[k]))
			continue;
		ret = port_start(p, k);
		if (ret < 0 && !port_is_removed(&p->ports[k]))
			return ret;
		if (ret > 0)
			registry_end_workers(p, UINT64_C(1) << k);
	}
	return 0;
}

static int replace_queues(struct primary *p, unsigned int w)
{
	int netns, ret = 0;
	unsigned int k;

	for (k = 0; k < p->topo->n_ports && ret == 0; k++) {
		if (p->plan->workers[w].rxq[k] < 0 || p->ports[k].released)
			continue;
		ret = port_enter(&p->ports[k], &netns);
		if (ret < 0)
			break;
		ret = port_queue_setup(p, k, w, p->spare[p->pools.worker[w]]);
		knit_netns_leave(&netns);
	}
	return ret;
}

static unsigned int empty_pairs(struct primary *p, unsigned int w)
{
	const struct knit_plan *plans[] = { p->plan, p->plan_before };
	unsigned int k, i, lost = 0;
	int16_t pair;

	for (i = 0; i < RTE_DIM(plans) && plans[i]; i++) {
		/* By the plan before only what it had not let go: others have the rest. */
		if (i > 0 && p->topo->workers[w].released == p->plan->number)
			break;
		for (k = 0; k < p->topo->n_ifaces; k++) {
			pair = plans[i]->workers[w].pair[k];
			if (pair >= 0 && (i == 0 || pair != p->plan->workers[w].pair[k]))
				lost += knit_pair_reset(p->topo->ifaces[k].kni, pair);
		}
	}
	return lost;
}

static int reset_domain(struct primary *p, unsigned int i)
{
	struct knit_topo_worker *w = &p->topo->workers[i];
	struct rte_mempool **spare = &p->spare[p->pools.worker[i]];
	struct rte_mempool *old = w->pool;
	unsigned int lost;
	int ret;

	primary_pool_forget(old);
	ret = replace_queues(p, i);
	if (ret < 0)
		return ret;
	lost = empty_pairs(p, i) + primary_handoffs_reset(p, i);
	primary_pool_rebuild(old);
	w->pool = *spare;
	*spare = old;
	registry_release_pairs(p, i);
	w->lost_mbufs += lost;
	w->resets++;
	p->resets[i].lost = lost;
	return 0;
}

static int reset_domains(struct primary *p, uint64_t ports)
{
	unsigned int i;
	int ret;

	ret = stop_ports(p, ports);
	forget_pools(p);
	if (ret == 0)
		ret = renew_ports(p, ports);
	for (i = 0; i < p->topo->n_workers && ret == 0; i++)
		if (p->topo->workers[i].state == KNIT_PROCESS_DEAD)
			ret = reset_domain(p, i);
	return ret < 0 ? ret : start_ports(p, ports);
}

static void free_dead_entries(struct primary *p)
{
	struct knit_topo_worker *w;
	unsigned int i;
	uint64_t ms;

	for (i = 0; i < p->topo->n_workers; i++) {
		w = &p->topo->workers[i];
		if (w->state != KNIT_PROCESS_DEAD)
			continue;
		ms = (rte_get_timer_cycles() - p->resets[i].since) * 1000 / rte_get_timer_hz();
		EVENT(WORKER_RESET, EV(w->id), EV(p->resets[i].lost), EV(ms));
		w->pid = 0;
		__atomic_store_n(&w->state, KNIT_PROCESS_FREE, __ATOMIC_RELEASE);
	}
}

bool domain_reset_dead(struct primary *p)
{
	uint64_t ports = registry_dead_ports(p);
	static unsigned int failed;
	char why[160];
	int ret;

	if (!registry_any_dead(p))
		return true;
	if (!ports_resettable(p, ports)) {
		p->restart = 1;
		return true;
	}
	if (park_still_stuck(p, ports)) {
		/* Until that worker makes progress, others may attach and detach. */
		knit_rundir_unblock_attach();
		return false;
	}
	if (registry_block_attach(p) < 0)
		return false;
	if (park_workers(p, ports, why, sizeof(why)) < 0) {
		if (failed++ % SAY_EVERY == 0)
			log_warn("the reset of a dead worker's domain waits: %s", why);
		if (failed % PATIENCE == 0)
			knit_rundir_unblock_attach();
		return false;
	}
	failed = 0;
	port_hold(p, ports);
	pthread_mutex_lock(&p->drivers);
	ret = reset_domains(p, ports);
	pthread_mutex_unlock(&p->drivers);
	if (ret < 0) {
		/* Workers of a port that does not run stay parked until they are told to end. */
		log_err("resetting a dead worker's domain: %s; starting anew", rte_strerror(-ret));
		p->restart = 1;
		return true;
	}
	park_resume(p);
	port_unhold(p, ports);
	knit_rundir_unblock_attach();
	free_dead_entries(p);
	return true;
}
