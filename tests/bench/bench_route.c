// SPDX-License-Identifier: BSD-3-Clause
#include "bench_tables.h"

#include <getopt.h>
#include <rte_eal.h>
#include <rte_malloc.h>
#include <rte_memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

/*
 * Lookups in knit's forwarding tables and in DPDK's, one after the other in each round; rates of
 * inserts; bytes. Addresses are within random routes, so each route is met as often as any other.
 * Times are CPU time of this thread: others may keep it waiting, but do share its caches.
 */
#define MAX_ROUNDS 99
#define MAX_TABLES 8

struct options {
	unsigned int rounds;
	double seconds; /* to fill a table, at most */
	uint32_t routes;
	const char *only;
};

struct result {
	void *table;
	uint32_t filled; /* routes */
	double rate;	 /* routes added in a second */
	size_t bytes;
	double ns[MAX_ROUNDS];
};

static struct bench_addresses *addresses;
static uint64_t sum; /* of all hops, so that no compiler leaves lookups out */

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
}

static size_t allocated(void)
{
	struct rte_malloc_socket_stats stats;

	return rte_malloc_get_socket_stats(0, &stats) < 0 ? 0 : stats.heap_allocsz_bytes;
}

static void fill(const struct bench_table *kind, struct result *r, const struct bench_route *route,
		 uint32_t n, double seconds)
{
	size_t before = allocated();
	uint64_t start;
	uint32_t i, failed = 0;

	memset(r, 0, sizeof(*r));
	r->table = kind->make(kind, n);
	if (!r->table)
		return;
	start = cpu_ns();
	for (i = 0; i < n; i++) {
		failed += kind->add(r->table, &route[i]) != 0;
		if ((i & 1023) == 0 && cpu_ns() - start > seconds * 1e9)
			break;
	}
	r->filled = i - failed;
	r->rate = i / ((cpu_ns() - start) * 1e-9);
	r->bytes = kind->bytes ? kind->bytes(r->table) : allocated() - before;
}

static double lookups(const struct bench_table *kind, const struct result *r)
{
	uint64_t start = cpu_ns();
	uint32_t i;

	for (i = 0; i < BENCH_ADDRESSES; i += BENCH_BURST)
		sum += kind->lookup(r->table, addresses, i);
	return (double)(cpu_ns() - start) / BENCH_ADDRESSES;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void addresses_in(const struct bench_route *route, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < BENCH_ADDRESSES; i++) {
		bench_address(&route[bench_random() % n], addresses->six[i]);
		addresses->host[i] = bench_host4(addresses->six[i]);
		memcpy(&addresses->net[i], addresses->six[i], sizeof(addresses->net[i]));
	}
}

static void report(const struct bench_table *kind, struct result *r, uint32_t n, bool six,
		   unsigned int rounds, double knit_ns)
{
	double median;

	if (!r->table) {
		printf("%s %7u %-15s not on this machine\n", six ? "v6" : "v4", n, kind->name);
		return;
	}
	median = r->ns[rounds / 2];
	printf("%s %7u %-15s %6.2f (%.2f to %.2f) %5.2f %9.0f %10zu", six ? "v6" : "v4", n,
	       kind->name, median, r->ns[rounds / 4], r->ns[rounds * 3 / 4],
	       knit_ns > 0 ? median / knit_ns : 1, r->rate, r->bytes);
	if (kind->private_bytes)
		printf(" and %zu private", kind->private_bytes(r->table));
	if (r->filled < n)
		printf(" (only %u routes)", r->filled);
	printf("\n");
	fflush(stdout);
}

/* A dump that is published when it is complete. */
static void knit_at_once(const struct bench_table *kind, const struct bench_route *route,
			 uint32_t n)
{
	void *table = bench_knit_unpublished();
	uint64_t start = cpu_ns();
	uint32_t i;

	for (i = 0; i < n; i++)
		kind->add(table, &route[i]);
	bench_knit_publish(table);
	printf("%s %7u knit, published when complete: %.0f routes a second\n",
	       route->six ? "v6" : "v4", n, n / ((cpu_ns() - start) * 1e-9));
	kind->free(table);
}

static void compare(const struct bench_table *kinds, bool six, uint32_t n, const struct options *o)
{
	struct bench_route *route = bench_routes(six, n);
	struct result *results = calloc(MAX_TABLES, sizeof(*results)), *r;
	const struct bench_table *k;
	unsigned int round;

	addresses_in(route, n);
	for (k = kinds, r = results; k->name; k++, r++)
		if (!o->only || strcmp(o->only, k->name) == 0)
			fill(k, r, route, n, o->seconds);
	for (round = 0; round < o->rounds; round++)
		for (k = kinds, r = results; k->name; k++, r++)
			if (r->table)
				r->ns[round] = lookups(k, r);
	for (k = kinds, r = results; k->name; k++, r++)
		qsort(r->ns, o->rounds, sizeof(*r->ns), by_value);
	for (k = kinds, r = results; k->name; k++, r++) {
		if (o->only && strcmp(o->only, k->name) != 0)
			continue;
		report(k, r, n, six, o->rounds, results->ns[o->rounds / 2]);
		if (r->table)
			k->free(r->table);
	}
	if (!o->only || strcmp(o->only, "knit") == 0)
		knit_at_once(kinds, route, n);
	free(results);
	free(route);
}

/* knit's pages and DPDK's are alike, also where it has no hugepages. */
static int large_pages(const struct rte_memseg_list *list, void *arg)
{
	madvise(list->base_va, list->len, MADV_HUGEPAGE);
	return 0;
}

static int eal(char *program)
{
	char *args[] = { program,
			 "--no-huge",
			 "-m",
			 "5000",
			 "--no-pci",
			 "--no-shconf",
			 "--no-telemetry",
			 "--log-level=error",
			 "--force-max-simd-bitwidth=512",
			 NULL };

	if (rte_eal_init(sizeof(args) / sizeof(*args) - 1, args) < 0)
		return -1;
	return rte_memseg_list_walk(large_pages, NULL);
}

static void usage(const char *program)
{
	printf("usage: %s [--rounds N] [--seconds S] [--routes N] [--table NAME]\n"
	       "Lookups, inserts and bytes of knit's forwarding tables and of DPDK's. Columns:\n"
	       "family, routes, table; ns for each lookup, median (quartiles); times knit's;\n"
	       "inserts a second; bytes. Of DPDK's with the rules, of knit's the shared table.\n",
	       program);
}

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "rounds", required_argument, NULL, 'r' },
		{ "seconds", required_argument, NULL, 's' },
		{ "routes", required_argument, NULL, 'n' },
		{ "table", required_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'r')
			o->rounds = strtoul(optarg, NULL, 10);
		else if (c == 's')
			o->seconds = strtod(optarg, NULL);
		else if (c == 'n')
			o->routes = strtoul(optarg, NULL, 10);
		else if (c == 't')
			o->only = optarg;
		else
			return -1;
	}
	return optind == argc && o->rounds >= 1 && o->rounds <= MAX_ROUNDS ? 0 : -1;
}

int main(int argc, char **argv)
{
	static const uint32_t sizes[] = { 1, 1000, 100000, 1000000 };
	struct options o = { .rounds = 15, .seconds = 10 };
	unsigned int i;

	if (parse(argc, argv, &o) < 0) {
		usage(argv[0]);
		return 2;
	}
	if (eal(argv[0]) < 0)
		return 1;
	addresses = bench_memory(sizeof(*addresses));
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		if (!o.routes || o.routes == sizes[i])
			compare(bench_tables4, false, sizes[i], &o);
	if (!o.routes || o.routes == 200000)
		compare(bench_tables6, true, 200000, &o);
	printf("# checksum %016lx\n", (unsigned long)sum);
	return 0;
}
