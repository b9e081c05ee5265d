// SPDX-License-Identifier: BSD-3-Clause
#include "private.h"

#include <errno.h>

static void store(struct knit_route_writer *w, uint32_t hop, uint32_t verdict)
{
	uint32_t *word = knit_route_at(w, w->half->hop);

	knit_route_store32(&word[hop], verdict);
}

/* A record with what the neighbour has, or none if it is not reached. */
static bool record_take(struct knit_route_writer *w, struct knit_route_neighbour *n)
{
	struct knit_adjacency *adjacency = knit_route_at(w, w->half->adjacency);

	n->record = KNIT_HEAP_NONE;
	if (!n->reached)
		return true;
	n->record = knit_heap_take(&w->adjacencies, 1, 0);
	if (n->record == KNIT_HEAP_NONE)
		return false;
	adjacency[n->record] = n->adjacency;
	return true;
}

static int hop_publish(struct knit_route_writer *w, uint32_t hop)
{
	struct knit_route_neighbour *n = &w->neighbour[hop];
	uint32_t old = n->record, verdict = n->verdict;
	bool fits = record_take(w, n);

	if (n->record != KNIT_HEAP_NONE)
		verdict = KNIT_ROUTE_VERDICT(KNIT_ROUTE_ADJACENCY, n->record);
	store(w, hop, fits ? verdict : 0);
	if (old != KNIT_HEAP_NONE)
		knit_heap_retire(&w->adjacencies, old, 1);
	w->punted_hops += !fits - n->punted;
	n->punted = !fits;
	return fits ? 0 : -ENOSPC;
}

static int changed(struct knit_route_writer *w, uint32_t hop)
{
	int ret = 0;

	if (w->half) {
		ret = hop_publish(w, hop);
		knit_route_count(w);
	}
	return ret;
}

int knit_route_hop_set(struct knit_route_writer *w, uint32_t hop,
		       const struct knit_adjacency *adjacency)
{
	struct knit_route_neighbour *n;

	if (hop >= w->block->conf.neighbours)
		return -ERANGE;
	if (adjacency->rewrite_size > KNIT_ROUTE_REWRITE)
		return -EINVAL;
	n = &w->neighbour[hop];
	n->adjacency = *adjacency;
	n->reached = true;
	n->verdict = 0;
	return changed(w, hop);
}

int knit_route_hop_clear(struct knit_route_writer *w, uint32_t hop, uint32_t verdict)
{
	if (hop >= w->block->conf.neighbours)
		return -ERANGE;
	if (!knit_route_leads_nowhere(verdict))
		return -EINVAL;
	w->neighbour[hop].reached = false;
	w->neighbour[hop].verdict = verdict;
	return changed(w, hop);
}

void knit_route_hops_publish(struct knit_route_writer *w)
{
	uint32_t hop;

	for (hop = 0; hop < w->block->conf.neighbours; hop++) {
		w->neighbour[hop].record = KNIT_HEAP_NONE;
		hop_publish(w, hop);
	}
}

void knit_route_hops_retry(struct knit_route_writer *w)
{
	uint32_t hop;

	for (hop = 0; w->punted_hops && hop < w->block->conf.neighbours; hop++)
		if (w->neighbour[hop].punted)
			hop_publish(w, hop);
}
