// SPDX-License-Identifier: BSD-3-Clause
#include "heap.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS 5
#define BATCH 256 /* retired before a grace period is begun for them unasked */

static void order_close(struct knit_heap_order *o)
{
	free(o->level[0]);
	memset(o, 0, sizeof(*o));
}

static int order_open(struct knit_heap_order *o, uint32_t blocks)
{
	uint32_t words[LEVELS], n = blocks, total = 0;
	int i;

	o->blocks = blocks;
	for (i = 0; i < LEVELS; i++) {
		n = words[i] = n / 64 + 1;
		total += n;
	}
	o->level[0] = calloc(total, sizeof(uint64_t));
	if (!o->level[0])
		return -ENOMEM;
	for (i = 1; i < LEVELS; i++)
		o->level[i] = o->level[i - 1] + words[i - 1];
	return 0;
}

static void order_set(struct knit_heap_order *o, uint32_t at)
{
	uint64_t *word;
	bool was_empty = true;
	int i;

	for (i = 0; i < LEVELS && was_empty; i++, at /= 64) {
		word = &o->level[i][at / 64];
		was_empty = !*word;
		*word |= UINT64_C(1) << (at % 64);
	}
}

static void order_clear(struct knit_heap_order *o, uint32_t at)
{
	uint64_t *word;
	bool is_empty = true;
	int i;

	for (i = 0; i < LEVELS && is_empty; i++, at /= 64) {
		word = &o->level[i][at / 64];
		*word &= ~(UINT64_C(1) << (at % 64));
		is_empty = !*word;
	}
}

static bool order_has(const struct knit_heap_order *o, uint32_t at)
{
	return at < o->blocks && o->level[0][at / 64] >> (at % 64) & 1;
}

static uint32_t order_first(const struct knit_heap_order *o)
{
	uint32_t at = 0;
	int i;

	if (!o->level[0] || !o->level[LEVELS - 1][0])
		return KNIT_HEAP_NONE;
	for (i = LEVELS - 1; i >= 0; i--)
		at = at * 64 + __builtin_ctzll(o->level[i][at]);
	return at;
}

/* The largest block that starts there. */
static unsigned int order_at(uint32_t at)
{
	unsigned int order = at ? __builtin_ctz(at) : KNIT_HEAP_ORDERS - 1;

	return order < KNIT_HEAP_ORDERS ? order : KNIT_HEAP_ORDERS - 1;
}

static void free_block(struct knit_heap *heap, uint32_t at, unsigned int order)
{
	while (order + 1 < KNIT_HEAP_ORDERS && order_has(&heap->order[order], (at >> order) ^ 1)) {
		order_clear(&heap->order[order], (at >> order) ^ 1);
		at &= ~(UINT32_C(1) << order);
		order++;
	}
	order_set(&heap->order[order], at >> order);
}

static void free_units(struct knit_heap *heap, uint32_t at, uint32_t units)
{
	unsigned int order;

	while (units) {
		order = order_at(at);
		while (UINT32_C(1) << order > units)
			order--;
		free_block(heap, at, order);
		at += UINT32_C(1) << order;
		units -= UINT32_C(1) << order;
	}
}

int knit_heap_open(struct knit_heap *heap, uint32_t first, uint32_t units,
		   const struct knit_route_grace *grace)
{
	int i;

	memset(heap, 0, sizeof(*heap));
	heap->grace = grace;
	heap->units = units;
	heap->used = first;
	for (i = 0; i < KNIT_HEAP_ORDERS; i++)
		if (order_open(&heap->order[i], units >> i) < 0)
			goto err_close;
	free_units(heap, first, units - first);
	return 0;

err_close:
	knit_heap_close(heap);
	return -ENOMEM;
}

void knit_heap_close(struct knit_heap *heap)
{
	int i;

	for (i = 0; i < KNIT_HEAP_ORDERS; i++)
		order_close(&heap->order[i]);
	free(heap->ring);
	free(heap->batch);
	memset(heap, 0, sizeof(*heap));
}

static uint32_t take(struct knit_heap *heap, uint32_t units)
{
	uint32_t at = KNIT_HEAP_NONE, end, rest;
	unsigned int order = 0;

	while (UINT32_C(1) << order < units)
		order++;
	for (; order < KNIT_HEAP_ORDERS; order++) {
		at = order_first(&heap->order[order]);
		if (at != KNIT_HEAP_NONE)
			break;
	}
	if (at == KNIT_HEAP_NONE)
		return at;
	order_clear(&heap->order[order], at);
	at <<= order;
	end = at + (UINT32_C(1) << order);
	/* No part of the rest has a free buddy. */
	for (rest = at + units; rest < end; rest += UINT32_C(1) << order_at(rest))
		order_set(&heap->order[order_at(rest)], rest >> order_at(rest));
	heap->used += units;
	return at;
}

uint32_t knit_heap_take(struct knit_heap *heap, uint32_t units, uint32_t spare)
{
	uint32_t at = KNIT_HEAP_NONE;
	bool waited = false;

	while (units <= heap->units) {
		if (heap->units - heap->used >= units + spare)
			at = take(heap, units);
		if (at != KNIT_HEAP_NONE)
			return at;
		if (waited || !heap->waiting)
			break;
		waited = true;
		knit_heap_poll(heap);
	}
	heap->exhausted++;
	return KNIT_HEAP_NONE;
}

void knit_heap_free(struct knit_heap *heap, uint32_t at, uint32_t units)
{
	heap->used -= units;
	free_units(heap, at, units);
}

/* Makes room for one more entry in a ring that is full. */
static bool grow(void **ring, uint64_t *size, uint64_t first, size_t entry)
{
	uint64_t wanted = *size ? *size * 2 : 512, i;
	char *more = malloc(wanted * entry);

	if (!more)
		return false;
	for (i = first; i < first + *size; i++)
		memcpy(more + i % wanted * entry, (char *)*ring + i % *size * entry, entry);
	free(*ring);
	*ring = more;
	*size = wanted;
	return true;
}

static void begin_grace(struct knit_heap *heap)
{
	if (heap->batched == heap->retired)
		return;
	if (heap->batches - heap->first_batch == heap->batch_size &&
	    !grow((void **)&heap->batch, &heap->batch_size, heap->first_batch,
		  sizeof(*heap->batch)))
		return; /* with the next batch */
	heap->batch[heap->batches++ % heap->batch_size] = (struct knit_retired_batch){
		.end = heap->retired,
		.token = heap->grace->start(heap->grace->arg),
	};
	heap->batched = heap->retired;
}

static void free_batch(struct knit_heap *heap, uint64_t end)
{
	struct knit_retired *r;

	for (; heap->freed < end; heap->freed++) {
		r = &heap->ring[heap->freed % heap->ring_size];
		heap->waiting -= r->units;
		knit_heap_free(heap, r->at, r->units);
	}
}

void knit_heap_poll(struct knit_heap *heap)
{
	const struct knit_route_grace *grace = heap->grace;
	struct knit_retired_batch *batch;

	begin_grace(heap);
	while (heap->first_batch < heap->batches) {
		batch = &heap->batch[heap->first_batch % heap->batch_size];
		if (!grace->passed(grace->arg, batch->token))
			break;
		free_batch(heap, batch->end);
		heap->first_batch++;
	}
}

void knit_heap_retire(struct knit_heap *heap, uint32_t at, uint32_t units)
{
	if (heap->retired - heap->freed == heap->ring_size &&
	    !grow((void **)&heap->ring, &heap->ring_size, heap->freed, sizeof(*heap->ring))) {
		heap->lost += units;
		return;
	}
	heap->ring[heap->retired++ % heap->ring_size] =
		(struct knit_retired){ .at = at, .units = units };
	heap->waiting += units;
	if (heap->retired - heap->batched >= BATCH)
		knit_heap_poll(heap);
}
