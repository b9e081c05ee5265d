/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_TAP_REGION_H
#define KNIT_TAP_REGION_H

#include "abi/knit_types.h"

#include <stdint.h>

/*
 * The memory that descriptors may name: what EAL has mapped. This file alone turns an address into
 * a pointer. Tables never change; when EAL maps or unmaps memory a new one takes the old one's
 * place, and EAL goes on only after every engine thread has let go of the old one.
 */
struct knit_region {
	uint64_t start;
	uint64_t end; /* first byte behind it */
};

struct knit_region_table {
	uint32_t n;
	struct knit_region r[]; /* ascending, neither overlapping nor touching */
};

/* One for each engine thread and each pair that an owner serves, in their own memory. */
struct knit_region_reader {
	const struct knit_region_table *table; /* in use; NULL: none. Reader: wo */
	struct knit_region_reader *next;
};

/*
 * Follows EAL's memory from now on. Idempotent; fini undoes the last init. 0 or a negative errno.
 */
int knit_region_init(void);
void knit_region_fini(void);

void knit_region_register(struct knit_region_reader *reader);
void knit_region_unregister(struct knit_region_reader *reader);

/*
 * Engine thread: takes the current table into reader->table until knit_region_leave or the next
 * enter. Keeps EAL waiting meanwhile: leave before sleeping. Pointers from before an enter are
 * void after it.
 */
void knit_region_enter(struct knit_region_reader *reader);
void knit_region_leave(struct knit_region_reader *reader);

/* Pure: a new table with [start, end) added or taken out; malloced, NULL without memory. */
struct knit_region_table *knit_region_add(const struct knit_region_table *t, uint64_t start,
					  uint64_t end);
struct knit_region_table *knit_region_del(const struct knit_region_table *t, uint64_t start,
					  uint64_t end);

/* Pure: index of the region that holds all of [addr, addr + len), -1 if none does. */
int knit_region_find(const struct knit_region_table *t, uint64_t addr, uint32_t len);

/*
 * Pure: the pointer, or NULL. hint is the caller's, any value; it makes the next call near by
 * fast.
 */
static inline void *knit_region_ptr(const struct knit_region_table *t, uint32_t *hint,
				    uint64_t addr, uint32_t len)
{
	const struct knit_region *r = &t->r[*hint];
	int i;

	/* start <= addr < end first: then end - addr can't wrap, whatever addr and len are */
	if (*hint < t->n && addr >= r->start && addr < r->end && len <= r->end - addr)
		return (void *)(uintptr_t)addr;
	i = knit_region_find(t, addr, len);
	if (i < 0)
		return NULL;
	*hint = i;
	return (void *)(uintptr_t)addr;
}

#endif
