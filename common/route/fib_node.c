// SPDX-License-Identifier: BSD-3-Clause
#include "fib.h"

#include <stdlib.h>

uint32_t knit_fib_cells(uint32_t neighbours)
{
	return 2 * KNIT_ROUTE_SMALL + 2 * neighbours;
}

uint32_t knit_fib_cell(const struct knit_fib *fib, uint32_t verdict)
{
	uint32_t value = knit_route_value(verdict);

	switch (knit_route_kind(verdict)) {
	case KNIT_ROUTE_DROP:
		return KNIT_ROUTE_SMALL + value;
	case KNIT_ROUTE_HOP:
		return 2 * KNIT_ROUTE_SMALL + value;
	case KNIT_ROUTE_GROUP:
		return 2 * KNIT_ROUTE_SMALL + fib->neighbours + value;
	default:
		return value;
	}
}

void knit_fib_cell_make(struct knit_fib *fib, uint32_t cell, uint32_t verdict)
{
	uint32_t *at = (uint32_t *)&fib->unit[cell];

	at[0] = cell;
	at[1] = verdict;
}

void knit_fib_cell_store(struct knit_fib *fib, uint32_t cell, uint32_t verdict)
{
	knit_route_store32((uint32_t *)&fib->unit[cell] + 1, verdict);
}

/* Longer prefixes are the higher bits, and go over shorter ones. */
void knit_fib_shape(const struct knit_fib *fib, const struct knit_rib_node *node, uint32_t cover,
		    struct knit_fib_shape *shape)
{
	const struct knit_rib_route *route = knit_rib_routes(&fib->rib, node);
	unsigned int bit, i, slot, end;
	uint64_t own = node->own;

	for (i = 0; i < KNIT_NODE_SLOTS; i++)
		shape->cell[i] = cover;
	shape->own = 0;
	for (; own; own &= own - 1, route++) {
		bit = __builtin_ctzll(own);
		slot = knit_own_slot(bit);
		shape->own |= knit_own_slots(bit);
		for (end = slot + knit_own_span(bit); slot < end; slot++)
			shape->cell[slot] = route->cell;
	}
}

/* Has the word an array of its own? */
static bool has_array(uint64_t word)
{
	return word && !knit_word_is_cell(word);
}

static bool push(struct knit_fib *fib, uint32_t node, uint64_t word)
{
	size_t size = fib->change_size ? 2 * fib->change_size : 64;
	struct knit_fib_change *change;

	if (fib->changes == fib->change_size) {
		change = realloc(fib->change, size * sizeof(*change));
		if (!change)
			return false;
		fib->change = change;
		fib->change_size = size;
	}
	fib->change[fib->changes++] = (struct knit_fib_change){ .node = node, .word = word };
	return true;
}

void knit_fib_outdate(struct knit_fib *fib, uint64_t word)
{
	if (has_array(word) && !push(fib, 0, word))
		fib->heap.lost += knit_word_units(word);
}

void knit_fib_outdate_all(struct knit_fib *fib, uint32_t node)
{
	struct knit_rib_node *n = &fib->rib.node[node];
	uint32_t kids = __builtin_popcount(n->kids), i;

	knit_fib_outdate(fib, n->word);
	n->word = 0;
	fib->punted -= n->punted;
	n->punted = false;
	for (i = 0; i < kids; i++)
		knit_fib_outdate_all(fib, fib->rib.arena.unit[n->kid + i]);
}

void knit_fib_commit(struct knit_fib *fib)
{
	uint64_t word;
	size_t i;

	for (i = 0; i < fib->changes; i++) {
		word = fib->change[i].word;
		if (has_array(word))
			knit_heap_retire(&fib->heap, knit_word_unit(word), knit_word_units(word));
	}
	fib->changes = 0;
}

/* Only what differs from the slot before gets an entry. */
static uint32_t runs_of_cells(const uint32_t *cell, uint32_t *entry, uint32_t *n)
{
	uint32_t bitmap = 1, i, differs;

	entry[0] = cell[0];
	*n = 1;
	for (i = 1; i < KNIT_NODE_SLOTS; i++) {
		differs = cell[i] != cell[i - 1];
		bitmap |= differs << i;
		*n += differs;
		entry[*n - 1] = cell[i];
	}
	return bitmap;
}

static uint32_t runs_of_words(const uint64_t *word, uint64_t *entry, uint32_t *n)
{
	uint32_t bitmap = 1, i, differs;

	entry[0] = word[0];
	*n = 1;
	for (i = 1; i < KNIT_NODE_SLOTS; i++) {
		differs = word[i] != word[i - 1];
		bitmap |= differs << i;
		*n += differs;
		entry[*n - 1] = word[i];
	}
	return bitmap;
}

/* 0: no room. Else a word for an array with this in it. */
static uint64_t array_make(struct knit_fib *fib, const void *entry, uint32_t units, uint32_t bitmap)
{
	uint32_t at = knit_heap_take(&fib->heap, units, fib->spare);

	if (at == KNIT_HEAP_NONE)
		return 0;
	memcpy(&fib->unit[at], entry, units * sizeof(uint64_t));
	return (uint64_t)at << 32 | bitmap;
}

static uint64_t leaves_make(struct knit_fib *fib, const uint32_t *cell)
{
	uint32_t entry[KNIT_NODE_SLOTS + 1], n, bitmap;

	bitmap = runs_of_cells(cell, entry, &n);
	if (n == 1)
		return knit_word_of_cell(cell[0]);
	entry[n] = 0; /* fills a unit */
	return array_make(fib, entry, (n + 1) / 2, bitmap);
}

static uint64_t words_make(struct knit_fib *fib, const uint64_t *word)
{
	uint64_t entry[KNIT_NODE_SLOTS], made;
	uint32_t n, bitmap;

	bitmap = runs_of_words(word, entry, &n);
	made = array_make(fib, entry, n, bitmap);
	return made ? made | KNIT_WORD_WORDS : 0;
}

static uint64_t array_of(struct knit_fib *fib, const struct knit_rib_node *n,
			 struct knit_fib_shape *shape)
{
	uint32_t kids, slot, rank = 0;
	uint64_t word[KNIT_NODE_SLOTS], kid;
	bool all_cells = true;

	for (kids = n->kids; kids; kids &= kids - 1) {
		kid = fib->rib.node[fib->rib.arena.unit[n->kid + rank++]].word;
		slot = __builtin_ctz(kids);
		if (knit_word_is_cell(kid))
			shape->cell[slot] = knit_word_unit(kid);
		else
			all_cells = false;
	}
	if (all_cells)
		return leaves_make(fib, shape->cell);
	for (slot = 0; slot < KNIT_NODE_SLOTS; slot++)
		word[slot] = knit_word_of_cell(shape->cell[slot]);
	for (kids = n->kids, rank = 0; kids; kids &= kids - 1)
		word[__builtin_ctz(kids)] =
			fib->rib.node[fib->rib.arena.unit[n->kid + rank++]].word;
	return words_make(fib, word);
}

static bool kids_make(struct knit_fib *fib, const struct knit_rib_node *n,
		      const struct knit_fib_shape *shape, uint32_t dirty)
{
	uint32_t kids, kid, slot, rank = 0;
	bool inherits;

	for (kids = n->kids; kids; kids &= kids - 1) {
		kid = fib->rib.arena.unit[n->kid + rank++];
		slot = __builtin_ctz(kids);
		if (fib->rib.node[kid].punted)
			continue;
		inherits = dirty >> slot & 1;
		if (fib->rib.node[kid].word && !inherits)
			continue;
		if (!knit_fib_node(fib, kid, shape->cell[slot], inherits, 0))
			return false;
	}
	return true;
}

uint64_t knit_fib_node(struct knit_fib *fib, uint32_t node, uint32_t cover, bool inherits,
		       uint32_t dirty)
{
	struct knit_rib_node *n = &fib->rib.node[node];
	struct knit_fib_shape shape;
	uint64_t word;

	knit_fib_shape(fib, n, cover, &shape);
	if (inherits && n->word && !~shape.own)
		return n->word; /* inherits nothing */
	if (inherits)
		dirty |= ~shape.own;
	if (n->kids && !kids_make(fib, n, &shape, dirty))
		return 0;
	word = array_of(fib, n, &shape);
	if (!word)
		return 0;
	if (!push(fib, node, n->word)) {
		if (has_array(word))
			knit_heap_free(&fib->heap, knit_word_unit(word), knit_word_units(word));
		return 0;
	}
	n->word = word;
	return word;
}

static void remember_punt(struct knit_fib *fib, struct knit_fib_punt punt)
{
	size_t size = fib->punt_size ? 2 * fib->punt_size : 64;
	struct knit_fib_punt *more;

	if (fib->punts == fib->punt_size) {
		more = realloc(fib->punt, size * sizeof(*more));
		if (!more)
			return; /* it stays so until its routes change */
		fib->punt = more;
		fib->punt_size = size;
	}
	fib->punt[fib->punts++] = punt;
}

uint64_t knit_fib_punt(struct knit_fib *fib, uint32_t node, uint32_t vrf, struct knit_key key,
		       unsigned int level)
{
	struct knit_rib_node *n = &fib->rib.node[node];

	knit_fib_outdate_all(fib, node);
	n->word = knit_word_of_cell(KNIT_CELL_KERNEL);
	n->punted = true;
	fib->punted++;
	remember_punt(fib, (struct knit_fib_punt){ .vrf = vrf, .level = level, .key = key });
	return n->word;
}
