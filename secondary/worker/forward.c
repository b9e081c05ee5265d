// SPDX-License-Identifier: BSD-3-Clause
#include "forward.h"

#include <rte_byteorder.h>

#define MAC_BITS UINT64_C(0xffffffffffff)
#define MAC_GROUP UINT64_C(1) /* multicast and broadcast */

/*
 * The six bytes at p as a number, the first one lowest. Reads eight: there is always more than
 * that.
 */
static inline uint64_t load_mac(const void *p)
{
	uint64_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return rte_le_to_cpu_64(v) & MAC_BITS;
}

/* Not a branch: both kinds of frame may alternate. */
static inline uint32_t for_kernel(const struct rte_mbuf *m, uint64_t own)
{
	uint64_t dst = load_mac(rte_pktmbuf_mtod(m, const void *));

	return (dst & MAC_GROUP) | (dst == own);
}

/*
 * A port of a cross connection: the kernel gets what is for everybody or for the port itself, the
 * far port the rest. Bursts that go one way as a whole are the common case: they are only counted
 * through.
 */
static uint16_t split(const struct knit_input *in, const struct knit_burst *b, uint16_t *to)
{
	uint64_t own =
		__atomic_load_n((const uint64_t *)(const void *)in->port->mac, __ATOMIC_RELAXED);
	uint32_t i, n_mine = 0;

	own = rte_le_to_cpu_64(own) & MAC_BITS;
	for (i = 0; i < b->n; i++)
		n_mine += for_kernel(b->m[i], own);
	if (likely(n_mine == 0))
		return in->peer;
	if (n_mine == b->n)
		return in->kernel;
	for (i = 0; i < b->n; i++)
		to[i] = for_kernel(b->m[i], own) ? in->kernel : in->peer;
	return KNIT_OUT_MIXED;
}

uint16_t knit_forward(const struct knit_input *in, const struct knit_burst *b, uint16_t *to)
{
	return in->kernel == in->peer ? in->peer : split(in, b, to);
}
