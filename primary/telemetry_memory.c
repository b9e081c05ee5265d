// SPDX-License-Identifier: BSD-3-Clause
#include "telemetry_memory.h"

#include "kni/base/compat.h"
#include "preflight/hugepages.h"
#include "system/metrics/metrics_table.h"

#include <rte_malloc.h>
#include <rte_mempool.h>
#include <rte_memzone.h>

#include <stdio.h>

struct zones {
	int node;
	uint64_t n;
	uint64_t bytes;
};

struct node_memory {
	uint64_t needed, hugepages, hugepages_free;
	struct rte_malloc_socket_stats heap;
	struct zones zones;
};

unsigned int telemetry_node(const struct primary *p, unsigned int i)
{
	unsigned int node;

	for (node = 0; node + 1 < p->pools.n_nodes; node++)
		if (p->pools.bytes[node] && i-- == 0)
			break;
	return node;
}

unsigned int telemetry_count_nodes(const struct primary *p)
{
	unsigned int node, n = 0;

	for (node = 0; node < p->pools.n_nodes; node++)
		n += p->pools.bytes[node] != 0;
	return n;
}

const char *telemetry_name_node(const struct primary *p, unsigned int i, char *room)
{
	snprintf(room, 16, "%u", telemetry_node(p, i));
	return room;
}

static void count_zone(const struct rte_memzone *mz, void *arg)
{
	struct zones *zones = arg;

	if (mz->socket_id != zones->node)
		return;
	zones->n++;
	zones->bytes += mz->len;
}

static void read_node(const struct primary *p, int node, struct node_memory *m)
{
	m->needed = p->pools.bytes[node];
	m->hugepages = hugepages_all(p->conf, node);
	m->hugepages_free = hugepages_free(p->conf, node);
	rte_malloc_get_socket_stats(node, &m->heap);
	m->zones.node = node;
	rte_memzone_walk(count_zone, &m->zones);
}

void telemetry_tell_node(struct primary *p, unsigned int i, struct report *r)
{
	struct node_memory m = { 0 };

	if (r->form != REPORT_TEXTS)
		read_node(p, (int)telemetry_node(p, i), &m);
	KNIT_NODE_METRICS(TELL)
}

/* Of workers, then the spare ones of nodes. *at: the worker's index, or behind these a node. */
static struct rte_mempool *pool_at(const struct primary *p, unsigned int i, unsigned int *at)
{
	unsigned int n = p->topo->n_workers;
	struct rte_mempool *pool;

	for (*at = 0; *at < n + p->pools.n_nodes; ++*at) {
		pool = *at < n ? p->topo->workers[*at].pool : p->spare[*at - n];
		if (pool && i-- == 0)
			return pool;
	}
	return NULL;
}

unsigned int telemetry_count_pools(const struct primary *p)
{
	unsigned int n = 0, at;

	while (pool_at(p, n, &at))
		n++;
	return n;
}

const char *telemetry_name_pool(const struct primary *p, unsigned int i, char *room)
{
	unsigned int at;

	return pool_at(p, i, &at)->name;
}

void telemetry_tell_pool(struct primary *p, unsigned int i, struct report *r)
{
	char owner[32] = "spare", node_text[16];
	unsigned int n = p->topo->n_workers, at, node;
	struct rte_mempool *pool = pool_at(p, i, &at);

	node = at < n ? p->pools.worker[at] : at - n;
	if (at < n)
		snprintf(owner, sizeof(owner), "worker %u", p->topo->workers[at].id);
	snprintf(node_text, sizeof(node_text), "%u", node);
	if (r->form == REPORT_DICT)
		rte_tel_data_add_dict_int(r->d, "worker",
					  at < n ? (int)p->topo->workers[at].id : -1);
	KNIT_POOL_METRICS(TELL)
}
