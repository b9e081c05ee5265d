// SPDX-License-Identifier: BSD-3-Clause
#include "writer.h"

#include "private.h"

#include <errno.h>
#include <stdlib.h>

struct knit_route_writer *knit_route_open(struct knit_route_block *block,
					  const struct knit_route_grace *grace)
{
	const struct knit_route_conf *conf = &block->conf;
	struct knit_route_writer *w;
	uint32_t live;

	if (!knit_route_valid(block, block->bytes)) {
		errno = EINVAL;
		return NULL;
	}
	w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	live = __atomic_load_n(&block->live, __ATOMIC_ACQUIRE);
	w->block = block;
	w->grace = *grace;
	w->target = live ? !(live & 1) : 0;
	w->generation = (live >> 1) + 1;
	w->neighbour = calloc(conf->neighbours, sizeof(*w->neighbour));
	w->group = calloc(conf->neighbours, sizeof(*w->group));
	if (!w->neighbour || !w->group)
		goto err_free;
	if (knit_fib_open(&w->fib[KNIT_ROUTE_4], KNIT_ROUTE_4, conf) < 0)
		goto err_free;
	if (knit_fib_open(&w->fib[KNIT_ROUTE_6], KNIT_ROUTE_6, conf) < 0)
		goto err_fib;
	w->token = grace->start(grace->arg);
	return w;

err_fib:
	knit_fib_close(&w->fib[KNIT_ROUTE_4]);
err_free:
	free(w->neighbour);
	free(w->group);
	free(w);
	errno = ENOMEM;
	return NULL;
}

static void heaps_close(struct knit_route_writer *w)
{
	knit_heap_close(&w->buckets);
	knit_heap_close(&w->adjacencies);
	knit_heap_close(&w->fib[KNIT_ROUTE_4].heap);
	knit_heap_close(&w->fib[KNIT_ROUTE_6].heap);
}

void knit_route_close(struct knit_route_writer *w)
{
	knit_route_groups_free(w);
	heaps_close(w);
	knit_fib_close(&w->fib[KNIT_ROUTE_4]);
	knit_fib_close(&w->fib[KNIT_ROUTE_6]);
	free(w->neighbour);
	free(w->group);
	free(w);
}

static int heaps_open(struct knit_route_writer *w, const uint32_t *units)
{
	uint32_t cells = knit_fib_cells(w->block->conf.neighbours);

	if (knit_heap_open(&w->buckets, 0, units[KNIT_ROOM_BUCKETS], &w->grace) < 0 ||
	    knit_heap_open(&w->adjacencies, 0, units[KNIT_ROOM_ADJACENCIES], &w->grace) < 0 ||
	    knit_heap_open(&w->fib[KNIT_ROUTE_4].heap, cells, units[KNIT_ROOM_4], &w->grace) < 0 ||
	    knit_heap_open(&w->fib[KNIT_ROUTE_6].heap, cells, units[KNIT_ROOM_6], &w->grace) < 0) {
		heaps_close(w);
		return -ENOMEM;
	}
	return 0;
}

/* The cells that are always there. */
static void cells_publish(struct knit_fib *fib)
{
	uint32_t n = fib->neighbours, i, verdict;

	for (i = 0; i < KNIT_ROUTE_SMALL; i++) {
		knit_fib_cell_make(fib, i, KNIT_ROUTE_VERDICT(KNIT_ROUTE_KERNEL, i));
		verdict = KNIT_ROUTE_VERDICT(KNIT_ROUTE_DROP, i);
		knit_fib_cell_make(fib, knit_fib_cell(fib, verdict), verdict);
	}
	for (i = 0; i < n; i++) {
		verdict = KNIT_ROUTE_VERDICT(KNIT_ROUTE_HOP, i);
		knit_fib_cell_make(fib, knit_fib_cell(fib, verdict), verdict);
		verdict = KNIT_ROUTE_VERDICT(KNIT_ROUTE_GROUP, i);
		knit_fib_cell_make(fib, knit_fib_cell(fib, verdict), verdict);
	}
}

static void fib_publish(struct knit_route_writer *w, enum knit_route_family family)
{
	struct knit_fib *fib = &w->fib[family];
	uint32_t vrf;

	fib->unit = knit_route_at(w, w->half->heap[family]);
	fib->roots = knit_route_at(w, w->half->vrf);
	fib->spare = w->half->units[family] / 64;
	cells_publish(fib);
	for (vrf = 0; vrf < w->block->conf.vrfs; vrf++)
		if (fib->rib.count[vrf])
			knit_fib_vrf_build(fib, vrf);
}

int knit_route_publish(struct knit_route_writer *w)
{
	struct knit_route_half *half =
		(void *)((char *)w->block + KNIT_ROUTE_HEADER + w->target * w->block->half);
	struct knit_route_half layout = { 0 };
	uint64_t bytes;

	if (w->half)
		return -EALREADY;
	if (!w->grace.passed(w->grace.arg, w->token))
		return -EAGAIN;
	knit_route_layout(&w->block->conf, &layout, &bytes);
	if (heaps_open(w, layout.units) < 0)
		return -ENOMEM;
	layout.generation = w->generation;
	w->half = half;
	*half = layout;
	memset(knit_route_at(w, half->vrf), 0, w->block->conf.vrfs * sizeof(struct knit_route_vrf));
	knit_route_hops_publish(w);
	knit_route_groups_publish(w);
	fib_publish(w, KNIT_ROUTE_4);
	fib_publish(w, KNIT_ROUTE_6);
	knit_route_count(w);
	knit_route_store32(&w->block->live, w->generation << 1 | w->target);
	return 0;
}

static bool is_verdict(const struct knit_route_writer *w, uint32_t verdict)
{
	switch (knit_route_kind(verdict)) {
	case KNIT_ROUTE_HOP:
	case KNIT_ROUTE_GROUP:
		return knit_route_value(verdict) < w->block->conf.neighbours;
	default:
		return knit_route_leads_nowhere(verdict);
	}
}

static bool has_tail(struct knit_key key, unsigned int len)
{
	if (len == 0)
		return key.hi || key.lo;
	if (len <= 64)
		return key.lo || (len < 64 && key.hi << len);
	return len < 128 && key.lo << (len - 64);
}

static int check(const struct knit_route_writer *w, const struct knit_route_prefix *p)
{
	if (p->family >= KNIT_ROUTE_FAMILIES || p->len > (p->family == KNIT_ROUTE_4 ? 32 : 128) ||
	    has_tail(knit_key_from(p->address), p->len))
		return -EINVAL;
	return p->vrf < w->block->conf.vrfs ? 0 : -ERANGE;
}

static int add(struct knit_route_writer *w, const struct knit_route *route, bool may_replace)
{
	const struct knit_route_prefix *p = &route->prefix;
	struct knit_key key = knit_key_from(p->address);
	unsigned int level = knit_len_level(p->len), bit = knit_own_bit(key, p->len);
	struct knit_fib *fib = &w->fib[p->family];
	struct knit_rib_route *r;
	struct knit_rib_path path;
	bool was_there;

	if (knit_rib_make(&fib->rib, p->vrf, key, level, &path) < 0)
		return -ENOMEM;
	r = knit_rib_route(&fib->rib, path.node[level], bit);
	if (r && !may_replace)
		return -EEXIST;
	was_there = r;
	if (!r)
		r = knit_rib_add(&fib->rib, p->vrf, path.node[level], bit);
	if (!r) {
		while (path.levels && knit_rib_is_empty(&fib->rib.node[path.node[path.levels - 1]]))
			knit_rib_prune(&fib->rib, &path);
		return -ENOMEM;
	}
	r->tag = route->tag;
	if (was_there && r->verdict == route->verdict)
		return 0;
	r->verdict = route->verdict;
	if (was_there)
		return knit_fib_changed(fib, &path, p->len);
	return knit_fib_added(fib, &path, p->len);
}

static int add_checked(struct knit_route_writer *w, const struct knit_route *route,
		       bool may_replace)
{
	int ret = check(w, &route->prefix);

	if (ret < 0)
		return ret;
	if (!is_verdict(w, route->verdict))
		return -EINVAL;
	ret = add(w, route, may_replace);
	knit_route_count(w);
	return ret;
}

int knit_route_set(struct knit_route_writer *w, const struct knit_route *route)
{
	return add_checked(w, route, true);
}

int knit_route_add(struct knit_route_writer *w, const struct knit_route *route)
{
	return add_checked(w, route, false);
}

static struct knit_rib_route *find(const struct knit_route_writer *w,
				   const struct knit_route_prefix *p, struct knit_rib_path *path)
{
	const struct knit_rib *rib = &w->fib[p->family].rib;
	struct knit_key key = knit_key_from(p->address);
	unsigned int level = knit_len_level(p->len);

	knit_rib_find(rib, p->vrf, key, level, path);
	if (path->levels <= level)
		return NULL;
	return knit_rib_route(rib, path->node[level], knit_own_bit(key, p->len));
}

int knit_route_remove(struct knit_route_writer *w, const struct knit_route_prefix *prefix)
{
	struct knit_rib_path path;
	int ret = check(w, prefix);

	if (ret < 0)
		return ret;
	if (!find(w, prefix, &path))
		return -ENOENT;
	ret = knit_fib_remove(&w->fib[prefix->family], &path, prefix->len);
	knit_route_count(w);
	return ret;
}

int knit_route_get(const struct knit_route_writer *w, const struct knit_route_prefix *prefix,
		   struct knit_route *out)
{
	struct knit_rib_path path;
	struct knit_rib_route *r;
	int ret = check(w, prefix);

	if (ret < 0)
		return ret;
	r = find(w, prefix, &path);
	if (!r)
		return -ENOENT;
	if (out)
		*out = (struct knit_route){ .prefix = *prefix,
					    .verdict = r->verdict,
					    .tag = r->tag };
	return 0;
}

void knit_route_blank(struct knit_route_writer *w)
{
	struct knit_fib *fib;
	uint32_t vrf;
	int i;

	for (i = 0; i < KNIT_ROUTE_FAMILIES; i++) {
		fib = &w->fib[i];
		for (vrf = 0; vrf < w->block->conf.vrfs; vrf++) {
			if (fib->unit)
				knit_fib_vrf_drop(fib, vrf, false);
			knit_rib_clear(&fib->rib, vrf);
		}
	}
	knit_route_count(w);
}

uint64_t knit_route_retry(struct knit_route_writer *w)
{
	if (!w->half)
		return 0;
	knit_route_poll(w);
	knit_route_hops_retry(w);
	knit_route_groups_retry(w);
	knit_fib_retry(&w->fib[KNIT_ROUTE_4]);
	knit_fib_retry(&w->fib[KNIT_ROUTE_6]);
	knit_route_count(w);
	return w->punted_hops + w->punted_groups + w->fib[KNIT_ROUTE_4].punted +
	       w->fib[KNIT_ROUTE_6].punted;
}

void knit_route_poll(struct knit_route_writer *w)
{
	if (!w->half)
		return;
	knit_heap_poll(&w->buckets);
	knit_heap_poll(&w->adjacencies);
	knit_heap_poll(&w->fib[KNIT_ROUTE_4].heap);
	knit_heap_poll(&w->fib[KNIT_ROUTE_6].heap);
	knit_route_count(w);
}
