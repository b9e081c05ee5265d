/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_POOL_SIZE_H
#define KNIT_POOL_SIZE_H

#include "system/config/config.h"

#include <rte_common.h>

#include <stddef.h>

/*
 * Sizes of the pools, and the NUMA node of each. Pure logic: the input is the configuration and the
 * nodes of CPUs and devices.
 *
 * The pool of a worker is on the node of the first CPU that the worker may run on. The ports' nodes
 * do not matter, because the CPU reads and writes each packet several times, and the device once.
 * Each node that has pools also has one spare pool. A reset replaces the pool of a dead domain by
 * the spare of the same node. All pools of a node have the size that its largest worker needs, so
 * that the spare can replace each of them. All mbufs have the same size.
 *
 * Memory that belongs to no worker is on the primary's node. What a driver allocates for a port is
 * on the port's node.
 */
#define KNIT_MAX_NODES RTE_MAX_NUMA_NODES

/*
 * Size of a pool's cache. Pools have a cache because drivers free mbufs one by one. A cache belongs
 * to an lcore id, so the next worker of the domain uses the same one. A rebuild empties all caches.
 */
#define POOL_CACHE 256

/*
 * NUMA nodes, by the kernel's numbers; -1: not known. The indexes of workers and ports are those of
 * the configuration.
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
	unsigned int needed[KNIT_MAX_NODES];   /* of these, without mempool.headroom */
	size_t bytes[KNIT_MAX_NODES];	       /* hugepage memory needed on the node */
};

void pool_plan(const struct knit_config *c, const struct host_nodes *m, struct pool_plan *plan);

/* In numa.c: read from sysfs. */
void host_nodes_read(const struct knit_config *c, struct host_nodes *m);

#endif
