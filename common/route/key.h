/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_ROUTE_KEY_H
#define KNIT_ROUTE_KEY_H

#include "writer.h"

#include <endian.h>
#include <string.h>

/*
 * An address as nodes see it. Level 0 of the trie takes 4 bits, each further one 5: so 9, 14, 19
 * and 24 bits end with a level, and so do 64 and 29, after which few prefixes come.
 *
 * To make them all alike, think of a bit 0 in front of the address: level i takes bits 5i to 5i +
 * 4. A prefix of len bits ends in level len / 5, after 1 + len % 5 bits of it.
 */
#define KNIT_LEVELS 26

struct knit_key {
	uint64_t hi, lo;
};

static inline struct knit_key knit_key_from(const uint8_t *address)
{
	struct knit_key key;

	memcpy(&key.hi, address, sizeof(key.hi));
	memcpy(&key.lo, address + sizeof(key.hi), sizeof(key.lo));
	key.hi = be64toh(key.hi);
	key.lo = be64toh(key.lo);
	return key;
}

static inline void knit_key_to(struct knit_key key, uint8_t *address)
{
	key.hi = htobe64(key.hi);
	key.lo = htobe64(key.lo);
	memcpy(address, &key.hi, sizeof(key.hi));
	memcpy(address + sizeof(key.hi), &key.lo, sizeof(key.lo));
}

/* Bits of the address before this level. Level 0 begins before the address. */
static inline int knit_level_depth(unsigned int level)
{
	return 5 * (int)level - 1;
}

static inline uint32_t knit_key_slot(struct knit_key key, unsigned int level)
{
	if (level == 0)
		return key.hi >> 60;
	if (level < 13)
		return key.hi << knit_level_depth(level) >> 59;
	return key.lo << (knit_level_depth(level) - 64) >> 59;
}

/* The same key with this slot in place of zeroes. */
static inline struct knit_key knit_key_with(struct knit_key key, unsigned int level, uint32_t slot)
{
	if (level == 0)
		key.hi |= (uint64_t)slot << 60;
	else if (level < 13)
		key.hi |= (uint64_t)slot << 59 >> knit_level_depth(level);
	else
		key.lo |= (uint64_t)slot << 59 >> (knit_level_depth(level) - 64);
	return key;
}

static inline unsigned int knit_len_level(unsigned int len)
{
	return len / 5;
}

/*
 * The prefixes that end in a node, as bits: r bits of value v, r from 1 to 5, are bit 2^r + v. Bits
 * in order are shorter ones before longer ones.
 */
static inline unsigned int knit_own_bit(struct knit_key key, unsigned int len)
{
	unsigned int r = len % 5 + 1;

	return (1U << r) + (knit_key_slot(key, knit_len_level(len)) >> (5 - r));
}

/* The slots of a prefix: how many, and the first one. */
static inline unsigned int knit_own_span(unsigned int bit)
{
	return 32U >> (31 - __builtin_clz(bit));
}

static inline unsigned int knit_own_slot(unsigned int bit)
{
	return (bit - (1U << (31 - __builtin_clz(bit)))) * knit_own_span(bit);
}

/* As a mask of slots. */
static inline uint32_t knit_own_slots(unsigned int bit)
{
	unsigned int span = knit_own_span(bit);

	return (span == 32 ? UINT32_MAX : (1U << span) - 1) << knit_own_slot(bit);
}

/* All prefixes that a slot is in, the longest one the highest bit. */
static inline uint64_t knit_own_path(uint32_t slot)
{
	return UINT64_C(1) << (32 + slot) | UINT64_C(1) << (16 + slot / 2) |
	       UINT64_C(1) << (8 + slot / 4) | UINT64_C(1) << (4 + slot / 8) |
	       UINT64_C(1) << (2 + slot / 16);
}

#endif
