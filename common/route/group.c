// SPDX-License-Identifier: BSD-3-Clause
#include "private.h"

#include <errno.h>
#include <stdlib.h>

#define LEAST_BUCKETS 64U

static void store(struct knit_route_writer *w, uint32_t group, uint64_t word)
{
	uint64_t *words = knit_route_at(w, w->half->group);

	knit_route_store64(&words[group], word);
}

static bool buckets_take(struct knit_route_writer *w, struct knit_route_group *g)
{
	uint32_t *bucket = knit_route_at(w, w->half->heap[KNIT_ROOM_BUCKETS]);

	g->at = KNIT_HEAP_NONE;
	if (!g->buckets)
		return true;
	g->units = (g->buckets + 1) / 2;
	g->at = knit_heap_take(&w->buckets, g->units, 0);
	if (g->at == KNIT_HEAP_NONE)
		return false;
	for (uint32_t i = 0; i < g->buckets; i++)
		bucket[2 * g->at + i] = KNIT_ROUTE_VERDICT(KNIT_ROUTE_HOP, g->bucket[i]);
	return true;
}

static int group_publish(struct knit_route_writer *w, uint32_t group)
{
	struct knit_route_group *g = &w->group[group];
	uint32_t old = g->at, units = g->units;
	bool fits = buckets_take(w, g);

	if (g->at != KNIT_HEAP_NONE)
		store(w, group, (uint64_t)g->at << 32 | g->buckets);
	else
		store(w, group, fits ? (uint64_t)g->verdict << 32 : 0);
	if (old != KNIT_HEAP_NONE)
		knit_heap_retire(&w->buckets, old, units);
	w->punted_groups += !fits - g->punted;
	g->punted = !fits;
	return fits ? 0 : -ENOSPC;
}

static int changed(struct knit_route_writer *w, uint32_t group)
{
	int ret = 0;

	if (w->half) {
		ret = group_publish(w, group);
		knit_route_count(w);
	}
	return ret;
}

static bool are_members(const struct knit_route_writer *w, const struct knit_route_member *member,
			unsigned int n)
{
	unsigned int i, k;

	if (n < 1 || n > KNIT_ROUTE_MEMBERS)
		return false;
	for (i = 0; i < n; i++) {
		if (member[i].hop >= w->block->conf.neighbours || member[i].weight < 1 ||
		    member[i].weight > UINT16_MAX)
			return false;
		for (k = 0; k < i; k++)
			if (member[k].hop == member[i].hop)
				return false;
	}
	return true;
}

/* So many that shares differ from weights by a few per cent. */
static unsigned int default_buckets(const struct knit_route_member *member, unsigned int n)
{
	uint32_t total = 0, least = UINT32_MAX, wanted, buckets = LEAST_BUCKETS;
	unsigned int i;

	for (i = 0; i < n; i++) {
		total += member[i].weight;
		if (member[i].weight < least)
			least = member[i].weight;
	}
	wanted = 4 * (total / least);
	if (wanted < 16 * n)
		wanted = 16 * n;
	while (buckets < wanted && buckets < KNIT_ROUTE_BUCKETS)
		buckets *= 2;
	return buckets;
}

/* Buckets for each member: its share, rounded so that the sum is right. */
static void share(const struct knit_route_member *member, unsigned int n, unsigned int buckets,
		  int *wants)
{
	uint64_t total = 0, sum = 0, given = 0, end;
	unsigned int i;

	for (i = 0; i < n; i++)
		total += member[i].weight;
	for (i = 0; i < n; i++) {
		sum += member[i].weight;
		end = (sum * buckets + total / 2) / total;
		wants[i] = end - given;
		given = end;
	}
}

static int index_of(const struct knit_route_member *member, unsigned int n, uint32_t hop)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (member[i].hop == hop)
			return i;
	return -1;
}

static unsigned int neediest(const int *wants, unsigned int n)
{
	unsigned int i, best = 0;

	for (i = 1; i < n; i++)
		if (wants[i] > wants[best])
			best = i;
	return best;
}

/* Has the group only lost members? Then no flow of others moves, even if shares are uneven. */
static bool only_lost(const struct knit_route_group *old, const struct knit_route_member *member,
		      unsigned int n)
{
	unsigned int i;
	int was;

	for (i = 0; i < n; i++) {
		was = index_of(old->member, old->members, member[i].hop);
		if (was < 0 || old->member[was].weight != member[i].weight)
			return false;
	}
	return true;
}

/* Fills `bucket` so that as many as possible are what they were in a group of the same size. */
static void assign(const struct knit_route_group *old, const struct knit_route_member *member,
		   unsigned int n, unsigned int buckets, uint32_t *bucket)
{
	bool same_size = old->buckets == buckets, move = !same_size || !only_lost(old, member, n);
	int wants[KNIT_ROUTE_MEMBERS], m;
	unsigned int i;

	share(member, n, buckets, wants);
	for (i = 0; i < buckets; i++) {
		m = same_size ? index_of(member, n, old->bucket[i]) : -1;
		bucket[i] = UINT32_MAX;
		if (m < 0 || (move && wants[m] <= 0))
			continue;
		bucket[i] = member[m].hop;
		wants[m]--;
	}
	for (i = 0; i < buckets; i++) {
		if (bucket[i] != UINT32_MAX)
			continue;
		m = neediest(wants, n);
		bucket[i] = member[m].hop;
		wants[m]--;
	}
}

static void forget(struct knit_route_group *g)
{
	free(g->member);
	free(g->bucket);
	g->member = NULL;
	g->bucket = NULL;
	g->members = g->buckets = 0;
}

int knit_route_group_set(struct knit_route_writer *w, uint32_t group,
			 const struct knit_route_member *member, unsigned int n,
			 unsigned int buckets)
{
	struct knit_route_group *g;
	struct knit_route_member *members;
	uint32_t *bucket;

	if (group >= w->block->conf.neighbours)
		return -ERANGE;
	if (!are_members(w, member, n) || buckets > KNIT_ROUTE_BUCKETS ||
	    (buckets & (buckets - 1)) || (buckets && buckets < n))
		return -EINVAL;
	if (!buckets)
		buckets = default_buckets(member, n);
	members = malloc(n * sizeof(*members));
	bucket = malloc(buckets * sizeof(*bucket));
	if (!members || !bucket) {
		free(members);
		free(bucket);
		return -ENOMEM;
	}
	g = &w->group[group];
	assign(g, member, n, buckets, bucket);
	memcpy(members, member, n * sizeof(*members));
	forget(g);
	g->member = members;
	g->members = n;
	g->bucket = bucket;
	g->buckets = buckets;
	g->verdict = 0;
	return changed(w, group);
}

int knit_route_group_clear(struct knit_route_writer *w, uint32_t group, uint32_t verdict)
{
	if (group >= w->block->conf.neighbours)
		return -ERANGE;
	if (!knit_route_leads_nowhere(verdict))
		return -EINVAL;
	forget(&w->group[group]);
	w->group[group].verdict = verdict;
	return changed(w, group);
}

void knit_route_groups_publish(struct knit_route_writer *w)
{
	uint32_t group;

	for (group = 0; group < w->block->conf.neighbours; group++) {
		w->group[group].at = KNIT_HEAP_NONE;
		group_publish(w, group);
	}
}

void knit_route_groups_retry(struct knit_route_writer *w)
{
	uint32_t group;

	for (group = 0; w->punted_groups && group < w->block->conf.neighbours; group++)
		if (w->group[group].punted)
			group_publish(w, group);
}

void knit_route_groups_free(struct knit_route_writer *w)
{
	uint32_t group;

	for (group = 0; group < w->block->conf.neighbours; group++)
		forget(&w->group[group]);
}
