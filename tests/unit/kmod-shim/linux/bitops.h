/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_SHIM_BITOPS_H
#define KNIT_SHIM_BITOPS_H

#include <stdbool.h>

/* Of the first word; with the order that the kernel's promise, and no more. */
static inline bool test_bit(unsigned int bit, const unsigned long *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED) & 1ul << bit;
}

static inline bool test_and_set_bit_lock(unsigned int bit, unsigned long *word)
{
	/* one that finds it set orders nothing */
	return test_bit(bit, word) ||
	       __atomic_fetch_or(word, 1ul << bit, __ATOMIC_ACQUIRE) & 1ul << bit;
}

static inline void clear_bit_unlock(unsigned int bit, unsigned long *word)
{
	__atomic_fetch_and(word, ~(1ul << bit), __ATOMIC_RELEASE);
}

#endif
