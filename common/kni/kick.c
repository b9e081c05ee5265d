// SPDX-License-Identifier: BSD-3-Clause
#include "kick.h"

static struct entry {
	struct knit_kick kick;
	uint64_t generation; /* 0: none */
} kicks[KNIT_MAX_IFACES][KNIT_MAX_PAIRS];

static struct entry *entry_of(uint16_t iface, uint16_t pair)
{
	return &kicks[iface % KNIT_MAX_IFACES][pair % KNIT_MAX_PAIRS];
}

void knit_kick_set(const struct rte_kni *kni, uint16_t pair, const struct knit_kick *kick)
{
	struct entry *e = entry_of(kni->index, pair);

	e->kick = *kick;
	__atomic_store_n(&e->generation, kni->generation, __ATOMIC_RELEASE);
}

void knit_kick_clear(uint16_t iface, uint16_t pair)
{
	__atomic_store_n(&entry_of(iface, pair)->generation, 0, __ATOMIC_RELEASE);
}

const struct knit_kick *knit_kick_of(const struct rte_kni *kni, uint16_t pair)
{
	const struct entry *e = entry_of(kni->index, pair);

	if (__atomic_load_n(&e->generation, __ATOMIC_ACQUIRE) != kni->generation)
		return NULL;
	return &e->kick;
}
