/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_BENCH_PASS_ON_H
#define KNIT_BENCH_PASS_ON_H

#include "kni/base/compat.h"

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

void pass_on_undone(struct rte_mbuf *m);

/*
 * Makes a received frame one to send, to a port that can do what the one it came from left undone.
 * The sum of the pseudo header, which is in the checksum field then, is what virtio wants to find
 * there.
 */
static inline void pass_on(struct rte_mbuf *m)
{
	uint64_t l4 = m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;

	if (unlikely(m->ol_flags & RTE_MBUF_F_RX_LRO || l4 == RTE_MBUF_F_RX_L4_CKSUM_NONE))
		pass_on_undone(m);
}

#endif
