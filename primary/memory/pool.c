// SPDX-License-Identifier: BSD-3-Clause
#include "pool.h"

#include "kni/base/log.h"
#include "primary.h"

#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include <errno.h>
#include <stdio.h>

/*
 * Single producer, single consumer: only its worker uses a pool. The primary uses it only while
 * that worker is parked or has ended.
 */
#define POOL_OPS "ring_sp_sc"
#define UNUSED_ROOM 256

static struct rte_mempool *create_pool(const char *name, const struct primary *p,
				       const struct pool_plan *pools, unsigned int node)
{
	uint16_t room = RTE_PKTMBUF_HEADROOM + p->conf->mempool.data_room;
	unsigned int n_mbufs = pools->n_mbufs[node];
	struct rte_mempool *pool;

	pool = rte_pktmbuf_pool_create_by_ops(name, n_mbufs, POOL_CACHE, 0, room, node, POOL_OPS);
	if (pool == NULL)
		log_err("mempool %s of %u mbufs of %u bytes on NUMA node %u: %s (more hugepages "
			"there, or a larger eal.memory?)",
			name, n_mbufs, room, node, rte_strerror(rte_errno));
	return pool;
}

static int create_spares(struct primary *p)
{
	unsigned int node;
	char name[32];

	for (node = 0; node < p->pools.n_nodes; node++) {
		if (p->pools.n_mbufs[node] == 0)
			continue;
		snprintf(name, sizeof(name), "knit_spare_%u", node);
		p->spare[node] = create_pool(name, p, &p->pools, node);
		if (p->spare[node] == NULL)
			return -ENOMEM;
	}
	return 0;
}

struct rte_mempool *primary_pool_create(const struct primary *p, unsigned int worker,
					const struct pool_plan *pools)
{
	char name[RTE_MEMPOOL_NAMESIZE];
	unsigned int n = 0;

	/* A reset may have given an earlier pool of that name to another worker. */
	snprintf(name, sizeof(name), "knit_domain_%u", worker);
	while (rte_mempool_lookup(name))
		snprintf(name, sizeof(name), "knit_domain_%u_%u", worker, ++n);
	return create_pool(name, p, pools, pools->worker[worker]);
}

void primary_pool_free(struct rte_mempool *pool)
{
	unsigned int have = pool ? rte_mempool_avail_count(pool) : 0;

	if (pool && have != pool->size)
		log_warn("mempool %s: %u of %u mbufs are missing: its memory is kept", pool->name,
			 pool->size - have, pool->size);
	else
		rte_mempool_free(pool);
}

struct rte_mempool *primary_pool_unused(void)
{
	static const char *const name = "knit_unused";
	struct rte_mempool *pool = rte_mempool_lookup(name);

	if (pool)
		return pool;
	pool = rte_pktmbuf_pool_create_by_ops(name, KNIT_MAX_PORTS * (POOL_UNUSED_DESC + 1), 0, 0,
					      RTE_PKTMBUF_HEADROOM + UNUSED_ROOM, SOCKET_ID_ANY,
					      POOL_OPS);
	if (pool == NULL)
		log_err("mempool %s: %s", name, rte_strerror(rte_errno));
	return pool;
}

int primary_pools_create(struct primary *p)
{
	struct knit_topo *t = p->topo;
	struct rte_mempool_ops *ops;
	unsigned int i;

	for (i = 0; i < t->n_workers; i++) {
		if (!t->workers[i].there)
			continue;
		t->workers[i].pool = primary_pool_create(p, i, &p->pools);
		if (t->workers[i].pool == NULL)
			return -ENOMEM;
		t->pool_ops = t->workers[i].pool->ops_index;
	}
	ops = rte_mempool_get_ops(t->pool_ops);
	snprintf(t->pool_ops_name, sizeof(t->pool_ops_name), "%s", ops->name);
	return create_spares(p);
}

void primary_pool_forget(struct rte_mempool *pool)
{
	unsigned int i;

	rte_ring_reset(pool->pool_data);
	for (i = 0; i < RTE_MAX_LCORE; i++)
		pool->local_cache[i].len = 0;
}

static void mbuf_renew(struct rte_mempool *pool, void *arg, void *obj, unsigned int index)
{
	unsigned int *failed = arg;

	rte_pktmbuf_init(pool, NULL, obj, index);
	if (rte_mempool_ops_enqueue_bulk(pool, &obj, 1) < 0)
		(*failed)++;
}

void primary_pool_rebuild(struct rte_mempool *pool)
{
	unsigned int failed = 0;

	primary_pool_forget(pool);
	rte_mempool_obj_iter(pool, mbuf_renew, &failed);
	if (failed)
		log_err("mempool %s: %u mbufs did not go back", pool->name, failed);
}

unsigned int primary_pools_check(struct primary *p)
{
	unsigned int i, have, missing = 0;
	struct rte_mempool *pool;

	for (i = 0; i < p->topo->n_workers; i++) {
		pool = p->topo->workers[i].pool;
		if (pool == NULL)
			continue;
		have = rte_mempool_avail_count(pool);
		knit_log(have == pool->size ? RTE_LOG_NOTICE : RTE_LOG_WARNING, KNIT_LOGTYPE,
			 "domain %u: %u of %u mbufs accounted for", p->topo->workers[i].id, have,
			 pool->size);
		missing += pool->size - have;
	}
	return missing;
}
