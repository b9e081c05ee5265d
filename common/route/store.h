/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_ROUTE_STORE_H
#define KNIT_ROUTE_STORE_H

#include <stdint.h>

/*
 * Every store of a writer to what readers may be reading, but for statistics. What was written
 * before is visible to whoever sees it. Tests look at the table after each: a writer may die there.
 */
#ifdef KNIT_ROUTE_STORED
void knit_route_stored(void);
#else
static inline void knit_route_stored(void)
{
}
#endif

static inline void knit_route_store32(uint32_t *at, uint32_t value)
{
	__atomic_store_n(at, value, __ATOMIC_RELEASE);
	knit_route_stored();
}

static inline void knit_route_store64(uint64_t *at, uint64_t value)
{
	__atomic_store_n(at, value, __ATOMIC_RELEASE);
	knit_route_stored();
}

#endif
