/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_MEMORY_POOL_H
#define KNIT_PRIMARY_MEMORY_POOL_H

#include "primary.h"

int primary_pools_create(struct primary *p);
/* That of one worker, on its node. NULL: no memory, logged. */
struct rte_mempool *primary_pool_create(const struct primary *p, unsigned int worker,
					const struct pool_plan *pools);
/*
 * That of a worker that has gone, and whose ports and queues have given their mbufs back. One of
 * which mbufs are missing is kept, and logged: somebody may still write into them.
 */
void primary_pool_free(struct rte_mempool *pool);
/* For receive queues of POOL_UNUSED_DESC descriptors that nobody uses. NULL: no memory, logged. */
#define POOL_UNUSED_DESC 16
struct rte_mempool *primary_pool_unused(void);
/* Makes all objects free and new, whatever the state of the pool. Nobody may use it meanwhile. */
void primary_pool_rebuild(struct rte_mempool *pool);
/* Forgets the free objects. A driver that frees mbufs then always finds room in the pool. */
void primary_pool_forget(struct rte_mempool *pool);
/* At the end, when everything has stopped: logs and returns how many mbufs are missing. */
unsigned int primary_pools_check(struct primary *p);

#endif
