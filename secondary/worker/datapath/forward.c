// SPDX-License-Identifier: BSD-3-Clause
#include "forward.h"

#define MAC_GROUP UINT64_C(1) /* multicast and broadcast */

static inline uint64_t dst_mac(const struct rte_mbuf *m)
{
	return knit_mac_word(rte_pktmbuf_mtod(m, const void *));
}

/* No branch, because both kinds of frame may alternate. */
static inline uint32_t for_kernel(const struct rte_mbuf *m, uint64_t own)
{
	uint64_t dst = dst_mac(m);

	return (dst & MAC_GROUP) | (dst == own);
}

/* For interfaces with further addresses. */
static uint32_t split_burst_further(const struct knit_input *in, const struct knit_burst *b,
				    uint16_t *to, uint64_t own)
{
	const uint64_t *further = knit_macs_table(&in->port->further);
	uint32_t i, mine, n_mine = 0;

	for (i = 0; i < b->n; i++) {
		mine = for_kernel(b->m[i], own) ||
		       (further && knit_macs_in(further, dst_mac(b->m[i])));
		to[i] = mine ? in->kernel : in->peer;
		n_mine += mine;
	}
	return n_mine;
}

/*
 * A port of a cross connection. The kernel gets frames for everybody, for the port itself, and for
 * further addresses of its interface. The other port gets the rest. Usually all frames of a burst
 * go the same way; then they are only counted.
 */
static uint16_t split_burst(const struct knit_input *in, const struct knit_burst *b, uint16_t *to)
{
	uint64_t own =
		__atomic_load_n((const uint64_t *)(const void *)in->port->mac, __ATOMIC_RELAXED);
	bool further = __atomic_load_n(&in->port->further.in_force, __ATOMIC_RELAXED);
	uint32_t i, n_mine = 0;

	own = rte_le_to_cpu_64(own) & KNIT_MACS_MASK;
	if (unlikely(further))
		n_mine = split_burst_further(in, b, to, own);
	else
		for (i = 0; i < b->n; i++)
			n_mine += for_kernel(b->m[i], own);
	if (likely(n_mine == 0))
		return in->peer;
	if (n_mine == b->n)
		return in->kernel;
	for (i = 0; !further && i < b->n; i++)
		to[i] = for_kernel(b->m[i], own) ? in->kernel : in->peer;
	return KNIT_OUT_MIXED;
}

uint16_t knit_forward(const struct knit_input *in, const struct knit_burst *b, uint16_t *to)
{
	return in->kernel == in->peer ? in->peer : split_burst(in, b, to);
}
