// SPDX-License-Identifier: BSD-3-Clause
#include "handoff_util.h"
#include "suites.h"

#include <rte_malloc.h>
#include <rte_ring.h>

#include <string.h>

#define LEN 100
#define LONG 1700 /* of a packet of two segments */

struct knit_exchange *exchange;
struct rte_mempool *of_producer;
struct rte_mempool *of_consumer;

bool exchange_make(void)
{
	exchange = rte_zmalloc(NULL, knit_exchange_bytes(EXCHANGE_SIZE), RTE_CACHE_LINE_SIZE);
	of_producer = rte_pktmbuf_pool_create("of_producer", EXCHANGE_POOL, 0, 0,
					      RTE_PKTMBUF_HEADROOM + 2048, 0);
	of_consumer = rte_pktmbuf_pool_create("of_consumer", EXCHANGE_POOL, 0, 0,
					      RTE_PKTMBUF_HEADROOM + 1024, 0);
	return exchange && of_producer && of_consumer;
}

static void start_at(uint32_t first)
{
	struct knit_ring_shm *shm = exchange->in.ring.shm;

	shm->producer = first;
	shm->consumer = first;
	exchange->in.freed = first;
}

void exchange_start(uint32_t first)
{
	knit_exchange_init(exchange, EXCHANGE_SIZE);
	start_at(first);
	exchange_rebuild(of_producer);
	exchange_rebuild(of_consumer);
	ck_assert(knit_exchange_claim_producer(exchange));
	ck_assert(knit_exchange_claim_consumer(exchange, of_consumer));
}

static void fill(struct rte_mbuf *m, uint32_t number, uint32_t len)
{
	char *p = rte_pktmbuf_append(m, len);
	uint32_t i;

	ck_assert_ptr_nonnull(p);
	for (i = 0; i < len; i++)
		p[i] = (char)(number + i);
}

struct rte_mbuf *exchange_packet(uint32_t number, unsigned int segs)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(of_producer), *second;

	ck_assert_ptr_nonnull(m);
	fill(m, number, LEN);
	m->hash.usr = number;
	m->vlan_tci = number;
	m->ol_flags = RTE_MBUF_F_TX_VLAN;
	m->tx_offload = number;
	if (segs == 2) {
		second = rte_pktmbuf_alloc(of_producer);
		ck_assert_ptr_nonnull(second);
		fill(second, number + LEN, LONG - LEN);
		ck_assert_int_eq(rte_pktmbuf_chain(m, second), 0);
	}
	return m;
}

bool exchange_is(const struct rte_mbuf *m, uint32_t number)
{
	uint32_t i, len = m->pkt_len;
	const char *p;
	char c;

	if (len != LEN && len != LONG)
		return false;
	for (i = 0; i < len; i++) {
		p = rte_pktmbuf_read(m, i, 1, &c);
		if (p == NULL || *p != (char)(number + i))
			return false;
	}
	return m->hash.usr == number && m->vlan_tci == (uint16_t)number &&
	       m->ol_flags == RTE_MBUF_F_TX_VLAN && m->tx_offload == number;
}

unsigned int exchange_put(uint32_t number, unsigned int n)
{
	struct rte_mbuf *m[2 * EXCHANGE_SIZE];
	unsigned int i, taken;

	for (i = 0; i < n; i++)
		m[i] = exchange_packet(number + i, 1);
	taken = knit_exchange_put(exchange, m, n);
	rte_pktmbuf_free_bulk(m + taken, n - taken);
	return taken;
}

unsigned int exchange_take(uint32_t number, unsigned int n)
{
	struct rte_mbuf *m[2 * EXCHANGE_SIZE];
	unsigned int i, made, failed;

	made = knit_exchange_take(exchange, m, n, &failed);
	ck_assert_uint_eq(failed, 0);
	for (i = 0; i < made; i++) {
		ck_assert_ptr_eq(m[i]->pool, of_consumer);
		ck_assert_msg(exchange_is(m[i], number + i), "packet %u: found %u, %u bytes",
			      number + i, m[i]->hash.usr, m[i]->pkt_len);
	}
	rte_pktmbuf_free_bulk(m, made);
	return made;
}

static void renew(struct rte_mempool *pool, void *arg, void *obj, unsigned int index)
{
	rte_pktmbuf_init(pool, arg, obj, index);
	ck_assert_int_eq(rte_mempool_ops_enqueue_bulk(pool, &obj, 1), 0);
}

void exchange_rebuild(struct rte_mempool *pool)
{
	rte_ring_reset(pool->pool_data);
	rte_mempool_obj_iter(pool, renew, NULL);
}

void exchange_full(const struct rte_mempool *pool)
{
	ck_assert_uint_eq(rte_mempool_avail_count(pool), pool->size);
}
