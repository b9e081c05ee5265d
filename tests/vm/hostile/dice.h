/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_VM_DICE_H
#define KNIT_VM_DICE_H

#include <stdbool.h>
#include <stdint.h>

/* Chance that can be repeated (splitmix64). Of one thread. */
struct dice {
	uint64_t state;
};

static inline uint64_t roll(struct dice *d)
{
	uint64_t z = d->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static inline uint32_t below(struct dice *d, uint32_t n)
{
	return (roll(d) >> 32) % n;
}

static inline bool one_in(struct dice *d, uint32_t n)
{
	return below(d, n) == 0;
}

static inline struct dice dice_of(uint64_t seed, uint32_t round, uint32_t actor)
{
	struct dice d = { seed ^ (uint64_t)round << 32 ^ (uint64_t)actor << 16 };

	d.state = roll(&d);
	return d;
}

#define PICK(d, array) ((array)[below(d, sizeof(array) / sizeof((array)[0]))])

/* A number at which things change: powers of two and their neighbours, or any. */
static inline uint64_t edge(struct dice *d)
{
	uint64_t base = 1ull << below(d, 64);

	switch (below(d, 5)) {
	case 0:
		return base - 1;
	case 1:
		return base;
	case 2:
		return -base;
	case 3:
		return below(d, 16);
	default:
		return roll(d);
	}
}

#endif
