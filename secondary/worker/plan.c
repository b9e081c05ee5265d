// SPDX-License-Identifier: BSD-3-Clause
#include "plan.h"

#include "fail.h"
#include "system/topology/handoff.h"
#include "system/topology/port_bursts.h"
#include "worker.h"
#include "worker/datapath/datapath.h"

#include <rte_ethdev.h>

#include <errno.h>
#include <string.h>

#define NO_IFACE 0 /* the output that drops */

/*
 * The counters say which way packets went. Interfaces and hand-off queues always have an output,
 * and hand-off queues lead to ports only.
 */
static struct knit_output *new_output(struct knit_worker *w, enum knit_end end)
{
	struct knit_output *out = &w->outputs[w->n_outputs++];
	struct knit_worker_stats *s = w->stats;

	memset(out, 0, sizeof(*out));
	out->end = end;
	out->send = end == KNIT_END_PORT    ? knit_port_tx
		    : end == KNIT_END_IFACE ? knit_iface_tx
		    : end == KNIT_END_NONE  ? knit_no_iface_tx
					    : knit_handoff_tx;
	if (end == KNIT_END_NONE) {
		out->sent[KNIT_END_PORT] = &s->drops[KNIT_WORKER_DROP_NO_IFACE];
	} else if (end == KNIT_END_IFACE) {
		out->sent[KNIT_END_PORT] = &s->punted;
		out->sent[KNIT_END_IFACE] = &s->xconnect;
	} else {
		out->sent[KNIT_END_PORT] = &s->xconnect;
		out->sent[KNIT_END_IFACE] = &s->injected;
		out->sent[KNIT_END_HANDOFF] = &s->relayed;
	}
	return out;
}

static struct knit_input *new_input(struct knit_worker *w, enum knit_end end)
{
	struct knit_input *in = &w->inputs[w->n_inputs++];

	memset(in, 0, sizeof(*in));
	in->end = end;
	in->receive = end == KNIT_END_PORT    ? knit_port_rx
		      : end == KNIT_END_IFACE ? knit_iface_rx
					      : knit_handoff_rx;
	return in;
}

static int index_of(const struct knit_worker *w, const struct knit_output *out)
{
	return out - w->outputs;
}

/* The hand-off queue to the worker that has a transmit queue on the port. */
static int handoff_output(struct knit_worker *w, int16_t port)
{
	struct knit_handoff *x = w->mine->handoff[port];
	struct knit_topo_port *p = &w->topo->ports[port];
	struct knit_output *out;

	if (x == NULL) {
		knit_worker_fail(w, 0, "port %s: the worker has no way to send there", p->name);
		return -1;
	}
	out = new_output(w, KNIT_END_HANDOFF);
	out->port = p;
	out->handoff = x;
	out->owner_state = &w->topo->workers[x->consumer].state;
	return index_of(w, out);
}

/* The index of an output, new or known; -1: a message was printed. */
static int port_output(struct knit_worker *w, int16_t port)
{
	struct knit_topo_port *p = &w->topo->ports[port];
	struct knit_output *out;
	uint32_t i;

	for (i = 0; i < w->n_outputs; i++)
		if (w->outputs[i].port == p)
			return i;
	if (w->mine->txq[port] < 0)
		return handoff_output(w, port);
	out = new_output(w, KNIT_END_PORT);
	out->port_id = p->port_id;
	out->queue = w->mine->txq[port];
	out->port = p;
	out->stats = &w->stats->port[port];
	out->offload.pool = w->entry->pool;
	return index_of(w, out);
}

static int iface_output(struct knit_worker *w, int16_t iface)
{
	struct knit_output *out;
	struct rte_kni *kni;
	uint32_t i;

	if (iface < 0)
		return NO_IFACE;
	kni = w->topo->ifaces[iface].kni;
	for (i = 0; i < w->n_outputs; i++)
		if (w->outputs[i].kni == kni)
			return i;
	if (w->mine->pair[iface] < 0) {
		knit_worker_fail(w, 0, "interface %s: the worker has no queue pair there",
				 w->topo->ifaces[iface].name);
		return -1;
	}
	out = new_output(w, KNIT_END_IFACE);
	out->queue = w->mine->pair[iface];
	out->kni = kni;
	out->offload.pool = w->entry->pool;
	out->offload.capa = knit_offload_iface_capa(kni->features);
	return index_of(w, out);
}

/* peer: the port for frames that are not for the kernel; -1: all are for the kernel. */
static int add_port(struct knit_worker *w, int16_t port, int16_t peer)
{
	struct knit_topo_port *p = &w->topo->ports[port];
	int kernel, other;
	struct knit_input *in;

	kernel = iface_output(w, w->plan.ports[port].iface);
	other = peer < 0 ? kernel : port_output(w, peer);
	if (kernel < 0 || other < 0)
		return -EINVAL;
	/* Another worker may have the only receive queue. Then this one only sends. */
	if (w->mine->rxq[port] < 0)
		return 0;
	in = new_input(w, KNIT_END_PORT);
	in->port_id = p->port_id;
	in->queue = w->mine->rxq[port];
	in->kernel = kernel;
	in->peer = other;
	in->port = p;
	in->stats = &w->stats->port[port];
	return 0;
}

static int add_iface(struct knit_worker *w, int16_t iface, int output)
{
	struct knit_input *in;

	if (output < 0)
		return -EINVAL;
	in = new_input(w, KNIT_END_IFACE);
	in->queue = w->mine->pair[iface];
	in->kernel = in->peer = output;
	in->kni = w->topo->ifaces[iface].kni;
	return 0;
}

/*
 * A port with its interface. Frames that the kernel sends leave through the port in every kind of
 * rule.
 */
static int add_port_and_iface(struct knit_worker *w, int16_t port, int16_t peer)
{
	int16_t iface = w->plan.ports[port].iface;
	int ret;

	ret = add_port(w, port, peer);
	if (ret < 0 || iface < 0)
		return ret;
	return add_iface(w, iface, port_output(w, port));
}

static int add_rule(struct knit_worker *w, const struct knit_plan_rule *r)
{
	int a, b, ret;

	if (r->mode == KNIT_FORWARD_PUNT)
		return add_port_and_iface(w, r->a, -1);
	if (!r->ifaces) {
		ret = add_port_and_iface(w, r->a, r->b);
		return ret < 0 ? ret : add_port_and_iface(w, r->b, r->a);
	}
	a = iface_output(w, r->a);
	b = iface_output(w, r->b);
	if (a < 0 || b < 0)
		return -EINVAL;
	ret = add_iface(w, r->a, b);
	return ret < 0 ? ret : add_iface(w, r->b, a);
}

/* The hand-off queues of workers that send through this one's transmit queue on the port. */
static void add_handoffs(struct knit_worker *w, int16_t port)
{
	struct knit_handoff *x;
	struct knit_input *in;
	uint32_t i;

	for (i = 0; i < KNIT_MAX_WORKERS; i++) {
		x = w->plan.workers[i].handoff[port];
		if (x == NULL || w->plan.workers[i].tx_owner[port] != (int)w->id)
			continue;
		in = new_input(w, KNIT_END_HANDOFF);
		in->handoff = x;
		in->kernel = in->peer = port_output(w, port);
	}
}

/* In another namespace the same name may be another device or file. */
static int check_namespaces(struct knit_worker *w, const struct knit_topo_port *p)
{
	const char *other = NULL;

	if (!p->per_process)
		return KNIT_EXIT_OK;
	if (knit_topo_namespace("net") != w->topo->net_ns)
		other = "network";
	else if (strstr(p->device, "_pcap=") && knit_topo_namespace("mnt") != w->topo->mount_ns)
		other = "mount";
	if (other == NULL)
		return KNIT_EXIT_OK;
	return knit_worker_fail(w, KNIT_EXIT_RESOURCES,
				"port %s: %s: each process opens it by name, and this one is in "
				"another %s namespace than the primary",
				p->name, p->device, other);
}

/*
 * EAL continues if a driver fails to set itself up in a secondary. net_tap fails if the primary was
 * slow to send the queues' fds. Bursts on such a port would never find a packet.
 */
static int check_ports(struct knit_worker *w)
{
	uint32_t i;
	int ret;

	for (i = 0; i < w->topo->n_ports; i++) {
		if ((w->mine->rxq[i] < 0 && w->mine->txq[i] < 0) ||
		    __atomic_load_n(&w->topo->ports[i].removed, __ATOMIC_ACQUIRE))
			continue;
		ret = check_namespaces(w, &w->topo->ports[i]);
		if (ret != KNIT_EXIT_OK)
			return ret;
		ret = knit_port_bursts_follow(&w->topo->ports[i]);
		if (ret < 0)
			return knit_worker_fail(w, KNIT_EXIT_RESTART, "port %s: its driver %s",
						w->topo->ports[i].name,
						ret == -ENODEV ? "could not be set up here"
							       : "chose other functions here");
	}
	return KNIT_EXIT_OK;
}

int knit_worker_plan(struct knit_worker *w)
{
	uint32_t i;

	w->plan = *knit_topo_plan(w->topo);
	w->mine = &w->plan.workers[w->id];
	w->n_inputs = 0;
	w->n_outputs = 0;
	new_output(w, KNIT_END_NONE); /* NO_IFACE */
	for (i = 0; i < w->mine->n_rules; i++)
		if (add_rule(w, &w->mine->rules[i]) < 0)
			return KNIT_EXIT_FAILURE;
	for (i = 0; i < w->topo->n_ports; i++)
		if (w->mine->txq[i] >= 0)
			add_handoffs(w, i);
	return check_ports(w);
}
