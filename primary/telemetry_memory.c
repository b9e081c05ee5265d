// SPDX-License-Identifier: BSD-3-Clause
#include "telemetry_memory.h"

#include "preflight/hugepages.h"

#include <rte_malloc.h>
#include <rte_mempool.h>
#include <rte_memzone.h>

#include <stdlib.h>
#include <string.h>

struct zones {
	int node;
	uint64_t n;
	uint64_t bytes;
};

static void count_zone(const struct rte_memzone *mz, void *arg)
{
	struct zones *zones = arg;

	if (mz->socket_id != zones->node)
		return;
	zones->n++;
	zones->bytes += mz->len;
}

static void report_node(const struct primary *p, unsigned int node, struct rte_tel_data *d)
{
	struct rte_malloc_socket_stats heap = { 0 };
	struct zones zones = { .node = (int)node };

	rte_malloc_get_socket_stats((int)node, &heap);
	rte_memzone_walk(count_zone, &zones);
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_uint(d, "needed_bytes", p->plan.bytes[node]);
	rte_tel_data_add_dict_uint(d, "hugepage_bytes", hugepages_all(p->conf, (int)node));
	rte_tel_data_add_dict_uint(d, "hugepage_free_bytes", hugepages_free(p->conf, (int)node));
	rte_tel_data_add_dict_uint(d, "heap_bytes", heap.heap_totalsz_bytes);
	rte_tel_data_add_dict_uint(d, "heap_free_bytes", heap.heap_freesz_bytes);
	rte_tel_data_add_dict_uint(d, "heap_largest_free_bytes", heap.greatest_free_size);
	rte_tel_data_add_dict_uint(d, "heap_allocations", heap.alloc_count);
	rte_tel_data_add_dict_uint(d, "memzones", zones.n);
	rte_tel_data_add_dict_uint(d, "memzone_bytes", zones.bytes);
}

int telemetry_memory(const struct primary *p, const char *params, struct rte_tel_data *d)
{
	unsigned long node;
	char *end;

	if (params && *params) {
		node = strtoul(params, &end, 10);
		if (*end || node >= p->plan.n_nodes || p->plan.bytes[node] == 0)
			return -1;
		report_node(p, (unsigned int)node, d);
		return 0;
	}
	rte_tel_data_start_array(d, RTE_TEL_UINT_VAL);
	for (node = 0; node < p->plan.n_nodes; node++)
		if (p->plan.bytes[node])
			rte_tel_data_add_array_uint(d, node);
	return 0;
}

/*
 * Pools of workers, then the spare ones of nodes. NULL: there is none at i; *more: others follow.
 */
static struct rte_mempool *pool_at(const struct primary *p, unsigned int i, bool *more)
{
	unsigned int n = p->topo->n_workers;

	*more = i + 1 < n + p->plan.n_nodes;
	if (i < n)
		return p->topo->workers[i].pool;
	return i < n + p->plan.n_nodes ? p->spare[i - n] : NULL;
}

int telemetry_pools(const struct primary *p, struct rte_tel_data *d)
{
	struct rte_mempool *pool;
	unsigned int i = 0;
	bool more;

	rte_tel_data_start_array(d, RTE_TEL_STRING_VAL);
	do {
		pool = pool_at(p, i++, &more);
		if (pool)
			rte_tel_data_add_array_string(d, pool->name);
	} while (more);
	return 0;
}

static void report_pool(const struct primary *p, unsigned int i, struct rte_mempool *pool,
			struct rte_tel_data *d)
{
	unsigned int n = p->topo->n_workers;

	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_int(d, "worker", i < n ? (int)p->topo->workers[i].id : -1);
	rte_tel_data_add_dict_uint(d, "node", i < n ? p->plan.worker[i] : i - n);
	rte_tel_data_add_dict_uint(d, "buffers", pool->size);
	rte_tel_data_add_dict_uint(d, "free_buffers", rte_mempool_avail_count(pool));
	rte_tel_data_add_dict_uint(d, "buffer_bytes",
				   pool->header_size + pool->elt_size + pool->trailer_size);
}

int telemetry_pool(const struct primary *p, const char *params, struct rte_tel_data *d)
{
	struct rte_mempool *pool;
	unsigned int i = 0;
	bool more;

	do {
		pool = pool_at(p, i++, &more);
		if (pool == NULL || params == NULL || strcmp(pool->name, params) != 0)
			continue;
		report_pool(p, i - 1, pool, d);
		return 0;
	} while (more);
	return -1;
}
