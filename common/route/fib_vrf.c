// SPDX-License-Identifier: BSD-3-Clause
#include "fib.h"

/*
 * Routes from which on a VRF has a larger direct table. It takes fewer loads, and memory: 4, 128
 * and 4096 KiB.
 */
#define ROUTES_FOR_14_BITS 16U
#define ROUTES_FOR_19_BITS 4096U
#define DIRECT_9 512U
#define DIRECT_14 16384U
#define DIRECT_19 524288U
/* What a route may take: below it, a table is not replaced by a larger one. */
#define GROW_UNITS 16U

static unsigned int levels_for(uint32_t routes)
{
	return routes >= ROUTES_FOR_19_BITS ? 4 : routes >= ROUTES_FOR_14_BITS ? 3 : 2;
}

static uint32_t direct_units(unsigned int levels)
{
	return UINT32_C(1) << knit_level_depth(levels);
}

uint32_t knit_fib_direct_max(uint32_t routes, uint32_t vrfs)
{
	uint32_t larger = routes / ROUTES_FOR_14_BITS;
	uint32_t units = vrfs * DIRECT_9;

	if (larger > vrfs)
		larger = vrfs;
	if (larger > 8)
		larger = 8;
	units += larger * DIRECT_14;
	if (routes >= ROUTES_FOR_19_BITS)
		units += DIRECT_19;
	return units;
}

unsigned int knit_fib_vrf_wanted(const struct knit_fib *fib, uint32_t vrf)
{
	const struct knit_fib_vrf *v = &fib->vrf[vrf];
	uint32_t others = fib->direct_units - (v->levels ? direct_units(v->levels) : 0);
	unsigned int levels = levels_for(fib->rib.count[vrf]);

	if (v->levels && fib->rib.count[vrf] < v->grow_at)
		return v->levels;
	while (levels > KNIT_FIB_MIN_LEVELS && levels > v->levels &&
	       others + direct_units(levels) > fib->direct_max)
		levels--;
	return levels > v->levels ? levels : v->levels;
}

/* As a word whose array is the unit, for the list of changes. */
static void outdate_cell(struct knit_fib *fib, uint32_t cell)
{
	knit_fib_outdate(fib, KNIT_WORD_WORDS | knit_word_of_cell(cell));
}

/*
 * Short routes give their cells back, those that have got one; nodes below the direct table have no
 * word then.
 */
static void outdate_level(struct knit_fib *fib, const struct knit_fib_vrf *v, uint32_t node,
			  unsigned int level)
{
	struct knit_rib_node *n = &fib->rib.node[node];
	struct knit_rib_route *route = knit_rib_routes(&fib->rib, n);
	uint32_t own = __builtin_popcountll(n->own), kids = __builtin_popcount(n->kids), i;

	if (level == v->levels) {
		knit_fib_outdate_all(fib, node);
		return;
	}
	for (i = 0; i < own; i++) {
		if (route[i].cell != v->cell && route[i].cell >= knit_fib_cells(fib->neighbours))
			outdate_cell(fib, route[i].cell);
		route[i].cell = knit_fib_cell(fib, route[i].verdict);
	}
	for (i = 0; i < kids; i++)
		outdate_level(fib, v, fib->rib.arena.unit[n->kid + i], level + 1);
}

/* The VRF's table is not counted any more; it is retired with the commit. */
static void outdate_table(struct knit_fib *fib, uint32_t vrf, const struct knit_fib_vrf *v)
{
	if (!v->levels)
		return;
	if (fib->rib.root[vrf])
		outdate_level(fib, v, fib->rib.root[vrf], 0);
	outdate_cell(fib, v->cell);
	fib->direct_units -= direct_units(v->levels);
}

static void outdate_direct(struct knit_fib *fib, const struct knit_fib_vrf *v)
{
	if (v->levels)
		knit_heap_retire(&fib->heap, v->direct, direct_units(v->levels));
}

void knit_fib_vrf_drop(struct knit_fib *fib, uint32_t vrf, bool punted)
{
	struct knit_fib_vrf *v = &fib->vrf[vrf], old = *v;

	knit_route_store64(&fib->roots[vrf].root[fib->family], 0);
	outdate_table(fib, vrf, &old);
	knit_fib_commit(fib);
	outdate_direct(fib, &old);
	fib->punted += punted - v->punted;
	*v = (struct knit_fib_vrf){ .punted = punted };
}

static void fill(uint64_t *direct, uint32_t n, uint64_t word)
{
	while (n--)
		*direct++ = word;
}

struct filler {
	struct knit_fib *fib;
	const struct knit_fib_vrf *v;
	uint32_t vrf;
};

/* Each short route its cell. */
static bool cells_make(const struct filler *f, const struct knit_rib_node *n, unsigned int level)
{
	struct knit_rib_route *route = knit_rib_routes(&f->fib->rib, n);
	uint64_t own = n->own;
	uint32_t cell;

	for (; own; own &= own - 1, route++) {
		cell = f->v->cell;
		if (level > 0 || __builtin_ctzll(own) != 2) { /* not of length 0 */
			cell = knit_heap_take(&f->fib->heap, 1, 0);
			if (cell == KNIT_HEAP_NONE)
				return false;
		}
		route->cell = cell;
		knit_fib_cell_make(f->fib, cell, route->verdict);
	}
	return true;
}

static uint64_t node_make(const struct filler *f, uint32_t node, struct knit_key key,
			  uint32_t cover)
{
	uint64_t word = knit_fib_node(f->fib, node, cover, false, 0);

	if (word)
		return word;
	return knit_fib_punt(f->fib, node, f->vrf, key, f->v->levels);
}

/* `direct` is where the words of the node's first slot are. */
static bool level_make(const struct filler *f, uint32_t node, unsigned int level,
		       struct knit_key key, uint32_t cover, uint64_t *direct)
{
	uint32_t words = UINT32_C(1) << (knit_fib_direct_bits(f->v) - knit_level_depth(level + 1));
	struct knit_rib_node *n = &f->fib->rib.node[node];
	uint32_t slot, slots = level ? KNIT_NODE_SLOTS : KNIT_NODE_SLOTS / 2, kid;
	struct knit_fib_shape shape;
	struct knit_key below;

	if (!cells_make(f, n, level))
		return false;
	knit_fib_shape(f->fib, n, cover, &shape);
	for (slot = 0; slot < slots; slot++, direct += words) {
		kid = knit_rib_kid(&f->fib->rib, n, slot);
		below = knit_key_with(key, level, slot);
		if (!kid)
			fill(direct, words, knit_word_of_cell(shape.cell[slot]));
		else if (level + 1 == f->v->levels)
			*direct = node_make(f, kid, below, shape.cell[slot]);
		else if (!level_make(f, kid, level + 1, below, shape.cell[slot], direct))
			return false;
	}
	return true;
}

static bool table_take(struct knit_fib *fib, struct knit_fib_vrf *v, unsigned int levels)
{
	v->levels = levels;
	v->direct = knit_heap_take(&fib->heap, direct_units(levels), fib->spare);
	if (v->direct == KNIT_HEAP_NONE)
		return false;
	v->cell = knit_heap_take(&fib->heap, 1, 0);
	if (v->cell == KNIT_HEAP_NONE) {
		knit_heap_free(&fib->heap, v->direct, direct_units(levels));
		return false;
	}
	knit_fib_cell_make(fib, v->cell, 0);
	fib->direct_units += direct_units(levels);
	return true;
}

/* The old table and all of the new one exist at the same time. */
static bool may_grow(const struct knit_fib *fib, uint32_t vrf, unsigned int levels)
{
	uint64_t needed = direct_units(levels) + (uint64_t)GROW_UNITS * fib->rib.count[vrf];

	return fib->heap.units - fib->heap.used >= needed + fib->spare;
}

bool knit_fib_vrf_build(struct knit_fib *fib, uint32_t vrf)
{
	struct knit_fib_vrf *v = &fib->vrf[vrf], old = *v, new = { 0 };
	struct filler f = { .fib = fib, .v = v, .vrf = vrf };
	unsigned int levels = knit_fib_vrf_wanted(fib, vrf);

	if (old.levels && (!may_grow(fib, vrf, levels) || !table_take(fib, &new, levels))) {
		v->grow_at = 2 * fib->rib.count[vrf];
		return true;
	}
	/* A smaller one is better than none. */
	while (!old.levels && !table_take(fib, &new, levels)) {
		if (--levels < KNIT_FIB_MIN_LEVELS) {
			knit_fib_vrf_drop(fib, vrf, true);
			return false;
		}
	}
	outdate_table(fib, vrf, &old);
	new.punted = old.punted;
	*v = new;
	if (!level_make(&f, fib->rib.root[vrf], 0, (struct knit_key){ 0 }, v->cell,
			fib->unit + v->direct)) {
		knit_fib_vrf_drop(fib, vrf, true);
		outdate_direct(fib, &old);
		return false;
	}
	knit_route_store64(&fib->roots[vrf].root[fib->family],
			   (uint64_t)v->direct << 32 | knit_fib_direct_bits(v));
	knit_fib_commit(fib);
	outdate_direct(fib, &old);
	fib->punted -= v->punted;
	v->punted = false;
	return true;
}
