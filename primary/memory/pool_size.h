/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_POOL_SIZE_H
#define KNIT_POOL_SIZE_H

#include "system/config/config.h"

#include <rte_common.h>

#include <stddef.h>

/*
 * Sizes of the pools, and on which NUMA node what is. Pure logic, from the configuration and from
 * the nodes of CPUs and devices.
 *
 * The pool of a worker is on the node of the first CPU that the worker may run on, wherever its
 * ports are: the CPU reads and writes each packet several times, the device once. Each node with
 * pools has one spare: a reset replaces the pool of a dead domain by the spare, and the domain must
 * stay on its node. All pools of a node have the size that its largest worker needs, so that the
 * spare fits each of them. There is one size of mbuf.
 *
 * Memory that belongs to no worker is on the primary's node. What a driver allocates for a port is
 * on the port's node.
 */
#define KNIT_MAX_NODES RTE_MAX_NUMA_NODES

/*
 * Of each pool. Drivers free mbufs one by one, hence a cache. It belongs to the lcore id, so the
 * next worker of the domain uses the same one; a rebuild empties all caches.
 */
#define POOL_CACHE 256

/*
 * NUMA nodes with the numbers of the kernel, -1: not known. Indexes are those of the configuration.
 */
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
	unsigned int n_mbufs[KNIT_MAX_NODES];  /* of each pool on the node; 0: no pool */
	size_t bytes[KNIT_MAX_NODES];	       /* hugepage memory needed on the node */
};

void pool_plan(const struct knit_config *c, const struct host_nodes *m, struct pool_plan *plan);

/* In numa.c: read from sysfs. */
void host_nodes_read(const struct knit_config *c, struct host_nodes *m);

#endif
