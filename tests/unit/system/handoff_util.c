// SPDX-License-Identifier: BSD-3-Clause
#include "handoff_util.h"
#include "kni/base/compat.h"
#include "unit.h"

#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_ring.h>

#include <string.h>

#define LEN 100
#define LONG 1700 /* of a packet of two segments */

struct knit_handoff *handoff;
struct rte_mempool *of_producer;
struct rte_mempool *of_consumer;

void handoff_make(void)
{
	if (handoff)
		return;
	handoff = rte_zmalloc(NULL, knit_handoff_bytes(HANDOFF_SIZE), RTE_CACHE_LINE_SIZE);
	of_producer = rte_pktmbuf_pool_create("of_producer", HANDOFF_POOL, 0, 0,
					      RTE_PKTMBUF_HEADROOM + 2048, 0);
	of_consumer = rte_pktmbuf_pool_create("of_consumer", HANDOFF_POOL, 0, 0,
					      RTE_PKTMBUF_HEADROOM + 1024, 0);
	if (!handoff || !of_producer || !of_consumer)
		knit_unit_fail("hand-off queue", rte_errno);
}

static void start_at(uint32_t first)
{
	struct knit_ring_shm *shm = handoff->in.ring.shm;

	shm->producer = first;
	shm->consumer = first;
	handoff->in.freed = first;
}

void handoff_start(uint32_t first)
{
	knit_handoff_init(handoff, HANDOFF_SIZE);
	start_at(first);
	handoff_rebuild(of_producer);
	handoff_rebuild(of_consumer);
	ck_assert(knit_handoff_claim_producer(handoff));
	ck_assert(knit_handoff_claim_consumer(handoff, of_consumer));
}

static void fill(struct rte_mbuf *m, uint32_t number, uint32_t len)
{
	char *p = rte_pktmbuf_append(m, len);
	uint32_t i;

	ck_assert_ptr_nonnull(p);
	for (i = 0; i < len; i++)
		p[i] = (char)(number + i);
}

struct rte_mbuf *handoff_packet(uint32_t number, unsigned int segs)
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

bool handoff_is(const struct rte_mbuf *m, uint32_t number)
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

unsigned int handoff_put(uint32_t number, unsigned int n)
{
	struct rte_mbuf *m[2 * HANDOFF_SIZE];
	unsigned int i, taken;

	for (i = 0; i < n; i++)
		m[i] = handoff_packet(number + i, 1);
	taken = knit_handoff_put(handoff, m, n);
	rte_pktmbuf_free_bulk(m + taken, n - taken);
	return taken;
}

unsigned int handoff_take(uint32_t number, unsigned int n)
{
	struct rte_mbuf *m[2 * HANDOFF_SIZE];
	unsigned int i, made, failed;

	made = knit_handoff_take(handoff, m, n, &failed);
	ck_assert_uint_eq(failed, 0);
	for (i = 0; i < made; i++) {
		ck_assert_ptr_eq(m[i]->pool, of_consumer);
		ck_assert_msg(handoff_is(m[i], number + i), "packet %u: found %u, %u bytes",
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

void handoff_rebuild(struct rte_mempool *pool)
{
	rte_ring_reset(pool->pool_data);
	rte_mempool_obj_iter(pool, renew, NULL);
}

void handoff_full(const struct rte_mempool *pool)
{
	ck_assert_uint_eq(rte_mempool_avail_count(pool), pool->size);
}
