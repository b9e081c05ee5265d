/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_LEGACY_APP_H
#define KNIT_LEGACY_APP_H

#include <rte_kni.h>
#include <rte_mempool.h>

#include <inttypes.h>
#include <stdbool.h>

/* rte_pktmbuf_free_bulk was experimental up to DPDK 20.11. */
static inline void knit_drop_mbufs(struct rte_mbuf **m, unsigned int n)
{
	while (n--)
		rte_pktmbuf_free(*m++);
}

struct knit_reflect_stats {
	uint64_t reflected;
	uint64_t other;	   /* freed */
	uint64_t bad_csum; /* of UDP: an application of old would have sent it so */
	uint64_t offloads; /* frames that ask for an offload, which they must not */
	uint64_t chains;   /* frames of several segments, likewise */
};

/*
 * Turns requests (ARP, ICMP echo, UDP over IPv4) into their answers and frees the rest. What is to
 * be sent stands first in mbufs; returns how many these are.
 */
unsigned int knit_reflect(struct rte_mbuf **mbufs, unsigned int n,
			  struct knit_reflect_stats *stats);

/*
 * Tries every documented return value of rte_kni.h on interfaces st0, st1, ... in the caller's
 * network namespace and prints a line "ok NAME" or "not ok NAME" for each. 0 if all were ok.
 */
int knit_selftest(struct rte_mempool *pool);

#endif
