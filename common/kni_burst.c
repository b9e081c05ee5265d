// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_kni
#include "bell.h"
#include "iface.h"
#include "log.h"

#include <rte_branch_prediction.h>

#include <unistd.h>

/*
 * Bursts of rte_kni.h claim nothing: the private halves are in shared memory, so the process that
 * does the next burst goes on where the last one stopped. All that a process needs of its own are
 * the engine's doorbells, which it may have from before a fork, or not.
 */
static uint64_t met[KNIT_MAX_IFACES]; /* generation of the interface whose doorbells were opened */

static __rte_noinline void meet(const struct rte_kni *kni)
{
	int ret = knit_bell_init();
	uint16_t i;

	for (i = 0; i < kni->n_pairs && ret >= 0; i++)
		ret = knit_bell_open(kni->pair[i].engine_bell);
	if (ret < 0)
		log_warn("%s: can't wake the interface's engine from process %d: %s", kni->name,
			 (int)getpid(), rte_strerror(-ret));
	met[kni->index] = kni->generation;
}

unsigned rte_kni_rx_burst_pair(struct rte_kni *kni, uint16_t pair, struct rte_mbuf **mbufs,
			       unsigned num)
{
	if (unlikely(met[kni->index] != kni->generation))
		meet(kni);
	return likely(pair < kni->n_pairs) ? knit_from_kernel(kni, pair, mbufs, num) : 0;
}

unsigned rte_kni_tx_burst_pair(struct rte_kni *kni, uint16_t pair, struct rte_mbuf **mbufs,
			       unsigned num)
{
	if (unlikely(met[kni->index] != kni->generation))
		meet(kni);
	return likely(pair < kni->n_pairs) ? knit_to_kernel(kni, pair, mbufs, num) : 0;
}

unsigned rte_kni_rx_burst(struct rte_kni *kni, struct rte_mbuf **mbufs, unsigned num)
{
	return rte_kni_rx_burst_pair(kni, 0, mbufs, num);
}

unsigned rte_kni_tx_burst(struct rte_kni *kni, struct rte_mbuf **mbufs, unsigned num)
{
	return rte_kni_tx_burst_pair(kni, 0, mbufs, num);
}
