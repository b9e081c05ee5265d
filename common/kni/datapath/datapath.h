/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_DATAPATH_H
#define KNIT_DATAPATH_H

#include "kni/private.h"

/*
 * Worker: the packet path. Packets go to the kernel and come from it; ownership as in rte_kni.h.
 * Neither allocates, locks or logs; each makes a system call only to ring the engine's doorbell.
 */
unsigned int knit_to_kernel(struct rte_kni *kni, uint16_t pair, struct rte_mbuf **mbufs,
			    unsigned int n);
unsigned int knit_from_kernel(struct rte_kni *kni, uint16_t pair, struct rte_mbuf **mbufs,
			      unsigned int n);

#endif
