// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "change_poll.h"

#include "kni/base/log.h"
#include "memory/pool_size.h"
#include "port/port_driver.h"
#include "port/port_setup.h"
#include "port/port_tap.h"
#include "primary.h"
#include "process/park.h"
#include "process/registry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long a change waits for the reset of a dead worker's domain. */
#define RESET_WAIT_MS 5000

static int make_plan(struct primary *p, struct change *c, char *why, size_t len)
{
	char *text = NULL;
	size_t size;
	FILE *err = open_memstream(&text, &size);
	int ret = -ENOMEM;

	c->plan = &p->topo->plan[(p->plan->number + 1) % 2];
	if (err) {
		ret = knit_plan_make(c->plan, c->wanted, err);
		fclose(err);
	}
	c->plan->number = p->plan->number + 1;
	if (ret < 0)
		snprintf(why, len, "%s", text ? text : "no memory");
	free(text);
	return ret;
}

static void find_objects(const struct primary *p, struct change *c)
{
	unsigned int i;

	for (i = 0; i < KNIT_MAX_PORTS; i++) {
		if (c->wanted->ports[i].there && !p->plan->ports[i].there)
			c->new_ports |= UINT64_C(1) << i;
		if (!c->wanted->ports[i].there && p->plan->ports[i].there)
			c->gone_ports |= UINT64_C(1) << i;
	}
	for (i = 0; i < KNIT_MAX_CONF_IFACES; i++) {
		if (c->wanted->ifaces[i].there && !p->plan->ifaces[i].there)
			c->new_ifaces |= UINT64_C(1) << i;
		if (!c->wanted->ifaces[i].there && p->plan->ifaces[i].there)
			c->gone_ifaces |= UINT64_C(1) << i;
	}
}

/* Whether the queues of port i are the same workers' in both plans. */
static bool same_queues(const struct knit_plan *a, const struct knit_plan *b, unsigned int i)
{
	unsigned int w;

	for (w = 0; w < KNIT_MAX_WORKERS; w++)
		if (a->workers[w].rxq[i] != b->workers[w].rxq[i] ||
		    a->workers[w].txq[i] != b->workers[w].txq[i])
			return false;
	return true;
}

/* A port whose device was taken away stays as it is. */
static bool is_usable(const struct port *port)
{
	return !port->released && !__atomic_load_n(&port->topo->removed, __ATOMIC_ACQUIRE);
}

/* Its driver would keep mbufs of the queues that it has. */
static int check_driver(const struct primary *p, unsigned int i, char *why, size_t len)
{
	const struct port *port = &p->ports[i];

	if (port->tap && !port_tap_is_there(port)) {
		snprintf(why, len, "port %s: its kernel device %s was deleted: remove the port",
			 port->topo->name, port->topo->ifname);
		return -ENODEV;
	}
	if (port->renewable || knit_driver_find(port->topo->driver)->reset == KNIT_RESET_PORT)
		return 0;
	snprintf(why, len, "port %s: driver %s can't set up its queues again: a start is needed",
		 port->topo->name, port->topo->driver);
	return -ENOTSUP;
}

static int choose_setups(struct primary *p, struct change *c, char *why, size_t len)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < KNIT_MAX_PORTS && ret == 0; i++) {
		if (!c->wanted->ports[i].there || !p->plan->ports[i].there ||
		    !is_usable(&p->ports[i]))
			continue;
		ret = port_setup_choose(p, i, c->wanted, c->plan, &c->setup[i], why, len);
		if (ret == 0 && (port_setup_differs(&c->setup[i], &p->ports[i].setup) ||
				 !same_queues(p->plan, c->plan, i)))
			c->set_up |= UINT64_C(1) << i;
		if (ret == 0 && c->set_up & UINT64_C(1) << i)
			ret = check_driver(p, i, why, len);
	}
	return ret;
}

/*
 * All but hand-off queues, which are made later: another worker may get one to this one, or lose
 * it. The members are compared one by one, since there may be gaps between them.
 */
static bool same_share(const struct knit_plan *a, const struct knit_plan *b, unsigned int w)
{
	const struct knit_plan_worker *x = &a->workers[w], *y = &b->workers[w];
	unsigned int i, v;

	if (x->there != y->there || x->n_rules != y->n_rules ||
	    memcmp(x->rules, y->rules, sizeof(x->rules)) != 0 ||
	    memcmp(x->rxq, y->rxq, sizeof(x->rxq)) != 0 ||
	    memcmp(x->txq, y->txq, sizeof(x->txq)) != 0 ||
	    memcmp(x->tx_owner, y->tx_owner, sizeof(x->tx_owner)) != 0 ||
	    memcmp(x->pair, y->pair, sizeof(x->pair)) != 0)
		return false;
	for (i = 0; i < KNIT_MAX_PORTS; i++) {
		if (x->rxq[i] < 0)
			continue;
		if (a->ports[i].iface != b->ports[i].iface)
			return false;
		for (v = 0; v < KNIT_MAX_WORKERS; v++)
			if ((a->workers[v].tx_owner[i] == (int)w) !=
			    (b->workers[v].tx_owner[i] == (int)w))
				return false;
	}
	return true;
}

static bool other_cpus(const struct knit_conf_worker *a, const struct knit_conf_worker *b)
{
	return a->lcore != b->lcore || strcmp(a->cpus, b->cpus) != 0;
}

static void find_workers(const struct primary *p, struct change *c)
{
	const struct knit_conf_worker *conf;
	unsigned int i;

	for (i = 0; i < KNIT_MAX_WORKERS; i++) {
		c->other_workers |= p->plan->workers[i].there != c->plan->workers[i].there ||
				    !same_share(p->plan, c->plan, i);
		if (!p->plan->workers[i].there)
			continue;
		conf = &c->wanted->workers[i];
		if (!conf->there || other_cpus(conf, &p->conf->workers[i]))
			c->leaves |= UINT32_C(1) << i;
		if (c->leaves & UINT32_C(1) << i || !same_share(p->plan, c->plan, i) ||
		    knit_plan_has_queue(&p->plan->workers[i], c->set_up) ||
		    knit_plan_has_queue(&c->plan->workers[i], c->set_up))
			c->parked |= UINT32_C(1) << i;
	}
}

bool change_needs_plan(const struct change *c)
{
	return c->parked || c->set_up || c->new_ports || c->gone_ports || c->new_ifaces ||
	       c->gone_ifaces || c->other_workers;
}

/*
 * Every worker follows a plan before the next one can come. It would stay as it is until somebody
 * resumes it, and the change with it. While the change is under way, nobody can park one.
 */
static int check_held(const struct primary *p, const struct change *c, char *why, size_t len)
{
	unsigned int i;

	for (i = 0; i < KNIT_MAX_WORKERS && change_needs_plan(c); i++) {
		if (!park_is_held(&p->topo->workers[i]))
			continue;
		snprintf(why, len,
			 "worker %u is parked, and has to follow: `knit worker resume %u`", i, i);
		return -EBUSY;
	}
	return 0;
}

/* Pools keep their size. A worker that needs more of them can have it from a start on. */
static int check_pools(const struct primary *p, const struct knit_config *wanted,
		       struct pool_plan *pools, char *why, size_t len)
{
	struct host_nodes nodes;
	unsigned int node;

	host_nodes_read(wanted, &nodes);
	pool_plan(wanted, &nodes, pools);
	for (node = 0; node < KNIT_MAX_NODES; node++) {
		pools->n_mbufs[node] = p->pools.n_mbufs[node];
		if (pools->needed[node] <= p->pools.n_mbufs[node])
			continue;
		snprintf(why, len,
			 "a worker needs %u mbufs on NUMA node %u, and the pools there were made "
			 "with %u: a larger mempool.headroom is needed, from a start on",
			 pools->needed[node], node, p->pools.n_mbufs[node]);
		return -ENOMEM;
	}
	return 0;
}

/*
 * What the second pass would be refused for, as far as it can be known before the first one takes
 * objects away: they would come back without what had been set on them.
 */
static int check_second_pass(const struct primary *p, const struct change *c, char *why, size_t len)
{
	const struct knit_config *wanted = c->asked.wanted;
	struct knit_plan *plan = malloc(sizeof(*plan));
	struct port_setup setup;
	struct pool_plan pools;
	unsigned int i;
	int ret;

	if (plan == NULL) {
		snprintf(why, len, "no memory");
		return -ENOMEM;
	}
	ret = check_pools(p, wanted, &pools, why, len);
	if (ret == 0)
		ret = knit_plan_make(plan, wanted, stderr);
	for (i = 0; i < KNIT_MAX_PORTS && ret == 0; i++)
		if (wanted->ports[i].there && c->wanted->ports[i].there &&
		    p->plan->ports[i].there && is_usable(&p->ports[i]))
			ret = port_setup_choose(p, i, wanted, plan, &setup, why, len);
	free(plan);
	return ret;
}

void change_check(struct primary *p, struct change *c)
{
	char why[256] = "";
	int ret;

	if (p->restart) {
		change_fail(c, CHANGE_CLEAN, -EBUSY, "the primary starts anew");
		return;
	}
	if (registry_any_dead(p)) {
		if (change_is_late(c, RESET_WAIT_MS))
			change_fail(c, CHANGE_CLEAN, -EBUSY,
				    "the domain of a dead worker waits for its reset");
		return;
	}
	ret = make_plan(p, c, why, sizeof(why));
	if (ret == 0)
		find_objects(p, c);
	if (ret == 0)
		ret = check_pools(p, c->wanted, &c->pools, why, sizeof(why));
	if (ret == 0 && c->asked.without == c->wanted)
		ret = check_second_pass(p, c, why, sizeof(why));
	if (ret == 0) {
		pthread_mutex_lock(&p->drivers);
		ret = choose_setups(p, c, why, sizeof(why));
		pthread_mutex_unlock(&p->drivers);
	}
	if (ret == 0)
		find_workers(p, c);
	if (ret == 0)
		ret = check_held(p, c, why, sizeof(why));
	change_end(c, ret, why, c->check_only ? CHANGE_CLEAN : CHANGE_BUILD, CHANGE_CLEAN);
}
