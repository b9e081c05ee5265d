// SPDX-License-Identifier: BSD-3-Clause
#include "fib.h"

#include <errno.h>
#include <stdlib.h>

int knit_fib_open(struct knit_fib *fib, enum knit_route_family family,
		  const struct knit_route_conf *conf)
{
	memset(fib, 0, sizeof(*fib));
	fib->family = family;
	fib->neighbours = conf->neighbours;
	fib->direct_max = knit_fib_direct_max(
		family == KNIT_ROUTE_4 ? conf->routes4 : conf->routes6, conf->vrfs);
	fib->vrf = calloc(conf->vrfs, sizeof(*fib->vrf));
	if (!fib->vrf || knit_rib_open(&fib->rib, conf->vrfs) < 0) {
		free(fib->vrf);
		return -ENOMEM;
	}
	return 0;
}

void knit_fib_close(struct knit_fib *fib)
{
	knit_rib_close(&fib->rib);
	knit_heap_close(&fib->heap);
	free(fib->vrf);
	free(fib->change);
	free(fib->punt);
	memset(fib, 0, sizeof(*fib));
}

static uint32_t longest(const struct knit_fib *fib, uint32_t node, uint64_t candidates,
			uint32_t otherwise)
{
	uint64_t own = fib->rib.node[node].own & candidates;

	if (!own)
		return otherwise;
	return knit_rib_route(&fib->rib, node, 63 - __builtin_clzll(own))->cell;
}

/* What covers a short prefix, or its direct word if len is more than the direct table's bits. */
static uint32_t short_cover(const struct knit_fib *fib, const struct knit_rib_path *path,
			    unsigned int len)
{
	const struct knit_fib_vrf *v = &fib->vrf[path->vrf];
	uint32_t cover = v->cell;
	uint64_t candidates;
	unsigned int i;

	for (i = 0; i < v->levels && i < path->levels && i <= knit_len_level(len); i++) {
		candidates = knit_own_path(path->slot[i]);
		if (i == knit_len_level(len))
			candidates &= (UINT64_C(1) << knit_own_bit(path->key, len)) - 1;
		cover = longest(fib, path->node[i], candidates, cover);
	}
	return cover;
}

static uint64_t *direct_word(const struct knit_fib *fib, const struct knit_rib_path *path)
{
	const struct knit_fib_vrf *v = &fib->vrf[path->vrf];

	return fib->unit + v->direct + (path->key.hi >> (64 - knit_fib_direct_bits(v)));
}

/*
 * Where the word of a node is, or would be, and concerns no other slot. NULL: only a new parent can
 * tell it apart.
 */
static uint64_t *place_of(const struct knit_fib *fib, const struct knit_rib_path *path,
			  unsigned int level)
{
	uint64_t parent;
	uint32_t slot;

	if (level == fib->vrf[path->vrf].levels)
		return direct_word(fib, path);
	parent = fib->rib.node[path->node[level - 1]].word;
	slot = path->slot[level - 1];
	if (!knit_word_has_words(parent) || !((uint32_t)parent >> slot & 1))
		return NULL;
	if (slot < KNIT_NODE_SLOTS - 1 && !((uint32_t)parent >> (slot + 1) & 1))
		return NULL;
	return fib->unit + knit_word_unit(parent) + knit_word_rank(parent, slot) - 1;
}

/* No room for the node of this level: the smallest part that can be left to the kernel is. */
static void leave(struct knit_fib *fib, const struct knit_rib_path *path, unsigned int level)
{
	uint64_t *at;

	while (!(at = place_of(fib, path, level)))
		level--;
	knit_route_store64(at, knit_fib_punt(fib, path->node[level], path->vrf, path->key, level));
	knit_fib_commit(fib);
}

static void prune(struct knit_fib *fib, struct knit_rib_path *path)
{
	while (path->levels && knit_rib_is_empty(&fib->rib.node[path->node[path->levels - 1]]))
		knit_rib_prune(&fib->rib, path);
}

/* Prunes the last node, if it is empty. */
static bool prune_long(struct knit_fib *fib, struct knit_rib_path *path)
{
	struct knit_rib_node *n = &fib->rib.node[path->node[path->levels - 1]];

	if (!knit_rib_is_empty(n))
		return false;
	knit_fib_outdate(fib, n->word);
	fib->punted -= n->punted;
	knit_rib_prune(&fib->rib, path);
	return true;
}

/* Level of a node that is left to the kernel, or one too many. */
static unsigned int punted_level(const struct knit_fib *fib, const struct knit_rib_path *path)
{
	unsigned int i = fib->vrf[path->vrf].levels;

	while (i < path->levels && !fib->rib.node[path->node[i]].punted)
		i++;
	return i;
}

/*
 * The last node of the path, a long one, has other routes than before: `dirty` are the slots where
 * they count. Builds what has to be new, from there upwards, to the first place where one store
 * makes it count.
 */
static int sync_long(struct knit_fib *fib, struct knit_rib_path *path, uint32_t dirty)
{
	unsigned int first = fib->vrf[path->vrf].levels, level, punted = punted_level(fib, path);
	uint32_t cover[KNIT_LEVELS + 1];
	uint64_t word, *at;

	at = direct_word(fib, path);
	cover[first] = short_cover(fib, path, KNIT_LEVELS * 5);
	word = knit_word_of_cell(cover[first]);
	for (level = first; level < path->levels; level++)
		cover[level + 1] = longest(fib, path->node[level], knit_own_path(path->slot[level]),
					   cover[level]);
	while (path->levels > first && prune_long(fib, path))
		dirty = 0;
	if (path->levels > punted) {
		knit_fib_commit(fib);
		return -ENOSPC;
	}
	for (level = path->levels - 1; path->levels > first; level--, dirty = 0) {
		word = knit_fib_node(fib, path->node[level], cover[level], false, dirty);
		if (!word) {
			leave(fib, path, level);
			return -ENOSPC;
		}
		at = place_of(fib, path, level);
		if (at)
			break;
	}
	knit_route_store64(at, word);
	knit_fib_commit(fib);
	prune(fib, path);
	return 0;
}

/* All that names one cell in these words and below names another one from now on. */
static void rename_cell(struct knit_fib *fib, uint64_t *at, uint32_t n, uint32_t from, uint32_t to)
{
	uint32_t *leaf, i;
	uint64_t word;

	for (; n; n--, at++) {
		word = *at;
		if (word == knit_word_of_cell(from)) {
			knit_route_store64(at, knit_word_of_cell(to));
		} else if (knit_word_has_words(word)) {
			rename_cell(fib, fib->unit + knit_word_unit(word), knit_word_entries(word),
				    from, to);
		} else if (!knit_word_is_cell(word)) {
			leaf = (uint32_t *)(fib->unit + knit_word_unit(word));
			for (i = 0; i < knit_word_entries(word); i++)
				if (leaf[i] == from)
					knit_route_store32(&leaf[i], to);
		}
	}
}

static void rename_short(struct knit_fib *fib, const struct knit_rib_path *path, unsigned int len,
			 uint32_t from, uint32_t to)
{
	unsigned int bits = knit_fib_direct_bits(&fib->vrf[path->vrf]);

	rename_cell(fib, direct_word(fib, path), 1U << (bits - len), from, to);
}

static uint32_t cell_verdict(const struct knit_fib *fib, uint32_t cell)
{
	return ((const uint32_t *)&fib->unit[cell])[1];
}

static struct knit_rib_route *route_of(const struct knit_fib *fib, const struct knit_rib_path *path,
				       unsigned int len)
{
	return knit_rib_route(&fib->rib, path->node[knit_len_level(len)],
			      knit_own_bit(path->key, len));
}

static int add_short(struct knit_fib *fib, const struct knit_rib_path *path, unsigned int len)
{
	struct knit_rib_route *route = route_of(fib, path, len);
	uint32_t cover = short_cover(fib, path, len), cell = fib->vrf[path->vrf].cell;

	if (len > 0) {
		cell = knit_heap_take(&fib->heap, 1, 0);
		if (cell == KNIT_HEAP_NONE) {
			knit_fib_vrf_drop(fib, path->vrf, true);
			return -ENOSPC;
		}
		knit_fib_cell_make(fib, cell, cell_verdict(fib, cover));
		rename_short(fib, path, len, cover, cell);
	}
	route->cell = cell;
	knit_fib_cell_store(fib, cell, route->verdict);
	return 0;
}

static void remove_short(struct knit_fib *fib, struct knit_rib_path *path, unsigned int len,
			 uint32_t cell)
{
	uint32_t cover = short_cover(fib, path, len);

	if (len > 0) {
		knit_fib_cell_store(fib, cell, cell_verdict(fib, cover));
		rename_short(fib, path, len, cell, cover);
		knit_heap_retire(&fib->heap, cell, 1);
	} else {
		knit_fib_cell_store(fib, cell, 0);
	}
	prune(fib, path);
}

/* Slots where a prefix of the last node counts, be it there or not: the longer ones are over it. */
static uint32_t slots_of(const struct knit_fib *fib, const struct knit_rib_path *path,
			 unsigned int len)
{
	const struct knit_rib_node *n = &fib->rib.node[path->node[path->levels - 1]];
	unsigned int bit = knit_own_bit(path->key, len);
	uint64_t longer = n->own & ~((UINT64_C(2) << bit) - 1);
	uint32_t slots = knit_own_slots(bit);

	for (; longer; longer &= longer - 1)
		slots &= ~knit_own_slots(__builtin_ctzll(longer));
	return slots;
}

static bool is_short(const struct knit_fib *fib, uint32_t vrf, unsigned int len)
{
	return knit_len_level(len) < fib->vrf[vrf].levels;
}

static int changed_long(struct knit_fib *fib, const struct knit_rib_path *path, unsigned int len)
{
	struct knit_rib_path own = *path;

	return sync_long(fib, &own, slots_of(fib, path, len));
}

int knit_fib_added(struct knit_fib *fib, const struct knit_rib_path *path, unsigned int len)
{
	struct knit_rib_route *route = route_of(fib, path, len);
	struct knit_fib_vrf *v = &fib->vrf[path->vrf];
	int ret;

	route->cell = knit_fib_cell(fib, route->verdict);
	if (!fib->unit)
		return 0;
	if (!v->levels && fib->rib.count[path->vrf] > 1)
		return -ENOSPC;
	if (!v->levels)
		return knit_fib_vrf_build(fib, path->vrf) ? 0 : -ENOSPC;
	if (is_short(fib, path->vrf, len))
		ret = add_short(fib, path, len);
	else
		ret = changed_long(fib, path, len);
	if (v->levels && knit_fib_vrf_wanted(fib, path->vrf) > v->levels)
		knit_fib_vrf_build(fib, path->vrf);
	return ret;
}

int knit_fib_changed(struct knit_fib *fib, const struct knit_rib_path *path, unsigned int len)
{
	struct knit_rib_route *route = route_of(fib, path, len);

	if (fib->unit && is_short(fib, path->vrf, len)) {
		knit_fib_cell_store(fib, route->cell, route->verdict);
		return 0;
	}
	route->cell = knit_fib_cell(fib, route->verdict);
	if (!fib->unit)
		return 0;
	if (!fib->vrf[path->vrf].levels)
		return -ENOSPC;
	return changed_long(fib, path, len);
}

int knit_fib_remove(struct knit_fib *fib, struct knit_rib_path *path, unsigned int len)
{
	uint32_t cell = route_of(fib, path, len)->cell, vrf = path->vrf;
	uint32_t dirty = slots_of(fib, path, len);
	int ret = 0;

	knit_rib_drop(&fib->rib, vrf, path->node[path->levels - 1], knit_own_bit(path->key, len));
	if (!fib->unit || !fib->vrf[vrf].levels) {
		prune(fib, path);
		ret = fib->unit ? -ENOSPC : 0;
	} else if (is_short(fib, vrf, len)) {
		remove_short(fib, path, len, cell);
	} else {
		ret = sync_long(fib, path, dirty);
	}
	if (fib->unit && !fib->rib.count[vrf]) {
		knit_fib_vrf_drop(fib, vrf, false);
		return 0;
	}
	return ret;
}

static void retry_node(struct knit_fib *fib, const struct knit_fib_punt *punt)
{
	struct knit_rib_path path;
	struct knit_rib_node *n;

	knit_rib_find(&fib->rib, punt->vrf, punt->key, punt->level, &path);
	if (path.levels <= punt->level)
		return;
	n = &fib->rib.node[path.node[punt->level]];
	if (!n->punted)
		return;
	n->punted = false;
	fib->punted--;
	sync_long(fib, &path, 0);
}

void knit_fib_retry(struct knit_fib *fib)
{
	size_t n = fib->punts, i;
	uint32_t vrf;

	if (!fib->unit)
		return;
	knit_heap_poll(&fib->heap);
	for (i = 0; i < n; i++)
		retry_node(fib, &fib->punt[i]);
	for (i = n; i < fib->punts; i++)
		fib->punt[i - n] = fib->punt[i];
	fib->punts -= n;
	for (vrf = 0; vrf < fib->rib.vrfs; vrf++)
		if (fib->vrf[vrf].punted)
			knit_fib_vrf_build(fib, vrf);
}
