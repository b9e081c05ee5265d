/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_SHIM_BITOPS_H
#define KNIT_SHIM_BITOPS_H

#include <stdbool.h>

/* Of the first word; with the order that the kernel's promise, and no more. */
static inline bool test_bit(unsigned int bit, const unsigned long *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED) & 1ul << bit;
}

#endif
