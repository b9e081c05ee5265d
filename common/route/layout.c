// SPDX-License-Identifier: BSD-3-Clause
#include "private.h"

#include <errno.h>

/*
 * Bytes that routes take beside direct tables, docs/ROUTING.md. A large table is that of the
 * Internet, whose routes share nodes: 9.1 and 46 bytes a route; the rest are gaps between arrays,
 * and a reserve. A small one may consist of host routes, each with nodes of its own.
 */
#define FEW 65536U
#define BYTES_FEW_4 96U
#define BYTES_FEW_6 128U
#define BYTES_MANY_4 12U
#define BYTES_MANY_6 60U
#define BUCKET_UNITS 36U /* for each group */
#define MORE 1024U

static uint64_t align(uint64_t bytes)
{
	return (bytes + 63) & ~UINT64_C(63);
}

static uint32_t heap_units(const struct knit_route_conf *conf, uint32_t routes, uint32_t few_bytes,
			   uint32_t many_bytes)
{
	uint32_t few = (routes < FEW ? routes : FEW) * few_bytes, many = routes * many_bytes;

	return knit_fib_cells(conf->neighbours) + knit_fib_direct_max(routes, conf->vrfs) + MORE +
	       (few > many ? few : many) / sizeof(uint64_t);
}

void knit_route_layout(const struct knit_route_conf *conf, struct knit_route_half *half,
		       uint64_t *bytes)
{
	uint64_t at = align(sizeof(*half));
	int i;

	half->neighbours = conf->neighbours;
	half->vrfs = conf->vrfs;
	half->units[KNIT_ROOM_4] = heap_units(conf, conf->routes4, BYTES_FEW_4, BYTES_MANY_4);
	half->units[KNIT_ROOM_6] = heap_units(conf, conf->routes6, BYTES_FEW_6, BYTES_MANY_6);
	half->units[KNIT_ROOM_BUCKETS] = conf->neighbours * BUCKET_UNITS + MORE;
	half->units[KNIT_ROOM_ADJACENCIES] = conf->neighbours + conf->neighbours / 4 + 64;

	half->vrf = at;
	at = align(at + conf->vrfs * sizeof(struct knit_route_vrf));
	half->hop = at;
	at = align(at + conf->neighbours * sizeof(uint32_t));
	half->group = at;
	at = align(at + conf->neighbours * sizeof(uint64_t));
	half->adjacency = at;
	at = align(at + half->units[KNIT_ROOM_ADJACENCIES] * sizeof(struct knit_adjacency));
	for (i = 0; i < 3; i++) {
		half->heap[i] = at;
		at = align(at + half->units[i] * sizeof(uint64_t));
	}
	*bytes = at;
}

static bool is_count(uint32_t n, uint32_t most)
{
	return n > 0 && n <= most;
}

size_t knit_route_bytes(const struct knit_route_conf *conf)
{
	struct knit_route_half half;
	uint64_t bytes;

	if (!is_count(conf->routes4, KNIT_ROUTE_MAX_ROUTES) ||
	    !is_count(conf->routes6, KNIT_ROUTE_MAX_ROUTES) ||
	    !is_count(conf->neighbours, KNIT_ROUTE_MAX_NEIGHBOURS) ||
	    !is_count(conf->vrfs, KNIT_ROUTE_MAX_VRFS)) {
		errno = EINVAL;
		return 0;
	}
	knit_route_layout(conf, &half, &bytes);
	return KNIT_ROUTE_HEADER + 2 * bytes;
}

int knit_route_format(struct knit_route_block *block, const struct knit_route_conf *conf)
{
	size_t bytes = knit_route_bytes(conf);

	if (!bytes)
		return -EINVAL;
	block->version = KNIT_ROUTE_VERSION;
	block->conf = *conf;
	block->bytes = bytes;
	block->half = (bytes - KNIT_ROUTE_HEADER) / 2;
	__atomic_store_n(&block->magic, KNIT_ROUTE_MAGIC, __ATOMIC_RELEASE);
	return 0;
}

bool knit_route_valid(const struct knit_route_block *block, size_t bytes)
{
	return bytes >= KNIT_ROUTE_HEADER &&
	       __atomic_load_n(&block->magic, __ATOMIC_ACQUIRE) == KNIT_ROUTE_MAGIC &&
	       block->version == KNIT_ROUTE_VERSION && block->bytes <= bytes &&
	       block->bytes == knit_route_bytes(&block->conf);
}
