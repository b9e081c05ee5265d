/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_ROUTE_WORD_H
#define KNIT_ROUTE_WORD_H

#include <stdbool.h>
#include <stdint.h>

/* Words of the shared tables, whose shapes are in route.h. */

#define KNIT_WORD_WORDS (UINT64_C(1) << 63)
#define KNIT_NODE_BITS 5
#define KNIT_NODE_SLOTS 32
/* The verdict "to the kernel" of class 0: a cell of zeroes that is always there. */
#define KNIT_CELL_KERNEL 0U

static inline uint64_t knit_word_of_cell(uint32_t cell)
{
	return (uint64_t)cell << 32 | 1;
}

static inline bool knit_word_has_words(uint64_t word)
{
	return word & KNIT_WORD_WORDS;
}

/* Is all below it one cell? */
static inline bool knit_word_is_cell(uint64_t word)
{
	return !knit_word_has_words(word) && (uint32_t)word == 1;
}

static inline uint32_t knit_word_unit(uint64_t word)
{
	return (word & ~KNIT_WORD_WORDS) >> 32;
}

static inline uint32_t knit_word_entries(uint64_t word)
{
	return __builtin_popcount((uint32_t)word);
}

/* Units of its array. */
static inline uint32_t knit_word_units(uint64_t word)
{
	uint32_t entries = knit_word_entries(word);

	return knit_word_has_words(word) ? entries : (entries + 1) / 2;
}

/* Which entry of the array a slot has, counted from 1. */
static inline uint32_t knit_word_rank(uint64_t word, uint32_t slot)
{
	return __builtin_popcount((uint32_t)word << (~slot & 31));
}

#endif
