// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "change_poll.h"

#include "kni/base/doorbell.h"
#include "kni/base/log.h"
#include "kni/control/pair.h"
#include "kni/engine/engine.h"
#include "port/port.h"
#include "port/port_pause.h"
#include "port/port_removal.h"
#include "port/port_setup.h"
#include "primary.h"
#include "process/park.h"
#include "process/registry.h"
#include "system/rundir/rundir.h"
#include "system/topology/watch.h"

#include <rte_cycles.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/*
 * The pause of a change. New workers, ports and queues exist already, and nobody uses them. In this
 * order:
 *
 *   1  Processes that attach are kept out. The workers concerned are parked.
 *   2  The engines let go the pairs that these workers lose.
 *   3  Ports that need it are stopped and set up by the new plan; new ones are started; those that
 *      are gone are stopped.
 *   4  The plan's number is stored: now it is in force, and so is the configuration.
 *   5  The workers go on, and follow it.
 *
 * If 3 fails for a port, all are set up as they were, and the workers go on with the plan that they
 * have. If even that fails, the primary starts anew.
 */

/* What waits in a pair that changes hands has this time to get to the kernel. */
#define SETTLE_US 2000

#define ALL_WORKERS ((UINT32_C(1) << KNIT_MAX_WORKERS) - 1)

static uint32_t attached(const struct primary *p, uint32_t workers)
{
	unsigned int i;

	for (i = 0; i < KNIT_MAX_WORKERS; i++)
		if (p->topo->workers[i].state != KNIT_PROCESS_ATTACHED)
			workers &= ~(UINT32_C(1) << i);
	return workers;
}

static void settle(const struct rte_kni *kni, uint16_t pair, uint64_t end)
{
	const struct timespec pause = { .tv_nsec = 20000 };

	while (knit_pair_to_kernel_queued(kni, pair) && rte_get_timer_cycles() < end)
		nanosleep(&pause, NULL);
}

/* Of worker w: those that it loses. on: for one that stays, after all. */
static void serve_lost_pairs(struct primary *p, const struct change *c, unsigned int w, bool on)
{
	uint64_t end = rte_get_timer_cycles() + rte_get_timer_hz() / 1000000 * SETTLE_US;
	const int16_t *now = p->plan->workers[w].pair, *next = c->plan->workers[w].pair;
	struct rte_kni *kni;
	unsigned int k;

	for (k = 0; k < KNIT_MAX_CONF_IFACES; k++) {
		if (now[k] < 0 || now[k] == next[k])
			continue;
		kni = p->topo->ifaces[k].kni;
		if (on) {
			kni->engine->bind(kni, now[k]);
			continue;
		}
		settle(kni, now[k], end);
		kni->engine->unbind(kni, now[k]);
	}
}

static void serve_all_lost(struct primary *p, const struct change *c, uint32_t workers, bool on)
{
	unsigned int i;

	for (i = 0; i < KNIT_MAX_WORKERS; i++)
		if (workers & UINT32_C(1) << i)
			serve_lost_pairs(p, c, i, on);
}

static int stop_ports(struct primary *p, uint64_t ports)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < KNIT_MAX_PORTS && ret == 0; i++)
		if (ports & UINT64_C(1) << i && p->ports[i].started)
			ret = port_stop(p, i);
	return ret;
}

/* One whose device has vanished can't be stopped; it will be closed all the same. */
static void stop_gone_ports(struct primary *p, uint64_t ports)
{
	unsigned int i;

	for (i = 0; i < KNIT_MAX_PORTS; i++)
		if (ports & UINT64_C(1) << i && p->ports[i].started && port_stop(p, i) < 0)
			p->ports[i].started = false;
}

/* Ports that are stopped, by p's plan and their `setup`. */
static int start_ports(struct primary *p, uint64_t ports)
{
	unsigned int i;
	int ret;

	for (i = 0; i < KNIT_MAX_PORTS; i++) {
		if (!(ports & UINT64_C(1) << i) || p->ports[i].started ||
		    port_is_removed(&p->ports[i]))
			continue;
		ret = port_set_up_and_start(p, i);
		if (ret < 0)
			return ret;
		if (ret > 0)
			registry_end_workers(p, UINT64_C(1) << i);
	}
	return 0;
}

static void swap_setups(struct primary *p, struct change *c)
{
	struct port_setup setup;
	unsigned int i;

	for (i = 0; i < KNIT_MAX_PORTS; i++) {
		if (!(c->set_up & UINT64_C(1) << i))
			continue;
		setup = p->ports[i].setup;
		p->ports[i].setup = c->setup[i];
		c->setup[i] = setup;
	}
}

/* Ports as they were. Nothing can be done for one that does not start. */
static void restore_ports(struct primary *p, struct change *c, struct knit_plan *before)
{
	unsigned int i;

	stop_ports(p, c->set_up);
	swap_setups(p, c);
	p->plan = before;
	if (start_ports(p, c->set_up | c->gone_ports) < 0) {
		log_err("a port can't be set up as it was before; starting anew");
		p->restart = 1;
	}
	for (i = 0; i < KNIT_MAX_PORTS; i++)
		if (c->new_ports & UINT64_C(1) << i && p->ports[i].started)
			port_stop(p, i);
}

static int set_up_ports(struct primary *p, struct change *c, char *why, size_t len)
{
	struct knit_plan *before = p->plan;
	unsigned int i;
	int ret;

	pthread_mutex_lock(&p->drivers);
	ret = stop_ports(p, c->set_up);
	stop_gone_ports(p, c->gone_ports);
	swap_setups(p, c);
	p->plan = c->plan;
	if (ret == 0)
		ret = start_ports(p, c->set_up | c->new_ports);
	for (i = 0; i < KNIT_MAX_PORTS && ret == 0; i++) {
		if (!p->ports[i].started || !c->wanted->ports[i].there)
			continue;
		port_follow_rules(p, i, c->wanted);
		if (before->ports[i].iface != c->plan->ports[i].iface)
			port_leave_iface(p, i, &c->wanted->ports[i]);
	}
	if (ret < 0) {
		snprintf(why, len, "a port can't be set up so: %s; the log says more",
			 rte_strerror(-ret));
		restore_ports(p, c, before);
	}
	pthread_mutex_unlock(&p->drivers);
	return ret;
}

static void fill_places(struct primary *p, const struct change *c)
{
	const struct knit_config *conf = c->wanted;
	struct knit_topo *t = p->topo;
	unsigned int i;

	t->n_ports = RTE_MAX(t->n_ports, conf->n_ports);
	t->n_workers = RTE_MAX(t->n_workers, conf->n_workers);
	for (i = 0; i < KNIT_MAX_PORTS; i++) {
		if (!conf->ports[i].there)
			continue;
		port_adopt_conf(&p->ports[i], &conf->ports[i]);
		__atomic_store_n(&t->ports[i].there, 1, __ATOMIC_RELEASE);
	}
	for (i = 0; i < KNIT_MAX_WORKERS; i++) {
		if (!conf->workers[i].there)
			continue;
		knit_topo_name_worker(&t->workers[i], &conf->workers[i]);
		if (t->watch)
			knit_watch_add(t->watch, conf, i);
	}
}

/* Counters of a port that had the place before are of no use for the one that has it now. */
static void clear_counters(struct primary *p, uint64_t ports)
{
	unsigned int i, w;

	for (i = 0; i < KNIT_MAX_PORTS; i++)
		for (w = 0; ports & UINT64_C(1) << i && w < KNIT_MAX_WORKERS; w++)
			p->topo->workers[w].stats.port[i] = (struct knit_worker_port_stats){ 0 };
}

/* Entries whose process has ended, or has said that it touches nothing any more. */
static void release_absent(struct primary *p)
{
	unsigned int i;

	for (i = 0; i < KNIT_MAX_WORKERS; i++)
		if (p->topo->workers[i].state == KNIT_PROCESS_FREE ||
		    p->topo->workers[i].state == KNIT_PROCESS_DETACHING)
			registry_release_pairs(p, i);
}

static void withdraw_workers(struct primary *p)
{
	unsigned int i;

	for (i = 0; i < KNIT_MAX_WORKERS; i++)
		if (p->topo->workers[i].there && !p->plan->workers[i].there) {
			knit_rundir_withdraw_role(p->conf->eal.prefix, KNIT_ROLE_WORKER, i);
			knit_rundir_withdraw_role(p->conf->eal.prefix, KNIT_ROLE_STANDBY, i);
		}
}

/* What has no plan: live keys. And all else, together with a plan. */
static void adopt_configuration(struct primary *p, struct change *c)
{
	static struct knit_config *older; /* threads may still read what was in force before */

	pthread_mutex_lock(&p->places);
	clear_counters(p, c->new_ports);
	fill_places(p, c);
	p->pools = c->pools;
	free(older);
	older = p->conf;
	__atomic_store_n(&p->conf, c->wanted, __ATOMIC_RELEASE);
	p->topo->config_hash = c->wanted->hash;
	c->in_force = true;
	pthread_mutex_unlock(&p->places);
}

static void come_into_force(struct primary *p, struct change *c, const struct knit_plan *before)
{
	unsigned int i;

	p->plan_before = before;
	adopt_configuration(p, c);
	withdraw_workers(p);
	release_absent(p);
	__atomic_store_n(&p->topo->changing, c->plan->number, __ATOMIC_RELEASE);
	__atomic_store_n(&p->topo->planned, c->plan->number, __ATOMIC_RELEASE);
	c->awaited = attached(p, ALL_WORKERS);
	for (i = 0; i < KNIT_MAX_WORKERS; i++)
		c->generation[i] = p->topo->workers[i].generation;
	for (i = 0; i < KNIT_MAX_WORKERS; i++)
		if (c->leaves & UINT32_C(1) << i && c->wanted->workers[i].there)
			__atomic_store_n(&p->topo->workers[i].leave, p->topo->workers[i].generation,
					 __ATOMIC_RELEASE);
}

/* Between the first worker's stop and the last one's going on. 0, or -errno and why. */
static int pause_and_switch(struct primary *p, struct change *c, char *why, size_t len)
{
	uint32_t workers = attached(p, c->parked);
	uint64_t begun = rte_get_timer_cycles();
	const struct knit_plan *before = p->plan;
	int ret;

	ret = park_set(p, workers, why, len);
	if (ret < 0)
		return ret;
	port_hold(p, c->set_up);
	serve_all_lost(p, c, workers, false);
	ret = set_up_ports(p, c, why, len);
	if (ret == 0) {
		change_drain_handoffs(before, c->plan);
		come_into_force(p, c, before);
	} else if (!p->restart) {
		serve_all_lost(p, c, workers, true);
	}
	if (!p->restart) {
		park_resume(p);
		port_unhold(p, c->set_up);
	}
	c->cost.pause_us += (rte_get_timer_cycles() - begun) * 1000000 / rte_get_timer_hz();
	return ret;
}

/* Whoever sleeps, and has other words to read. */
static void wake_all(const struct primary *p)
{
	unsigned int i;

	for (i = 0; i < KNIT_MAX_WORKERS; i++) {
		knit_doorbell_ring(p->topo->workers[i].doorbell);
		knit_doorbell_ring(p->topo->workers[i].next.doorbell);
	}
	knit_doorbell_ring(p->topo->control.doorbell);
}

void change_switch(struct primary *p, struct change *c)
{
	char why[256] = "";
	int ret;

	if (p->restart || registry_any_dead(p) || registry_block_attach(p) < 0) {
		if (p->restart)
			change_fail(c, CHANGE_UNMAKE, -EBUSY, "the primary starts anew");
		else if (change_is_late(c, CHANGE_ATTACH_MS))
			change_fail(c, CHANGE_UNMAKE, -EBUSY,
				    "a process is attaching, and does not get on");
		return;
	}
	if (!change_needs_plan(c)) {
		knit_rundir_unblock_attach();
		adopt_configuration(p, c);
		wake_all(p);
		change_next(c, CHANGE_UNMAKE);
		return;
	}
	ret = pause_and_switch(p, c, why, sizeof(why));
	knit_rundir_unblock_attach();
	wake_all(p);
	change_end(c, ret, why, CHANGE_FOLLOW, CHANGE_UNMAKE);
}
