// SPDX-License-Identifier: BSD-3-Clause
#include "plan.h"

#include "system/config/config_place.h"

#include <rte_common.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What the rules say of one port or interface, worker by worker. */
struct use {
	const struct knit_conf_worker *by; /* first worker that has it, NULL: none */
	const struct knit_conf_rule *rule; /* of that worker */
	int16_t n;			   /* workers so far: the rank of the next one */
};

struct making {
	struct knit_plan *plan;
	const struct knit_config *c;
	FILE *err;
	int errors;
	struct use port[KNIT_MAX_PORTS];
	struct use iface[KNIT_MAX_CONF_IFACES];
};

#define refuse(p, at, ...)                                                                      \
	do {                                                                                    \
		const struct knit_conf_at *place =                                              \
			(at)->rule->at.line ? &(at)->rule->at : &(at)->worker->at;              \
                                                                                                \
		fprintf((p)->err, "%s:%d: worker %" PRIu32 ": ", knit_conf_file((p)->c, place), \
			place->line, (at)->worker->id);                                         \
		fprintf((p)->err, __VA_ARGS__);                                                 \
		(p)->errors++;                                                                  \
	} while (0)

/* The rule that is being looked at. */
struct here {
	const struct knit_conf_worker *worker;
	const struct knit_conf_rule *rule;
};

static bool same_rule(const struct knit_conf_rule *x, const struct knit_conf_rule *y)
{
	if (x->mode != y->mode || x->ifaces != y->ifaces)
		return false;
	return (x->a == y->a && x->b == y->b) || (x->a == y->b && x->b == y->a);
}

/*
 * Packets of one port or interface are spread over its workers, so all must do the same with them.
 */
static bool use_take(struct making *p, const struct here *at, struct use *use, const char *name)
{
	if (use->by == at->worker) {
		refuse(p, at, "\"%s\" is in two rules: one is expected\n", name);
		return false;
	}
	if (use->by && !same_rule(use->rule, at->rule)) {
		refuse(p, at,
		       "another rule for \"%s\" than worker %" PRIu32
		       " has: the same one is expected, packets are spread over both\n",
		       name, use->by->id);
		return false;
	}
	use->by = at->worker;
	use->rule = at->rule;
	use->n++;
	return true;
}

static void plan_take_iface(struct making *p, const struct here *at, int iface)
{
	struct use *use = &p->iface[iface];

	if (use_take(p, at, use, p->c->ifaces[iface].name))
		p->plan->workers[at->worker->id].pair[iface] = use->n - 1;
}

static void plan_take_port(struct making *p, const struct here *at, int port)
{
	struct knit_plan_worker *w = &p->plan->workers[at->worker->id];
	const struct knit_conf_port *conf = &p->c->ports[port];
	struct use *use = &p->port[port];

	if (!use_take(p, at, use, conf->name))
		return;
	if (use->n > 1 && conf->rx_spread == KNIT_SPREAD_NONE) {
		refuse(p, at,
		       "port \"%s\" has one receive queue (rx_spread = \"none\"): found %d "
		       "workers for it: one is expected\n",
		       conf->name, use->n);
		return;
	}
	w->rxq[port] = use->n - 1;
	if (p->plan->ports[port].iface >= 0)
		plan_take_iface(p, at, p->plan->ports[port].iface);
}

static bool end_exists(const struct knit_config *c, bool iface, int place)
{
	if (place < 0)
		return false;
	if (iface)
		return (unsigned int)place < c->n_ifaces && c->ifaces[place].there;
	return (unsigned int)place < c->n_ports && c->ports[place].there;
}

static bool ends_exist(const struct making *p, const struct knit_conf_rule *r)
{
	if (r->mode == KNIT_FORWARD_PUNT)
		return !r->ifaces && end_exists(p->c, false, r->a) && r->b == -1;
	return end_exists(p->c, r->ifaces, r->a) && end_exists(p->c, r->ifaces, r->b) &&
	       r->a != r->b;
}

static void plan_rule(struct making *p, const struct here *at)
{
	void (*take_end)(struct making *, const struct here *, int);

	if (!ends_exist(p, at->rule)) {
		refuse(p, at, "a rule from %d to %d: what it names does not exist\n", at->rule->a,
		       at->rule->b);
		return;
	}
	take_end = at->rule->ifaces ? plan_take_iface : plan_take_port;
	take_end(p, at, at->rule->a);
	if (at->rule->b >= 0)
		take_end(p, at, at->rule->b);
	else if (p->plan->ports[at->rule->a].iface < 0)
		refuse(p, at, "punt of port \"%s\": it has no interface\n",
		       p->c->ports[at->rule->a].name);
}

static void plan_worker(struct making *p, unsigned int i)
{
	const struct knit_conf_worker *conf = &p->c->workers[i];
	struct here at = { .worker = conf };
	struct knit_plan_worker *w = &p->plan->workers[i];
	unsigned int k;

	w->there = true;
	w->n_rules = conf->n_rules;
	for (k = 0; k < conf->n_rules; k++) {
		at.rule = &conf->rules[k];
		w->rules[k] = (struct knit_plan_rule){
			.mode = at.rule->mode,
			.ifaces = at.rule->ifaces,
			.a = at.rule->a,
			.b = at.rule->b,
		};
		plan_rule(p, &at);
	}
}

static void plan_nothing(struct knit_plan *plan)
{
	struct knit_plan_worker *w;
	unsigned int i;

	memset(plan, 0, sizeof(*plan));
	for (i = 0; i < KNIT_MAX_PORTS; i++)
		plan->ports[i].iface = -1;
	for (i = 0; i < KNIT_MAX_CONF_IFACES; i++)
		plan->ifaces[i].port = -1;
	for (w = plan->workers; w < plan->workers + KNIT_MAX_WORKERS; w++) {
		for (i = 0; i < KNIT_MAX_PORTS; i++)
			w->rxq[i] = w->txq[i] = w->tx_owner[i] = -1;
		for (i = 0; i < KNIT_MAX_CONF_IFACES; i++)
			w->pair[i] = -1;
	}
}

static void plan_ifaces(struct making *p)
{
	const struct knit_conf_iface *conf;
	struct knit_plan_port *port;
	unsigned int i;

	for (i = 0; i < p->c->n_ifaces; i++) {
		conf = &p->c->ifaces[i];
		p->plan->ifaces[i].there = conf->there;
		if (!conf->there || conf->port < 0)
			continue;
		p->plan->ifaces[i].port = conf->port;
		port = &p->plan->ports[conf->port];
		if (port->iface >= 0) {
			fprintf(p->err,
				"%s:%d: interface \"%s\": port \"%s\" has \"%s\" already: one "
				"interface per port is expected\n",
				knit_conf_file(p->c, &conf->at), conf->at.line, conf->name,
				p->c->ports[conf->port].name, p->c->ifaces[port->iface].name);
			p->errors++;
			continue;
		}
		port->iface = i;
	}
}

int knit_plan_make(struct knit_plan *plan, const struct knit_config *c, FILE *err)
{
	struct making p = { .plan = plan, .c = c, .err = err };
	unsigned int i;
	uint16_t n_tx;

	plan_nothing(plan);
	plan_ifaces(&p);
	for (i = 0; i < c->n_workers; i++)
		if (c->workers[i].there)
			plan_worker(&p, i);
	for (i = 0; i < c->n_ports; i++) {
		plan->ports[i].there = c->ports[i].there;
		plan->ports[i].n_queues = p.port[i].n;
		n_tx = c->ports[i].tx_queues;
		knit_plan_tx(plan, i, n_tx ? n_tx : plan->ports[i].n_queues);
	}
	return p.errors ? -EINVAL : 0;
}

bool knit_plan_fits(const struct knit_config *c, FILE *err)
{
	struct knit_config *placed = malloc(sizeof(*placed));
	struct knit_plan *plan = malloc(sizeof(*plan));
	struct knit_places none = { 0 };
	int ret = -ENOMEM;

	if (placed && plan) {
		*placed = *c;
		ret = knit_config_place(placed, &none, err);
		if (ret == 0)
			ret = knit_plan_make(plan, placed, err);
	} else {
		fprintf(err, "no memory\n");
	}
	free(plan);
	free(placed);
	return ret == 0;
}

/* The worker that has that receive queue: ranks are receive queues. */
static int16_t worker_of_rank(const struct knit_plan *p, unsigned int port, int16_t rank)
{
	unsigned int i;

	for (i = 0; i < KNIT_MAX_WORKERS; i++)
		if (p->workers[i].rxq[port] == rank)
			return i;
	return -1;
}

void knit_plan_tx(struct knit_plan *p, unsigned int port, uint16_t n_tx)
{
	struct knit_plan_worker *w;
	unsigned int i;
	int16_t rank;

	n_tx = RTE_MIN(n_tx, p->ports[port].n_queues);
	p->ports[port].n_tx_queues = n_tx;
	for (i = 0; i < KNIT_MAX_WORKERS; i++) {
		w = &p->workers[i];
		rank = w->rxq[port];
		if (rank < 0 || n_tx == 0)
			continue;
		w->txq[port] = rank < n_tx ? rank : -1;
		w->tx_owner[port] = worker_of_rank(p, port, rank % n_tx);
	}
}

uint16_t knit_plan_pairs(const struct knit_plan *p, unsigned int iface)
{
	unsigned int i;
	uint16_t n = 0;

	for (i = 0; i < KNIT_MAX_WORKERS; i++)
		n += p->workers[i].pair[iface] >= 0;
	return n;
}

bool knit_plan_has_queue(const struct knit_plan_worker *w, uint64_t ports)
{
	unsigned int i;

	for (i = 0; i < KNIT_MAX_PORTS; i++)
		if (ports & (UINT64_C(1) << i) && w->rxq[i] >= 0)
			return true;
	return false;
}
