// SPDX-License-Identifier: BSD-3-Clause
#include "private.h"

#include <errno.h>

/* What the writer tells about itself: its routes, and how full the table is. */

static struct knit_route_prefix prefix_of(uint32_t vrf, enum knit_route_family family,
					  struct knit_key key, unsigned int len)
{
	struct knit_route_prefix p = { .vrf = vrf, .family = family, .len = len };

	knit_key_to(key, p.address);
	return p;
}

/* The prefix of a node's own whose bit this is; `key` has the bits before the node. */
static struct knit_route route_at(const struct knit_fib *fib, uint32_t vrf, uint32_t node,
				  struct knit_key key, unsigned int level, unsigned int bit)
{
	const struct knit_rib_route *r = knit_rib_route(&fib->rib, node, bit);
	unsigned int len = knit_level_depth(level) + (31 - __builtin_clz(bit));

	return (struct knit_route){
		.prefix = prefix_of(vrf, fib->family, knit_key_with(key, level, knit_own_slot(bit)),
				    len),
		.verdict = r->verdict,
		.tag = r->tag,
	};
}

int knit_route_match(const struct knit_route_writer *w, uint32_t vrf, enum knit_route_family family,
		     const uint8_t *address, struct knit_route *out)
{
	const struct knit_fib *fib = &w->fib[family];
	struct knit_key at = { 0 };
	struct knit_rib_path path;
	unsigned int level;
	int ret = -ENOENT;
	uint64_t own;

	if (vrf >= w->block->conf.vrfs)
		return -ERANGE;
	knit_rib_find(&fib->rib, vrf, knit_key_from(address), KNIT_LEVELS - 1, &path);
	for (level = 0; level < path.levels; level++) {
		own = fib->rib.node[path.node[level]].own & knit_own_path(path.slot[level]);
		if (own) {
			*out = route_at(fib, vrf, path.node[level], at, level,
					63 - __builtin_clzll(own));
			ret = 0;
		}
		at = knit_key_with(at, level, path.slot[level]);
	}
	return ret;
}

struct walk {
	const struct knit_fib *fib;
	uint32_t vrf;
	int (*each)(void *arg, const struct knit_route *route);
	void *arg;
};

static int walk_node(const struct walk *walk, uint32_t node, struct knit_key key,
		     unsigned int level)
{
	const struct knit_rib_node *n = &walk->fib->rib.node[node];
	uint64_t own = n->own;
	uint32_t kids, slot;
	struct knit_route route;
	int ret = 0;

	for (; own && !ret; own &= own - 1) {
		route = route_at(walk->fib, walk->vrf, node, key, level, __builtin_ctzll(own));
		ret = walk->each(walk->arg, &route);
	}
	for (kids = n->kids; kids && !ret; kids &= kids - 1) {
		slot = __builtin_ctz(kids);
		ret = walk_node(walk, knit_rib_kid(&walk->fib->rib, n, slot),
				knit_key_with(key, level, slot), level + 1);
	}
	return ret;
}

int knit_route_walk(const struct knit_route_writer *w, uint32_t vrf, enum knit_route_family family,
		    int (*each)(void *arg, const struct knit_route *route), void *arg)
{
	struct walk walk = { .fib = &w->fib[family], .vrf = vrf, .each = each, .arg = arg };
	uint32_t root;

	if (vrf >= w->block->conf.vrfs)
		return -ERANGE;
	root = walk.fib->rib.root[vrf];
	return root ? walk_node(&walk, root, (struct knit_key){ 0 }, 0) : 0;
}

static void store(uint64_t *at, uint64_t value)
{
	__atomic_store_n(at, value, __ATOMIC_RELAXED);
}

static void count_room(struct knit_route_stats *stats, enum knit_route_room room,
		       const struct knit_heap *heap)
{
	store(&stats->used[room], heap->used);
	store(&stats->waiting[room], heap->waiting);
	store(&stats->exhausted[room], heap->exhausted);
}

static void count(const struct knit_route_writer *w, struct knit_route_stats *stats)
{
	const struct knit_fib *fib;
	uint64_t lost = w->buckets.lost + w->adjacencies.lost;
	int i;

	for (i = 0; i < KNIT_ROUTE_FAMILIES; i++) {
		fib = &w->fib[i];
		store(&stats->routes[i], fib->rib.routes);
		store(&stats->punted[i], fib->punted);
		count_room(stats, (enum knit_route_room)i, &fib->heap);
		lost += fib->heap.lost;
	}
	count_room(stats, KNIT_ROOM_BUCKETS, &w->buckets);
	count_room(stats, KNIT_ROOM_ADJACENCIES, &w->adjacencies);
	store(&stats->punted_hops, w->punted_hops);
	store(&stats->punted_groups, w->punted_groups);
	store(&stats->lost, lost);
}

void knit_route_count(struct knit_route_writer *w)
{
	if (w->half)
		count(w, &w->half->stats);
}

void knit_route_stats(const struct knit_route_writer *w, struct knit_route_stats *stats)
{
	count(w, stats);
}

size_t knit_route_private(const struct knit_route_writer *w)
{
	return knit_rib_bytes(&w->fib[KNIT_ROUTE_4].rib) +
	       knit_rib_bytes(&w->fib[KNIT_ROUTE_6].rib);
}
