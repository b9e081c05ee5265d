// SPDX-License-Identifier: BSD-3-Clause
#include "topo.h"

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

struct plan {
	struct knit_topo *t;
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
	unsigned int index; /* of the worker */
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
static bool use_take(struct plan *p, const struct here *at, struct use *use, const char *name)
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

static void plan_take_iface(struct plan *p, const struct here *at, int iface)
{
	struct use *use = &p->iface[iface];

	if (use_take(p, at, use, p->t->ifaces[iface].name))
		p->t->workers[at->index].pair[iface] = use->n - 1;
}

static void plan_take_port(struct plan *p, const struct here *at, int port)
{
	struct knit_topo_worker *w = &p->t->workers[at->index];
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
	if (p->t->ports[port].iface >= 0)
		plan_take_iface(p, at, p->t->ports[port].iface);
}

static bool ends_exist(const struct plan *p, const struct knit_conf_rule *r)
{
	int n = r->ifaces ? p->c->n_ifaces : p->c->n_ports;

	if (r->mode == KNIT_FORWARD_PUNT)
		return !r->ifaces && r->a >= 0 && r->a < n && r->b == -1;
	return r->a >= 0 && r->a < n && r->b >= 0 && r->b < n && r->a != r->b;
}

static void plan_rule(struct plan *p, const struct here *at)
{
	void (*take_end)(struct plan *, const struct here *, int);

	if (!ends_exist(p, at->rule)) {
		refuse(p, at, "a rule from %d to %d: what it names does not exist\n", at->rule->a,
		       at->rule->b);
		return;
	}
	take_end = at->rule->ifaces ? plan_take_iface : plan_take_port;
	take_end(p, at, at->rule->a);
	if (at->rule->b >= 0)
		take_end(p, at, at->rule->b);
	else if (p->t->ports[at->rule->a].iface < 0)
		refuse(p, at, "punt of port \"%s\": it has no interface\n",
		       p->c->ports[at->rule->a].name);
}

static void plan_worker(struct plan *p, unsigned int index)
{
	const struct knit_conf_worker *conf = &p->c->workers[index];
	struct here at = { .index = index, .worker = conf };
	struct knit_topo_worker *w = &p->t->workers[index];
	unsigned int i;

	w->id = conf->id;
	w->lcore = conf->lcore;
	w->idle = conf->idle;
	w->burst = conf->burst;
	w->n_rules = conf->n_rules;
	for (i = 0; i < KNIT_MAX_PORTS; i++)
		w->rxq[i] = w->txq[i] = w->tx_owner[i] = -1;
	for (i = 0; i < KNIT_MAX_CONF_IFACES; i++)
		w->pair[i] = -1;
	for (i = 0; i < conf->n_rules; i++) {
		at.rule = &conf->rules[i];
		w->rules[i] = (struct knit_topo_rule){
			.mode = at.rule->mode,
			.ifaces = at.rule->ifaces,
			.a = at.rule->a,
			.b = at.rule->b,
		};
		plan_rule(p, &at);
	}
}

static void plan_ports(struct plan *p)
{
	struct knit_topo_port *port;
	unsigned int i;

	for (i = 0; i < p->c->n_ports; i++) {
		port = &p->t->ports[i];
		snprintf(port->name, sizeof(port->name), "%s", p->c->ports[i].name);
		snprintf(port->device, sizeof(port->device), "%s", p->c->ports[i].device);
		port->port_id = UINT16_MAX;
		port->iface = -1;
	}
}

static void plan_ifaces(struct plan *p)
{
	const struct knit_conf_iface *conf;
	struct knit_topo_port *port;
	unsigned int i;

	for (i = 0; i < p->c->n_ifaces; i++) {
		conf = &p->c->ifaces[i];
		snprintf(p->t->ifaces[i].name, sizeof(p->t->ifaces[i].name), "%s", conf->name);
		p->t->ifaces[i].port = conf->port;
		if (conf->port < 0)
			continue;
		port = &p->t->ports[conf->port];
		if (port->iface >= 0) {
			fprintf(p->err,
				"%s:%d: interface \"%s\": port \"%s\" has \"%s\" already: one "
				"interface per port is expected\n",
				knit_conf_file(p->c, &conf->at), conf->at.line, conf->name,
				port->name, p->t->ifaces[port->iface].name);
			p->errors++;
			continue;
		}
		port->iface = i;
	}
}

int knit_topo_plan(struct knit_topo *t, const struct knit_config *c, FILE *err)
{
	struct plan p = { .t = t, .c = c, .err = err };
	unsigned int i;
	uint16_t n_tx;

	t->config_hash = c->hash;
	t->n_ports = c->n_ports;
	t->n_ifaces = c->n_ifaces;
	t->n_workers = c->n_workers;
	t->control.lcore = c->control.lcore;
	plan_ports(&p);
	plan_ifaces(&p);
	for (i = 0; i < c->n_workers; i++)
		plan_worker(&p, i);
	for (i = 0; i < c->n_ports; i++) {
		t->ports[i].n_queues = p.port[i].n;
		n_tx = c->ports[i].tx_queues;
		knit_topo_plan_tx(t, i, n_tx ? n_tx : t->ports[i].n_queues);
	}
	return p.errors ? -EINVAL : 0;
}

bool knit_topo_plan_fits(const struct knit_config *c, FILE *err)
{
	struct knit_topo *t = calloc(1, sizeof(*t));
	int ret = -ENOMEM;

	if (t)
		ret = knit_topo_plan(t, c, err);
	else
		fprintf(err, "no memory\n");
	free(t);
	return ret == 0;
}

/* The worker that has that receive queue: ranks are receive queues. */
static int16_t worker_of_rank(const struct knit_topo *t, unsigned int port, int16_t rank)
{
	uint32_t i;

	for (i = 0; i < t->n_workers; i++)
		if (t->workers[i].rxq[port] == rank)
			return i;
	return -1;
}

void knit_topo_plan_tx(struct knit_topo *t, unsigned int port, uint16_t n_tx)
{
	struct knit_topo_worker *w;
	int16_t rank;
	uint32_t i;

	n_tx = RTE_MIN(n_tx, t->ports[port].n_queues);
	t->ports[port].n_tx_queues = n_tx;
	for (i = 0; i < t->n_workers; i++) {
		w = &t->workers[i];
		rank = w->rxq[port];
		if (rank < 0 || n_tx == 0)
			continue;
		w->txq[port] = rank < n_tx ? rank : -1;
		w->tx_owner[port] = worker_of_rank(t, port, rank % n_tx);
	}
}

uint16_t knit_topo_pairs(const struct knit_topo *t, unsigned int iface)
{
	uint16_t n = 0;
	uint32_t i;

	for (i = 0; i < t->n_workers; i++)
		n += t->workers[i].pair[iface] >= 0;
	return n;
}
