/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RTE_KNI_COMMON_H
#define RTE_KNI_COMMON_H

/*
 * What applications took from DPDK's header of this name. The rest of that one, rings and calls of
 * the old module, is nothing that an application could use: knit's module has others.
 */

#include "rte_kni.h"

#ifdef __cplusplus
extern "C" {
#endif

#define KNI_DEVICE "kni" /* in /dev; only with the kernel module */

/* What the kernel may ask for; nothing of knit's takes or gives one of these. */
enum rte_kni_req_id {
	RTE_KNI_REQ_UNKNOWN = 0,
	RTE_KNI_REQ_CHANGE_MTU,
	RTE_KNI_REQ_CFG_NETWORK_IF,
	RTE_KNI_REQ_CHANGE_MAC_ADDR,
	RTE_KNI_REQ_CHANGE_PROMISC,
	RTE_KNI_REQ_CHANGE_ALLMULTI,
	RTE_KNI_REQ_MAX,
};

#ifdef __cplusplus
}
#endif

#endif
