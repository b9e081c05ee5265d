// SPDX-License-Identifier: BSD-3-Clause
#include "forward.h"

static bool for_kernel(const struct rte_mbuf *m, uint64_t own, const uint64_t *further)
{
	uint64_t dst = knit_mac_word(rte_pktmbuf_mtod(m, const void *));

	return dst & KNIT_MAC_GROUP || dst == own || (further && knit_macs_in(further, dst));
}

static uint16_t split_burst(const struct knit_input *in, const struct knit_burst *b, uint16_t *to,
			    const uint64_t *further)
{
	uint64_t own = knit_port_mac(in->port);
	uint32_t i, mine, n_mine = 0;

	for (i = 0; i < b->n; i++) {
		mine = for_kernel(b->m[i], own, further);
		to[i] = mine ? in->kernel : in->peer;
		n_mine += mine;
	}
	if (n_mine == 0)
		return in->peer;
	return n_mine == b->n ? in->kernel : KNIT_OUT_MIXED;
}

/*
 * A port of a cross connection. The kernel gets frames for everybody, for the port itself, and for
 * further addresses of its interface. The other port gets the rest. The summary knows whether any
 * frame is for one of the first two; usually none is.
 */
uint16_t knit_forward(const struct knit_input *in, const struct knit_burst *b, uint16_t *to)
{
	const uint64_t *further = NULL;

	if (in->kernel == in->peer)
		return in->peer;
	if (unlikely(__atomic_load_n(&in->port->further.in_force, __ATOMIC_RELAXED)))
		further = knit_macs_table(&in->port->further);
	if (likely(!b->any_for_kernel && !further))
		return in->peer;
	return split_burst(in, b, to, further);
}

enum knit_watch_why knit_forward_why(const struct knit_input *in, const struct rte_mbuf *m)
{
	uint64_t dst = knit_mac_word(rte_pktmbuf_mtod(m, const void *));
	const uint64_t *further;

	if (in->kernel == in->peer)
		return KNIT_WATCH_WHY_ONLY;
	if (dst & KNIT_MAC_GROUP)
		return KNIT_WATCH_WHY_GROUP;
	if (dst == knit_port_mac(in->port))
		return KNIT_WATCH_WHY_OWN;
	/* NULL, at any moment: there are none */
	further = knit_macs_table(&in->port->further);
	if (further && knit_macs_in(further, dst))
		return KNIT_WATCH_WHY_FURTHER;
	return KNIT_WATCH_WHY_OTHER;
}
