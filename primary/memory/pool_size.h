/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_POOL_PLAN_H
#define KNIT_POOL_PLAN_H

#include "system/config/config.h"

#include <rte_common.h>

#include <stddef.h>

/*
 * How large the pools are, and what lies on which NUMA node. Pure logic, from the configuration and
 * from where the machine has its CPUs and devices.
 *
 * A worker's pool is on the node of the first CPU that the worker may run on, wherever its ports
 * are: the CPU reads and writes each packet several times, the device once. Each node with a pool
 * has one spare, for a reset puts the spare in the place of a dead domain's pool, and the domain
 * shall stay where it was. All pools of a node are of one size, the largest worker's there, so that
 * its spare fits each of them. There is one size of mbuf.
 * All that is nobody's in particular lies on the primary's node; what a driver allocates for a port
 * on the port's node.
 */
#define KNIT_MAX_NODES RTE_MAX_NUMA_NODES

/*
 * Of each pool. A cache, because drivers free one by one. It belongs to the lcore id, so the next
 * worker of the domain goes on with its predecessor's; a rebuild forgets all caches.
 */
#define POOL_CACHE 256

/* NUMA nodes as the kernel numbers them, -1: not known. Index as in the configuration. */
struct host_nodes {
	int primary;
	int worker[KNIT_MAX_WORKERS];
	int port[KNIT_MAX_PORTS];
	unsigned int n_nodes; /* numbers are below that */
};

struct pool_plan {
	unsigned int primary;		       /* node */
	unsigned int worker[KNIT_MAX_WORKERS]; /* node of its pool */
	unsigned int n_nodes;		       /* numbers are below that */
	unsigned int n_mbufs[KNIT_MAX_NODES];  /* of each pool on the node; 0: none is there */
	size_t bytes[KNIT_MAX_NODES];	       /* hugepage memory that the node needs; 0: none */
};

void pool_plan(const struct knit_config *c, const struct host_nodes *m, struct pool_plan *plan);

/* numa.c: from sysfs. */
void host_nodes_read(const struct knit_config *c, struct host_nodes *m);

#endif
