/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_MEMORY_POOL_H
#define KNIT_PRIMARY_MEMORY_POOL_H

#include "primary.h"

int primary_pools_create(struct primary *p);
/*
 * Every object back to new, all of them free, whatever state the pool was left in. Nobody uses it.
 */
void primary_pool_rebuild(struct rte_mempool *pool);
/* Forgets what is free, so that a driver that gives mbufs back always finds room. */
void primary_pool_forget(struct rte_mempool *pool);
/* At the end, everything stopped: logs and returns mbufs missing from all domains. */
unsigned int primary_pools_check(struct primary *p);

#endif
