/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_BENCH_TABLES_H
#define KNIT_BENCH_TABLES_H

#include "routes.h"

#define BENCH_BURST 32
#define BENCH_ADDRESSES (1U << 20)

/* Addresses that are looked up, in each of the orders of bytes that somebody asks for. */
struct bench_addresses {
	uint32_t host[BENCH_ADDRESSES];
	uint32_t net[BENCH_ADDRESSES];
	uint8_t six[BENCH_ADDRESSES][16];
};

/* A kind of table. */
struct bench_table {
	const char *name;
	/* With room for n routes. NULL: this machine or this DPDK has none. */
	void *(*make)(const struct bench_table *kind, uint32_t n);
	int (*add)(void *table, const struct bench_route *route);
	/* A burst of addresses from `first` on. Returns the sum of the hops. */
	uint64_t (*lookup)(void *table, const struct bench_addresses *addresses, uint32_t first);
	/* Bytes of the table that readers use; NULL: all that was allocated, with the rules. */
	size_t (*bytes)(void *table);
	size_t (*private_bytes)(void *table);
	void (*free)(void *table);
	int vector; /* 1: with AVX512 */
};

/* They end with a name of NULL. knit is the first. */
extern const struct bench_table bench_tables4[];
extern const struct bench_table bench_tables6[];

/* knit's: a writer that has published nothing; and when it does. */
void *bench_knit_unpublished(void);
void bench_knit_publish(void *table);

#endif
