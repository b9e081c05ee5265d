// SPDX-License-Identifier: BSD-3-Clause
#include "pool_size.h"
#include "kni/control/iface.h"
#include "system/topology/handoff.h"
#include "system/topology/watch.h"

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <string.h>

/* What EAL, ethdev, drivers and knit's own memzones use beside pools and interfaces. */
#define OVERHEAD (48 << 20)
/*
 * The same on a node that is not the primary's: EAL's heap, and the driver's memory for each port
 * there.
 */
#define NODE_OVERHEAD (8 << 20)
#define PORT_OVERHEAD (1 << 20)
#define LONGEST_BURST 256 /* workers.burst */
#define DESC_BYTES 128	  /* a descriptor, with the memory that drivers keep for it */

static unsigned int rule_ifaces(const struct knit_config *c, const struct knit_conf_rule *r)
{
	unsigned int i, n = 0;

	if (r->ifaces)
		return c->ifaces[r->a].ring_size + c->ifaces[r->b].ring_size;
	for (i = 0; i < c->n_ifaces; i++)
		if (c->ifaces[i].port >= 0 &&
		    (c->ifaces[i].port == r->a || c->ifaces[i].port == r->b))
			n += c->ifaces[i].ring_size;
	return n;
}

static unsigned int port_mbufs(const struct knit_conf_port *port)
{
	return port->rx_desc + knit_handoff_size(port->tx_desc);
}

/*
 * The largest number of mbufs that a worker needs at once, the sum of these:
 *   a port's receive queue      rx_desc, posted to the device
 *   a port's transmit queue     tx_desc, not yet sent or freed; or the hand-off queue in its
 *                               place, whose size is the next power of two
 *   an interface's pair         ring_size frames to the kernel, and as many empty buffers for
 *                               frames from it
 *   the worker itself           two bursts, the longest that can be had while it runs, and the
 *                               most that a cache holds (1.5 times its size)
 *   mempool.extra               segmentation, bursts of the kernel, slack
 * A port or interface that two rules name is counted twice. That only makes the pool larger.
 */
static unsigned int worker_mbufs(const struct knit_config *c, const struct knit_conf_worker *w)
{
	unsigned int i, n = 2 * LONGEST_BURST + POOL_CACHE * 3 / 2 + c->mempool.extra;
	const struct knit_conf_rule *r;

	for (i = 0; i < w->n_rules; i++) {
		r = &w->rules[i];
		n += 2 * rule_ifaces(c, r);
		if (r->ifaces)
			continue;
		n += port_mbufs(&c->ports[r->a]);
		if (r->b >= 0)
			n += port_mbufs(&c->ports[r->b]);
	}
	return n;
}

static size_t pool_bytes(const struct knit_config *c, unsigned int n_mbufs)
{
	size_t elt = sizeof(struct rte_mbuf) + RTE_PKTMBUF_HEADROOM + c->mempool.data_room;

	/* Header, padding that spreads objects over memory channels, and a ring entry each. */
	elt = RTE_ALIGN_CEIL(elt + sizeof(struct rte_mempool_objhdr), RTE_CACHE_LINE_SIZE) +
	      (size_t)2 * RTE_CACHE_LINE_SIZE + 2 * sizeof(void *);
	return elt * n_mbufs + RTE_MAX_LCORE * sizeof(struct rte_mempool_cache) + (1 << 20);
}

/* The number of a port's transmit queues is not known yet. The least is one. */
static size_t shared_bytes(const struct knit_config *c)
{
	unsigned int i, n_workers = knit_conf_most_workers(c);
	size_t bytes = OVERHEAD + knit_watch_bytes(c);

	for (i = 0; i < c->n_ports; i++)
		if (c->ports[i].there)
			bytes += (n_workers - 1) *
				 knit_handoff_bytes(knit_handoff_size(c->ports[i].tx_desc));
	for (i = 0; i < c->n_ifaces; i++)
		if (c->ifaces[i].there)
			bytes += knit_iface_memory(c->ifaces[i].ring_size, n_workers);
	return bytes;
}

static unsigned int known_node(int node, unsigned int otherwise)
{
	return node >= 0 && node < KNIT_MAX_NODES ? (unsigned int)node : otherwise;
}

static void place_pools(const struct knit_config *c, struct pool_plan *plan)
{
	unsigned int i, n, node, last = 0, n_pools[KNIT_MAX_NODES] = { 0 };

	for (i = 0; i < c->n_workers; i++) {
		if (!c->workers[i].there)
			continue;
		node = plan->worker[i];
		n = worker_mbufs(c, &c->workers[i]);
		plan->needed[node] = RTE_MAX(plan->needed[node], n);
		plan->n_mbufs[node] = plan->needed[node] + c->mempool.headroom;
		n_pools[node]++;
		last = i;
	}
	/* It is not known where those will be that do not exist yet. */
	last = known_node(plan->worker[last], plan->primary);
	n_pools[last] += knit_conf_most_workers(c) - knit_conf_count_workers(c);
	for (i = 0; i < KNIT_MAX_NODES; i++)
		if (n_pools[i]) /* and the spare */
			plan->bytes[i] += (n_pools[i] + 1) * pool_bytes(c, plan->n_mbufs[i]);
}

/* On the primary's node, OVERHEAD has room for the drivers of its ports. */
static void place_ports(const struct knit_config *c, const struct host_nodes *m,
			struct pool_plan *plan)
{
	const struct knit_conf_port *port;
	unsigned int i, node;

	for (i = 0; i < c->n_ports; i++) {
		port = &c->ports[i];
		node = known_node(m->port[i], plan->primary);
		if (port->there && node != plan->primary)
			plan->bytes[node] +=
				PORT_OVERHEAD + (size_t)knit_conf_count_workers(c) * DESC_BYTES *
							(port->rx_desc + port->tx_desc);
	}
}

void pool_plan(const struct knit_config *c, const struct host_nodes *m, struct pool_plan *plan)
{
	unsigned int i;

	memset(plan, 0, sizeof(*plan));
	plan->primary = known_node(m->primary, 0);
	for (i = 0; i < c->n_workers; i++)
		plan->worker[i] = known_node(m->worker[i], plan->primary);
	plan->bytes[plan->primary] = shared_bytes(c);
	place_pools(c, plan);
	place_ports(c, m, plan);
	plan->n_nodes = RTE_MIN(m->n_nodes, (unsigned int)KNIT_MAX_NODES);
	for (i = 0; i < KNIT_MAX_NODES; i++) {
		if (plan->bytes[i] == 0)
			continue;
		plan->n_nodes = RTE_MAX(plan->n_nodes, i + 1);
		if (i != plan->primary)
			plan->bytes[i] += NODE_OVERHEAD;
		plan->bytes[i] += (size_t)c->eal.headroom << 20;
		/* Contiguous pieces of memory do not fill the pages completely. */
		plan->bytes[i] += plan->bytes[i] / 16;
	}
}
