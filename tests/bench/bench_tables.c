// SPDX-License-Identifier: BSD-3-Clause
#include "bench_tables.h"

#include "route/writer.h"

#include <rte_fib.h>
#include <rte_fib6.h>
#include <rte_lpm.h>
#include <rte_lpm6.h>
#include <rte_version.h>
#include <stdlib.h>
#include <string.h>

#define TBL8S_4 (1U << 16)
#define TBL8S_6 (1U << 20)

/* knit */

struct knit_table {
	struct knit_route_block *block;
	struct knit_route_writer *writer;
};

static uint64_t no_start(void *arg)
{
	return 0;
}

static bool no_reader(void *arg, uint64_t token)
{
	return true;
}

static const struct knit_route_grace no_grace = { .start = no_start, .passed = no_reader };

void *bench_knit_unpublished(void)
{
	const struct knit_route_conf conf = {
		.routes4 = 1000000, .routes6 = 200000, .neighbours = 256, .vrfs = 1
	};
	struct knit_table *t = calloc(1, sizeof(*t));

	t->block = bench_memory(knit_route_bytes(&conf));
	knit_route_format(t->block, &conf);
	t->writer = knit_route_open(t->block, &no_grace);
	return t;
}

void bench_knit_publish(void *table)
{
	knit_route_publish(((struct knit_table *)table)->writer);
}

static void *knit_make(const struct bench_table *kind, uint32_t n)
{
	void *table = bench_knit_unpublished();

	bench_knit_publish(table);
	return table;
}

static int knit_add(void *table, const struct bench_route *route)
{
	struct knit_table *t = table;
	struct knit_route r = {
		.prefix = { .family = route->six, .len = route->len },
		.verdict = KNIT_ROUTE_VERDICT(KNIT_ROUTE_HOP, route->hop),
	};

	memcpy(r.prefix.address, route->address, sizeof(r.prefix.address));
	return knit_route_add(t->writer, &r);
}

static uint64_t knit_lookup4(void *table, const struct bench_addresses *a, uint32_t first)
{
	struct knit_table *t = table;
	uint32_t verdict[BENCH_BURST];

	knit_route_lookup4(knit_route_live(t->block), 0, &a->net[first], verdict, BENCH_BURST);
	return bench_sum32(verdict, BENCH_BURST);
}

static uint64_t knit_lookup6(void *table, const struct bench_addresses *a, uint32_t first)
{
	struct knit_table *t = table;
	uint32_t verdict[BENCH_BURST];

	knit_route_lookup6(knit_route_live(t->block), 0, &a->six[first], verdict, BENCH_BURST);
	return bench_sum32(verdict, BENCH_BURST);
}

/* Of the family that has routes. */
static size_t knit_bytes(void *table)
{
	struct knit_route_stats stats;

	knit_route_stats(((struct knit_table *)table)->writer, &stats);
	return sizeof(uint64_t) * (stats.used[stats.routes[0] ? 0 : 1]);
}

static size_t knit_private(void *table)
{
	return knit_route_private(((struct knit_table *)table)->writer);
}

static void knit_free(void *table)
{
	struct knit_table *t = table;

	knit_route_close(t->writer);
	bench_free(t->block);
	free(t);
}

/* rte_lpm. Each table of DPDK's is called as its kind is. */

static void *lpm_make(const struct bench_table *kind, uint32_t n)
{
	const struct rte_lpm_config conf = { .max_rules = n + 1, .number_tbl8s = TBL8S_4 };

	return rte_lpm_create(kind->name, 0, &conf);
}

static int lpm_add(void *table, const struct bench_route *route)
{
	return rte_lpm_add(table, bench_host4(route->address), route->len, route->hop);
}

static uint64_t lpm_lookup(void *table, const struct bench_addresses *a, uint32_t first)
{
	uint32_t hop[BENCH_BURST];

	rte_lpm_lookup_bulk(table, &a->host[first], hop, BENCH_BURST);
	return bench_sum32(hop, BENCH_BURST);
}

static uint64_t lpm_lookupx4(void *table, const struct bench_addresses *a, uint32_t first)
{
	uint32_t hop[BENCH_BURST];
	int i;

	for (i = 0; i < BENCH_BURST; i += 4)
		rte_lpm_lookupx4(table, *(const xmm_t *)&a->host[first + i], hop + i, 0);
	return bench_sum32(hop, BENCH_BURST);
}

static void lpm_free(void *table)
{
	rte_lpm_free(table);
}

/* rte_fib, dir24_8 */

static void *fib_make(const struct bench_table *kind, uint32_t n)
{
	struct rte_fib_conf conf = {
		.type = RTE_FIB_DIR24_8,
		.max_routes = n + 1,
		.dir24_8 = { .nh_sz = RTE_FIB_DIR24_8_4B, .num_tbl8 = TBL8S_4 },
	};
	struct rte_fib *fib = rte_fib_create(kind->name, 0, &conf);

#if RTE_VERSION >= RTE_VERSION_NUM(21, 11, 0, 0)
	if (fib &&
	    rte_fib_select_lookup(fib, kind->vector ? RTE_FIB_LOOKUP_DIR24_8_VECTOR_AVX512
						    : RTE_FIB_LOOKUP_DIR24_8_SCALAR_MACRO) == 0)
		return fib;
#else
	if (!kind->vector)
		return fib;
#endif
	rte_fib_free(fib);
	return NULL;
}

static int fib_add(void *table, const struct bench_route *route)
{
	return rte_fib_add(table, bench_host4(route->address), route->len, route->hop);
}

static uint64_t fib_lookup(void *table, const struct bench_addresses *a, uint32_t first)
{
	uint64_t hop[BENCH_BURST];

	rte_fib_lookup_bulk(table, (void *)(uintptr_t)&a->host[first], hop, BENCH_BURST);
	return bench_sum64(hop, BENCH_BURST);
}

static void fib_free(void *table)
{
	rte_fib_free(table);
}

/* rte_lpm6. DPDK has changed the type of an address, so those of IPv6 are void pointers here. */

static void *address_of(const void *address)
{
	return (void *)(uintptr_t)address;
}

static void *lpm6_make(const struct bench_table *kind, uint32_t n)
{
	const struct rte_lpm6_config conf = { .max_rules = n + 1, .number_tbl8s = TBL8S_6 };

	return rte_lpm6_create(kind->name, 0, &conf);
}

static int lpm6_add(void *table, const struct bench_route *route)
{
	return rte_lpm6_add(table, address_of(route->address), route->len, route->hop);
}

static uint64_t lpm6_lookup(void *table, const struct bench_addresses *a, uint32_t first)
{
	int32_t hop[BENCH_BURST];

	rte_lpm6_lookup_bulk_func(table, address_of(&a->six[first]), hop, BENCH_BURST);
	return bench_sum32((uint32_t *)hop, BENCH_BURST);
}

static void lpm6_free(void *table)
{
	rte_lpm6_free(table);
}

/* rte_fib6, trie */

static void *fib6_make(const struct bench_table *kind, uint32_t n)
{
	struct rte_fib6_conf conf = {
		.type = RTE_FIB6_TRIE,
		.max_routes = n + 1,
		.trie = { .nh_sz = RTE_FIB6_TRIE_4B, .num_tbl8 = TBL8S_6 },
	};
	struct rte_fib6 *fib = rte_fib6_create(kind->name, 0, &conf);

#if RTE_VERSION >= RTE_VERSION_NUM(21, 11, 0, 0)
	if (fib && rte_fib6_select_lookup(fib, kind->vector ? RTE_FIB6_LOOKUP_TRIE_VECTOR_AVX512
							    : RTE_FIB6_LOOKUP_TRIE_SCALAR) == 0)
		return fib;
#else
	if (!kind->vector)
		return fib;
#endif
	rte_fib6_free(fib);
	return NULL;
}

static int fib6_add(void *table, const struct bench_route *route)
{
	return rte_fib6_add(table, address_of(route->address), route->len, route->hop);
}

static uint64_t fib6_lookup(void *table, const struct bench_addresses *a, uint32_t first)
{
	uint64_t hop[BENCH_BURST];

	rte_fib6_lookup_bulk(table, address_of(&a->six[first]), hop, BENCH_BURST);
	return bench_sum64(hop, BENCH_BURST);
}

static void fib6_free(void *table)
{
	rte_fib6_free(table);
}

const struct bench_table bench_tables4[] = {
	{ "knit", knit_make, knit_add, knit_lookup4, knit_bytes, knit_private, knit_free, 0 },
	{ "rte_lpm", lpm_make, lpm_add, lpm_lookup, NULL, NULL, lpm_free, 0 },
	{ "rte_lpm_x4", lpm_make, lpm_add, lpm_lookupx4, NULL, NULL, lpm_free, 0 },
	{ "rte_fib", fib_make, fib_add, fib_lookup, NULL, NULL, fib_free, 0 },
	{ "rte_fib_avx512", fib_make, fib_add, fib_lookup, NULL, NULL, fib_free, 1 },
	{ NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0 },
};

const struct bench_table bench_tables6[] = {
	{ "knit", knit_make, knit_add, knit_lookup6, knit_bytes, knit_private, knit_free, 0 },
	{ "rte_lpm6", lpm6_make, lpm6_add, lpm6_lookup, NULL, NULL, lpm6_free, 0 },
	{ "rte_fib6", fib6_make, fib6_add, fib6_lookup, NULL, NULL, fib6_free, 0 },
	{ "rte_fib6_avx512", fib6_make, fib6_add, fib6_lookup, NULL, NULL, fib6_free, 1 },
	{ NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0 },
};
