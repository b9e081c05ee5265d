// SPDX-License-Identifier: BSD-3-Clause
#include "unit.h"

#include "memory/pool_size.h"

#include <rte_mbuf.h>

#include <string.h>

/* Too large for a stack. */
static struct knit_config conf;
static struct host_nodes nodes;
static struct pool_plan plan;

/* Workers 0 to n-1, each with the port of its number. */
static void start(unsigned int n)
{
	unsigned int i;

	memset(&conf, 0, sizeof(conf));
	memset(&nodes, 0, sizeof(nodes));
	conf.mempool.data_room = 2048;
	conf.mempool.extra = 1000;
	conf.n_workers = conf.n_ports = n;
	for (i = 0; i < n; i++) {
		conf.ports[i].there = conf.workers[i].there = true;
		conf.ports[i].rx_desc = 512;
		conf.ports[i].tx_desc = 256;
		conf.workers[i].burst = 32;
		conf.workers[i].n_rules = 1;
		conf.workers[i].rules[0] = (struct knit_conf_rule){ .a = i, .b = -1 };
		nodes.port[i] = -1;
	}
	nodes.n_nodes = 4;
}

static void plan_it(void)
{
	memset(&plan, 0xff, sizeof(plan));
	pool_plan(&conf, &nodes, &plan);
}

static unsigned int nodes_in_use(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < KNIT_MAX_NODES; i++) {
		ck_assert(plan.bytes[i] > 0 || plan.n_mbufs[i] == 0);
		n += plan.bytes[i] > 0;
	}
	return n;
}

/* Receive and transmit descriptors, two bursts, one and a half caches, extra. */
#define ONE_PORT (512 + 256 + 2 * 256 + POOL_CACHE * 3 / 2 + 1000)
#define MBUF_LEAST (2048 + RTE_PKTMBUF_HEADROOM + sizeof(struct rte_mbuf))

START_TEST(one_node)
{
	size_t one;

	start(1);
	nodes.n_nodes = 1;
	plan_it();
	ck_assert_uint_eq(plan.primary, 0);
	ck_assert_uint_eq(plan.n_nodes, 1);
	ck_assert_uint_eq(plan.n_mbufs[0], ONE_PORT);
	ck_assert_uint_eq(nodes_in_use(), 1);
	/* A pool and the spare, and what all share. */
	one = plan.bytes[0];
	ck_assert_uint_gt(one, 2 * ONE_PORT * MBUF_LEAST + (48 << 20));
	start(3);
	nodes.n_nodes = 1;
	plan_it();
	ck_assert_uint_gt(plan.bytes[0], one + 2 * ONE_PORT * MBUF_LEAST);
	ck_assert_uint_lt(plan.bytes[0], one + 3 * ONE_PORT * (MBUF_LEAST + 512));
}
END_TEST

/* The primary on node 1, workers on 0, 2, 2 and 1: pools and one spare each where workers are. */
START_TEST(where_the_workers_are)
{
	static const int node[] = { 0, 2, 2, 1 };
	unsigned int i;

	start(4);
	nodes.primary = 1;
	for (i = 0; i < 4; i++)
		nodes.worker[i] = node[i];
	plan_it();
	for (i = 0; i < 4; i++)
		ck_assert_uint_eq(plan.worker[i], (unsigned int)node[i]);
	ck_assert_uint_eq(plan.primary, 1);
	ck_assert_uint_eq(plan.n_nodes, 4);
	ck_assert_uint_eq(nodes_in_use(), 3);
	for (i = 0; i < 3; i++)
		ck_assert_uint_eq(plan.n_mbufs[i], ONE_PORT);
	ck_assert_uint_eq(plan.n_mbufs[3], 0);
	/* Two pools and a spare against one and a spare. */
	ck_assert_uint_gt(plan.bytes[2], plan.bytes[0] + ONE_PORT * MBUF_LEAST);
	ck_assert_uint_lt(plan.bytes[2], plan.bytes[0] + 2 * ONE_PORT * MBUF_LEAST);
	/* What all share is on the primary's. */
	ck_assert_uint_gt(plan.bytes[1], plan.bytes[0] + (30 << 20));
}
END_TEST

/* The largest worker of a node decides there, and nowhere else. */
START_TEST(size_by_node)
{
	start(3);
	nodes.worker[0] = 0;
	nodes.worker[1] = 1;
	nodes.worker[2] = 1;
	conf.ports[2].rx_desc = 4096;
	plan_it();
	ck_assert_uint_eq(plan.n_mbufs[0], ONE_PORT);
	ck_assert_uint_eq(plan.n_mbufs[1], ONE_PORT - 512 + 4096);
}
END_TEST

/* The primary where no worker is has no pool there, and no spare. */
START_TEST(primary_alone)
{
	start(2);
	nodes.primary = 3;
	nodes.worker[0] = nodes.worker[1] = 0;
	plan_it();
	ck_assert_uint_eq(plan.n_mbufs[3], 0);
	ck_assert_uint_gt(plan.bytes[3], 48 << 20);
	ck_assert_uint_lt(plan.bytes[3], 60 << 20);
	ck_assert_uint_eq(nodes_in_use(), 2);
}
END_TEST

/* A driver finds memory on the node of its port, even if nothing else is there. */
START_TEST(ports_elsewhere)
{
	size_t before;

	start(2);
	plan_it();
	before = plan.bytes[0];
	nodes.port[0] = 2;
	nodes.port[1] = 0;
	plan_it();
	ck_assert_uint_eq(plan.bytes[0], before);
	ck_assert_uint_gt(plan.bytes[2], 8 << 20);
	ck_assert_uint_lt(plan.bytes[2], 16 << 20);
	ck_assert_uint_eq(plan.n_mbufs[2], 0);
	ck_assert_uint_eq(plan.worker[0], 0);
	before = plan.bytes[2];
	conf.ports[0].rx_desc = 32768;
	plan_it();
	ck_assert_uint_gt(plan.bytes[2], before + 2 * 30000 * 16);
}
END_TEST

/*
 * Where the kernel tells nothing, or more than EAL can count, all is on the primary's node, or 0.
 */
START_TEST(unknown_nodes)
{
	start(2);
	nodes.primary = -1;
	nodes.worker[0] = -1;
	nodes.worker[1] = KNIT_MAX_NODES;
	nodes.port[1] = KNIT_MAX_NODES + 7;
	nodes.n_nodes = KNIT_MAX_NODES + 8;
	plan_it();
	ck_assert_uint_eq(plan.primary, 0);
	ck_assert_uint_eq(plan.worker[0], 0);
	ck_assert_uint_eq(plan.worker[1], 0);
	ck_assert_uint_eq(nodes_in_use(), 1);
	ck_assert_uint_eq(plan.n_nodes, KNIT_MAX_NODES);
	nodes.primary = KNIT_MAX_NODES - 1;
	nodes.n_nodes = 1;
	plan_it();
	ck_assert_uint_eq(plan.worker[1], KNIT_MAX_NODES - 1);
	ck_assert_uint_eq(plan.n_nodes, KNIT_MAX_NODES);
}
END_TEST

/* A worker may have no transmit queue, but an hand-off queue, which is a power of two long. */
START_TEST(room_in_handoff_queues)
{
	start(1);
	conf.ports[0].tx_desc = 257;
	plan_it();
	ck_assert_uint_eq(plan.n_mbufs[0], ONE_PORT - 256 + 512);
}
END_TEST

KNIT_SUITE_EAL(pool_size, knit_eal_small_pages)
{
	knit_add_test(s, "one node", one_node, 0);
	knit_add_test(s, "where the workers are", where_the_workers_are, 0);
	knit_add_test(s, "size by node", size_by_node, 0);
	knit_add_test(s, "primary alone", primary_alone, 0);
	knit_add_test(s, "ports elsewhere", ports_elsewhere, 0);
	knit_add_test(s, "unknown nodes", unknown_nodes, 0);
	knit_add_test(s, "room in hand-off queues", room_in_handoff_queues, 0);
}
