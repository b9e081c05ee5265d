// SPDX-License-Identifier: BSD-3-Clause
#include "log.h"
#include "primary.h"

#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include <errno.h>
#include <stdio.h>

/*
 * Single producer, single consumer: a pool is its worker's alone, and the primary's while that
 * worker is parked or gone. A cache, because drivers free one by one. It belongs to the lcore id,
 * so the next worker of the domain goes on with its predecessor's; a rebuild forgets all caches.
 */
#define POOL_OPS "ring_sp_sc"
#define POOL_CACHE 256

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

/*
 * How many mbufs a worker can need at once, the sum of all places where they can be:
 *   a port's receive queue      rx_desc, posted to the device
 *   a port's transmit queue     tx_desc, not yet sent or not yet reaped
 *   an interface's pair         ring_size towards the kernel, as many on offer for frames from it
 *   the worker itself           two bursts, and what a cache holds at most (1.5 times its size)
 *   mempool.extra               segmentation, bursts of the kernel, slack
 * A port or interface named by two rules is counted twice: slack, not harm.
 */
static unsigned int worker_mbufs(const struct knit_config *c, const struct knit_conf_worker *w)
{
	unsigned int i, n = 2 * w->burst + POOL_CACHE * 3 / 2 + c->mempool.extra;
	const struct knit_conf_rule *r;

	for (i = 0; i < w->n_rules; i++) {
		r = &w->rules[i];
		n += 2 * rule_ifaces(c, r);
		if (r->ifaces)
			continue;
		n += c->ports[r->a].rx_desc + c->ports[r->a].tx_desc;
		if (r->b >= 0)
			n += c->ports[r->b].rx_desc + c->ports[r->b].tx_desc;
	}
	return n;
}

/* All pools are of one size, the largest worker's, so that the spare fits every domain. */
size_t primary_pool_bytes(const struct knit_config *c, unsigned int *n_mbufs)
{
	size_t elt = sizeof(struct rte_mbuf) + RTE_PKTMBUF_HEADROOM + c->mempool.data_room;
	unsigned int i, n, most = 0;

	for (i = 0; i < c->n_workers; i++) {
		n = worker_mbufs(c, &c->workers[i]);
		if (n > most)
			most = n;
	}
	*n_mbufs = most;
	/* Header, padding to spread objects over memory channels, and a ring slot each. */
	elt = RTE_ALIGN_CEIL(elt + sizeof(struct rte_mempool_objhdr), RTE_CACHE_LINE_SIZE) +
	      2 * RTE_CACHE_LINE_SIZE + 2 * sizeof(void *);
	return (size_t)(c->n_workers + 1) *
	       (elt * most + RTE_MAX_LCORE * sizeof(struct rte_mempool_cache) + (1 << 20));
}

static struct rte_mempool *create(const char *name, const struct primary *p)
{
	uint16_t room = RTE_PKTMBUF_HEADROOM + p->conf->mempool.data_room;
	struct rte_mempool *pool;

	pool = rte_pktmbuf_pool_create_by_ops(name, p->pool_size, POOL_CACHE, 0, room,
					      rte_socket_id(), POOL_OPS);
	if (pool == NULL)
		log_err("mempool %s of %u mbufs of %u bytes: %s (more hugepages, or a larger "
			"eal.memory?)",
			name, p->pool_size, room, rte_strerror(rte_errno));
	return pool;
}

int primary_pools_create(struct primary *p)
{
	struct knit_topo *t = p->topo;
	struct rte_mempool_ops *ops;
	char name[32];
	unsigned int i;

	primary_pool_bytes(p->conf, &p->pool_size);
	for (i = 0; i < t->n_workers; i++) {
		snprintf(name, sizeof(name), "knit_domain_%u", t->workers[i].id);
		t->workers[i].pool = create(name, p);
		if (t->workers[i].pool == NULL)
			return -ENOMEM;
	}
	p->spare = create("knit_spare", p);
	if (p->spare == NULL)
		return -ENOMEM;
	t->pool_ops = p->spare->ops_index;
	ops = rte_mempool_get_ops(t->pool_ops);
	snprintf(t->pool_ops_name, sizeof(t->pool_ops_name), "%s", ops->name);
	return 0;
}

void primary_pool_forget(struct rte_mempool *pool)
{
	unsigned int i;

	rte_ring_reset(pool->pool_data);
	for (i = 0; i < RTE_MAX_LCORE; i++)
		pool->local_cache[i].len = 0;
}

static void renew(struct rte_mempool *pool, void *arg, void *obj, unsigned int index)
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
	rte_mempool_obj_iter(pool, renew, &failed);
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
