// SPDX-License-Identifier: BSD-3-Clause
#include "rib.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#define LARGE_PAGE ((uintptr_t)1 << 21)
#define ROUTE_UNITS (sizeof(struct knit_rib_route) / sizeof(uint32_t))

/* realloc. Large arrays, in which few neighbours are looked at together, on large pages. */
static void *resize(void *array, size_t bytes)
{
	char *new = realloc(array, bytes), *first, *last;

	if (new &&bytes >= 2 * LARGE_PAGE) {
		first = new + (-(uintptr_t) new &(LARGE_PAGE - 1));
		last = new + bytes - ((uintptr_t)(new + bytes) & (LARGE_PAGE - 1));
		madvise(first, last - first, MADV_HUGEPAGE);
	}
	return new;
}

/* Room for `more` units at the end. */
static int arena_grow(struct knit_arena *a, uint32_t more)
{
	uint64_t size = a->size ? a->size : 1024;
	uint32_t *unit;

	while (size < (uint64_t)a->used + more)
		size += size / 2;
	if (size > UINT32_MAX)
		return -ENOMEM;
	if (size == a->size)
		return 0;
	unit = resize(a->unit, size * sizeof(*unit));
	if (!unit)
		return -ENOMEM;
	a->unit = unit;
	a->size = size;
	return 0;
}

/* 0: no memory */
static uint32_t arena_take(struct knit_arena *a, uint32_t units)
{
	uint32_t at = a->free[units];

	if (at) {
		a->free[units] = a->unit[at];
		return at;
	}
	if (!a->used)
		a->used = 1;
	if (arena_grow(a, units) < 0)
		return 0;
	at = a->used;
	a->used += units;
	return at;
}

static void arena_free(struct knit_arena *a, uint32_t at, uint32_t units)
{
	if (!units)
		return;
	a->unit[at] = a->free[units];
	a->free[units] = at;
}

/*
 * The array at `at` of `entries` entries of `units` units each, with a zeroed one more as number
 * `where`. 0: no memory.
 */
static uint32_t arena_insert(struct knit_arena *a, uint32_t at, uint32_t entries, uint32_t where,
			     uint32_t units)
{
	uint32_t to = arena_take(a, (entries + 1) * units);

	if (!to)
		return 0;
	memcpy(&a->unit[to], &a->unit[at], where * units * sizeof(uint32_t));
	memset(&a->unit[to + where * units], 0, units * sizeof(uint32_t));
	memcpy(&a->unit[to + (where + 1) * units], &a->unit[at + where * units],
	       (entries - where) * units * sizeof(uint32_t));
	arena_free(a, at, entries * units);
	return to;
}

/*
 * Where the array is without entry number `where`. It moves, or sizes that nobody asks for any more
 * would fill the arena; if there is no memory for that, its end becomes free.
 */
static uint32_t arena_remove(struct knit_arena *a, uint32_t at, uint32_t entries, uint32_t where,
			     uint32_t units)
{
	uint32_t to = entries > 1 ? arena_take(a, (entries - 1) * units) : at;

	memmove(&a->unit[at + where * units], &a->unit[at + (where + 1) * units],
		(entries - where - 1) * units * sizeof(uint32_t));
	if (!to || to == at) {
		arena_free(a, at + (entries - 1) * units, units);
		return at;
	}
	memcpy(&a->unit[to], &a->unit[at], (entries - 1) * units * sizeof(uint32_t));
	arena_free(a, at, entries * units);
	return to;
}

int knit_rib_open(struct knit_rib *rib, uint32_t vrfs)
{
	memset(rib, 0, sizeof(*rib));
	rib->vrfs = vrfs;
	rib->root = calloc(vrfs, sizeof(*rib->root));
	rib->count = calloc(vrfs, sizeof(*rib->count));
	if (!rib->root || !rib->count) {
		knit_rib_close(rib);
		return -ENOMEM;
	}
	return 0;
}

void knit_rib_close(struct knit_rib *rib)
{
	free(rib->node);
	free(rib->arena.unit);
	free(rib->root);
	free(rib->count);
	memset(rib, 0, sizeof(*rib));
}

size_t knit_rib_bytes(const struct knit_rib *rib)
{
	return (size_t)rib->size * sizeof(*rib->node) +
	       (size_t)rib->arena.size * sizeof(*rib->arena.unit) +
	       rib->vrfs * (sizeof(*rib->root) + sizeof(*rib->count));
}

static int nodes_grow(struct knit_rib *rib)
{
	uint64_t size = rib->size ? (uint64_t)rib->size + rib->size / 2 : 64;
	struct knit_rib_node *node;

	if (size > UINT32_MAX)
		return -ENOMEM;
	node = resize(rib->node, size * sizeof(*node));
	if (!node)
		return -ENOMEM;
	rib->node = node;
	rib->size = size;
	if (!rib->nodes)
		rib->nodes = 1;
	return 0;
}

static uint32_t node_take(struct knit_rib *rib)
{
	uint32_t node = rib->free;

	if (node) {
		rib->free = rib->node[node].kid;
	} else {
		if (rib->nodes == rib->size && nodes_grow(rib) < 0)
			return 0;
		node = rib->nodes++;
	}
	memset(&rib->node[node], 0, sizeof(rib->node[node]));
	return node;
}

static void node_free(struct knit_rib *rib, uint32_t node)
{
	rib->node[node].kid = rib->free;
	rib->free = node;
}

void knit_rib_find(const struct knit_rib *rib, uint32_t vrf, struct knit_key key,
		   unsigned int level, struct knit_rib_path *path)
{
	uint32_t node = rib->root[vrf];
	unsigned int i;

	path->vrf = vrf;
	path->key = key;
	for (i = 0; node && i <= level; i++) {
		path->node[i] = node;
		path->slot[i] = knit_key_slot(key, i);
		node = knit_rib_kid(rib, &rib->node[node], path->slot[i]);
	}
	path->levels = i;
}

static uint32_t kid_rank(const struct knit_rib_node *node, uint32_t slot)
{
	return __builtin_popcount(node->kids & ((UINT32_C(1) << slot) - 1));
}

/* Hangs a new node below the path's last one. */
static int path_grow(struct knit_rib *rib, struct knit_rib_path *path)
{
	uint32_t node = node_take(rib), kids, slot;
	struct knit_rib_node *parent;

	if (!node)
		return -ENOMEM;
	if (path->levels) {
		parent = &rib->node[path->node[path->levels - 1]];
		slot = path->slot[path->levels - 1];
		kids = arena_insert(&rib->arena, parent->kid, __builtin_popcount(parent->kids),
				    kid_rank(parent, slot), 1);
		if (!kids) {
			node_free(rib, node);
			return -ENOMEM;
		}
		rib->arena.unit[kids + kid_rank(parent, slot)] = node;
		parent->kid = kids;
		parent->kids |= UINT32_C(1) << slot;
	} else {
		rib->root[path->vrf] = node;
	}
	path->node[path->levels] = node;
	path->slot[path->levels] = knit_key_slot(path->key, path->levels);
	path->levels++;
	return 0;
}

int knit_rib_make(struct knit_rib *rib, uint32_t vrf, struct knit_key key, unsigned int level,
		  struct knit_rib_path *path)
{
	unsigned int had;

	knit_rib_find(rib, vrf, key, level, path);
	had = path->levels;
	while (path->levels <= level) {
		if (path_grow(rib, path) < 0) {
			while (path->levels > had)
				knit_rib_prune(rib, path);
			return -ENOMEM;
		}
	}
	return 0;
}

void knit_rib_prune(struct knit_rib *rib, struct knit_rib_path *path)
{
	struct knit_rib_node *parent;
	uint32_t slot;

	path->levels--;
	node_free(rib, path->node[path->levels]);
	if (!path->levels) {
		rib->root[path->vrf] = 0;
		return;
	}
	parent = &rib->node[path->node[path->levels - 1]];
	slot = path->slot[path->levels - 1];
	parent->kid = arena_remove(&rib->arena, parent->kid, __builtin_popcount(parent->kids),
				   kid_rank(parent, slot), 1);
	parent->kids &= ~(UINT32_C(1) << slot);
}

static uint32_t own_rank(const struct knit_rib_node *node, unsigned int bit)
{
	return __builtin_popcountll(node->own & ((UINT64_C(1) << bit) - 1));
}

struct knit_rib_route *knit_rib_route(const struct knit_rib *rib, uint32_t node, unsigned int bit)
{
	const struct knit_rib_node *n = &rib->node[node];

	if (!(n->own >> bit & 1))
		return NULL;
	return knit_rib_routes(rib, n) + own_rank(n, bit);
}

struct knit_rib_route *knit_rib_add(struct knit_rib *rib, uint32_t vrf, uint32_t node,
				    unsigned int bit)
{
	struct knit_rib_node *n = &rib->node[node];
	uint32_t route = arena_insert(&rib->arena, n->route, __builtin_popcountll(n->own),
				      own_rank(n, bit), ROUTE_UNITS);

	if (!route)
		return NULL;
	n->route = route;
	n->own |= UINT64_C(1) << bit;
	rib->count[vrf]++;
	rib->routes++;
	return knit_rib_route(rib, node, bit);
}

void knit_rib_drop(struct knit_rib *rib, uint32_t vrf, uint32_t node, unsigned int bit)
{
	struct knit_rib_node *n = &rib->node[node];

	n->route = arena_remove(&rib->arena, n->route, __builtin_popcountll(n->own),
				own_rank(n, bit), ROUTE_UNITS);
	n->own &= ~(UINT64_C(1) << bit);
	rib->count[vrf]--;
	rib->routes--;
}

static void clear_below(struct knit_rib *rib, uint32_t node)
{
	struct knit_rib_node *n = &rib->node[node];
	uint32_t kids = __builtin_popcount(n->kids), i;

	for (i = 0; i < kids; i++)
		clear_below(rib, rib->arena.unit[n->kid + i]);
	arena_free(&rib->arena, n->kid, kids);
	arena_free(&rib->arena, n->route, __builtin_popcountll(n->own) * ROUTE_UNITS);
	node_free(rib, node);
}

void knit_rib_clear(struct knit_rib *rib, uint32_t vrf)
{
	if (rib->root[vrf])
		clear_below(rib, rib->root[vrf]);
	rib->root[vrf] = 0;
	rib->routes -= rib->count[vrf];
	rib->count[vrf] = 0;
}
