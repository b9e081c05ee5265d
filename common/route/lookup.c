// SPDX-License-Identifier: BSD-3-Clause
#include "route.h"
#include "word.h"

#include <endian.h>
#include <string.h>

/*
 * The loads of one packet depend on each other. Those of different packets do not, so a group of
 * packets goes through the stages together, each stage asking for what the next one reads.
 */
#define AT_ONCE 32U

struct table {
	const uint64_t *unit;	/* the heap */
	const uint64_t *direct; /* NULL: no table */
	unsigned int bits;	/* of the address that direct looks at */
};

static struct table table_of(const struct knit_route_half *half, uint32_t vrf,
			     enum knit_route_family family)
{
	const char *base = (const char *)half;
	struct table t = { .unit = (const uint64_t *)(base + half->heap[family]) };
	const struct knit_route_vrf *vrfs = (const void *)(base + half->vrf);
	uint64_t root = 0;

	if (vrf < half->vrfs)
		root = __atomic_load_n(&vrfs[vrf].root[family], __ATOMIC_ACQUIRE);
	if (root)
		t.direct = t.unit + (root >> 32);
	t.bits = (uint32_t)root;
	return t;
}

static inline uint64_t word_at(const uint64_t *at)
{
	return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

/* The entry of a word of words. */
static inline const uint64_t *word_in(const struct table t, uint64_t word, uint32_t slot)
{
	return t.unit + knit_word_unit(word) + knit_word_rank(word, slot) - 1;
}

/* The entry of a word of leaves. */
static inline const uint32_t *leaf_in(const struct table t, uint64_t word, uint32_t slot)
{
	return (const uint32_t *)(t.unit + (word >> 32)) + knit_word_rank(word, slot) - 1;
}

/* The entry of any word. A branch would do, if anybody could predict it. */
static inline const void *entry_in(const struct table t, uint64_t word, uint32_t slot)
{
	size_t entry = knit_word_rank(word, slot) - 1;

	return (const char *)(t.unit + knit_word_unit(word)) +
	       (entry << (knit_word_has_words(word) ? 3 : 2));
}

static inline uint32_t verdict_of(const struct table t, const uint32_t *leaf)
{
	uint32_t cell = __atomic_load_n(leaf, __ATOMIC_ACQUIRE);

	return __atomic_load_n((const uint32_t *)(t.unit + cell) + 1, __ATOMIC_RELAXED);
}

static inline void lookup4(const struct table t, const uint32_t *address, uint32_t *verdict,
			   unsigned int n)
{
	const uint64_t *word[AT_ONCE];
	const uint32_t *leaf[AT_ONCE];
	uint64_t key[AT_ONCE], w;
	unsigned int i;

	for (i = 0; i < n; i++) {
		key[i] = (uint64_t)be32toh(address[i]) << 32;
		word[i] = t.direct + (key[i] >> (64 - t.bits));
		key[i] <<= t.bits;
		__builtin_prefetch(word[i]);
	}
	for (i = 0; i < n; i++) {
		w = word_at(word[i]);
		while (knit_word_has_words(w)) {
			w = word_at(word_in(t, w, key[i] >> 59));
			key[i] <<= KNIT_NODE_BITS;
		}
		leaf[i] = leaf_in(t, w, key[i] >> 59);
		__builtin_prefetch(leaf[i]);
	}
	for (i = 0; i < n; i++)
		verdict[i] = verdict_of(t, leaf[i]);
}

void knit_route_lookup4(const struct knit_route_half *half, uint32_t vrf, const uint32_t *address,
			uint32_t *verdict, unsigned int n)
{
	struct table t = table_of(half, vrf, KNIT_ROUTE_4);

	if (!t.direct) {
		memset(verdict, 0, n * sizeof(*verdict));
		return;
	}
	for (; n >= AT_ONCE; n -= AT_ONCE, address += AT_ONCE, verdict += AT_ONCE)
		lookup4(t, address, verdict, AT_ONCE);
	lookup4(t, address, verdict, n);
}

/* An address that loses what was looked at: the next bits are the uppermost. */
struct key6 {
	uint64_t hi, lo;
};

static inline struct key6 key6_from(const uint8_t *address)
{
	struct key6 key;

	memcpy(&key.hi, address, 8);
	memcpy(&key.lo, address + 8, 8);
	key.hi = be64toh(key.hi);
	key.lo = be64toh(key.lo);
	return key;
}

static inline void key6_shift(struct key6 *key, unsigned int bits)
{
	key->hi = key->hi << bits | key->lo >> (64 - bits);
	key->lo <<= bits;
}

/*
 * Goes down until no packet has words left. Only those that have are on the list. A packet enters
 * the list of the next round by arithmetic, since nobody can predict who does.
 */
static inline void lookup6(const struct table t, const uint8_t (*address)[16], uint32_t *verdict,
			   unsigned int n)
{
	const void *at[AT_ONCE]; /* the next word, or at last the leaf */
	uint8_t list[AT_ONCE];
	struct key6 key[AT_ONCE];
	unsigned int i, k, left, next;
	uint64_t w;

	for (i = 0; i < n; i++) {
		key[i] = key6_from(address[i]);
		at[i] = t.direct + (key[i].hi >> (64 - t.bits));
		key6_shift(&key[i], t.bits);
		list[i] = i;
		__builtin_prefetch(at[i]);
	}
	for (left = n; left; left = next) {
		for (k = next = 0; k < left; k++) {
			i = list[k];
			w = word_at(at[i]);
			at[i] = entry_in(t, w, key[i].hi >> 59);
			__builtin_prefetch(at[i]);
			key6_shift(&key[i], KNIT_NODE_BITS);
			list[next] = i;
			next += knit_word_has_words(w);
		}
	}
	for (i = 0; i < n; i++)
		verdict[i] = verdict_of(t, at[i]);
}

void knit_route_lookup6(const struct knit_route_half *half, uint32_t vrf,
			const uint8_t (*address)[16], uint32_t *verdict, unsigned int n)
{
	struct table t = table_of(half, vrf, KNIT_ROUTE_6);

	if (!t.direct) {
		memset(verdict, 0, n * sizeof(*verdict));
		return;
	}
	for (; n >= AT_ONCE; n -= AT_ONCE, address += AT_ONCE, verdict += AT_ONCE)
		lookup6(t, address, verdict, AT_ONCE);
	lookup6(t, address, verdict, n);
}
