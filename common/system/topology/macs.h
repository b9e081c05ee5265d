/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_MACS_H
#define KNIT_MACS_H

#include "abi/knit_req.h"

#include <rte_byteorder.h>
#include <rte_ether.h>

#include <stdbool.h>
#include <stdint.h>

/*
 * A set of MAC addresses in shared memory. One thread of one process writes it, as a whole; workers
 * look addresses up without lock or wait.
 *
 * There are two tables. The writer fills the one that is not in force, then puts it in force by one
 * store. A reader that sleeps in the middle of a lookup while the writer comes round to its table
 * again may be wrong about that one address, that once: it reads nothing but whole words of the
 * table, and stops at its end.
 */
#define KNIT_MACS_SLOTS (2 * KNIT_RXLIST_MAX) /* a power of two; at most half of them are taken */
#define KNIT_MACS_MASK UINT64_C(0xffffffffffff)

struct knit_macs {
	uint32_t in_force;		    /* writer: wo. 0: the set is empty; else table + 1 */
	uint64_t table[2][KNIT_MACS_SLOTS]; /* writer: wo. knit_mac_word, 0: free */
};

/* The six bytes at p as a number, the first one lowest. Reads eight. */
static inline uint64_t knit_mac_word(const void *p)
{
	uint64_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return rte_le_to_cpu_64(v) & KNIT_MACS_MASK;
}

static inline uint32_t knit_macs_slot(uint64_t mac)
{
	return mac * UINT64_C(0x9e3779b97f4a7c15) >> 40 & (KNIT_MACS_SLOTS - 1);
}

static inline bool knit_macs_in(const uint64_t *table, uint64_t mac)
{
	uint32_t at = knit_macs_slot(mac), i;
	uint64_t found;

	for (i = 0; i < KNIT_MACS_SLOTS; i++) {
		found = __atomic_load_n(&table[at], __ATOMIC_RELAXED);
		if (found == mac || found == 0)
			return found != 0;
		at = (at + 1) & (KNIT_MACS_SLOTS - 1);
	}
	return false;
}

/* Worker: the table for the lookups of a burst; NULL: nothing is in the set. */
static inline const uint64_t *knit_macs_table(const struct knit_macs *set)
{
	uint32_t in_force = __atomic_load_n(&set->in_force, __ATOMIC_ACQUIRE);

	return in_force ? set->table[(in_force - 1) & 1] : NULL;
}

/* Writer: the set is list, of at most KNIT_RXLIST_MAX, from now on. */
void knit_macs_set(struct knit_macs *set, const struct rte_ether_addr *list, unsigned int n);

#endif
