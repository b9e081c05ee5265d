/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_ROUTE_HEAP_H
#define KNIT_ROUTE_HEAP_H

#include "writer.h"

#include <stdint.h>

/*
 * Which units of a room of the shared table are free: the writer's private knowledge. Nothing of it
 * is in the shared memory, so nothing there needs repair after a writer has died.
 *
 * Blocks are powers of two that start at a multiple of their size, and merge with their buddy when
 * both are free. What is asked for need not be a power of two: the rest of a block stays free. The
 * lowest block that fits is taken.
 */
#define KNIT_HEAP_ORDERS 20 /* up to 4 MiB at once: a direct table of 19 bits */
#define KNIT_HEAP_NONE UINT32_MAX

struct knit_heap_order {
	uint32_t blocks;
	/* A bit for each free block; a bit for each of those words that is not 0; and so on. */
	uint64_t *level[5];
};

struct knit_retired {
	uint32_t at;
	uint32_t units;
};

/* What was retired before `end` may be freed after the grace period of `token`. */
struct knit_retired_batch {
	uint64_t end;
	uint64_t token;
};

struct knit_heap {
	uint32_t units;
	uint32_t used;
	struct knit_heap_order order[KNIT_HEAP_ORDERS];
	const struct knit_route_grace *grace;

	/*
	 * Rings, sizes powers of two. Entries from freed to retired wait, the batches tell for
	 * what.
	 */
	struct knit_retired *ring;
	uint64_t ring_size;
	uint64_t freed, batched, retired;
	struct knit_retired_batch *batch;
	uint64_t first_batch, batches, batch_size;
	uint64_t waiting; /* units */
	uint64_t lost;	  /* units */
	uint64_t exhausted;
};

/* Units from first on are free. -ENOMEM: nothing was made. */
int knit_heap_open(struct knit_heap *heap, uint32_t first, uint32_t units,
		   const struct knit_route_grace *grace);
void knit_heap_close(struct knit_heap *heap);

/*
 * The number of the first of so many units; KNIT_HEAP_NONE, and counted, if there is no room. At
 * least `spare` units are left: some must not take the last ones.
 */
uint32_t knit_heap_take(struct knit_heap *heap, uint32_t units, uint32_t spare);

/* Free at once: no reader has ever known them. */
void knit_heap_free(struct knit_heap *heap, uint32_t at, uint32_t units);

/* Free after a grace period: no reader finds them from now on. */
void knit_heap_retire(struct knit_heap *heap, uint32_t at, uint32_t units);

/* Frees what may be freed, and begins a grace period for what was retired since the last one. */
void knit_heap_poll(struct knit_heap *heap);

#endif
