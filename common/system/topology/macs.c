// SPDX-License-Identifier: BSD-3-Clause
#include "macs.h"

static uint64_t word_of(const struct rte_ether_addr *mac)
{
	uint8_t bytes[8] = { 0 };

	__builtin_memcpy(bytes, mac->addr_bytes, sizeof(mac->addr_bytes));
	return knit_mac_word(bytes);
}

static void macs_put(uint64_t *table, uint64_t mac)
{
	uint32_t at = knit_macs_slot(mac);

	if (mac == 0 || knit_macs_in(table, mac))
		return;
	while (table[at])
		at = (at + 1) & (KNIT_MACS_SLOTS - 1);
	__atomic_store_n(&table[at], mac, __ATOMIC_RELAXED);
}

void knit_macs_set(struct knit_macs *set, const struct rte_ether_addr *list, unsigned int n)
{
	uint32_t next = set->in_force == 1 ? 2 : 1, i;
	uint64_t *table = set->table[next - 1];

	n = RTE_MIN(n, (unsigned int)KNIT_RXLIST_MAX);
	for (i = 0; i < KNIT_MACS_SLOTS; i++)
		__atomic_store_n(&table[i], 0, __ATOMIC_RELAXED);
	for (i = 0; i < n; i++)
		macs_put(table, word_of(&list[i]));
	__atomic_store_n(&set->in_force, n ? next : 0, __ATOMIC_RELEASE);
}
