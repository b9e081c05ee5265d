// SPDX-License-Identifier: GPL-2.0
/*
 * Never loaded. It proves that a kernel module can include every header of include/abi and call the
 * verbs; layouts are asserted in the headers.
 */
#include "knit_abi_all.h"

#include <linux/module.h>

static struct knit_ring_shm shm;

static int __init knit_abi_init(void)
{
	struct knit_desc desc = { .len = 64 };
	struct knit_req_track track = { 0 };
	struct knit_req answer = { 0 };
	struct knit_ring r;

	knit_ring_bind(&r, &shm, KNIT_RING_MIN, sizeof(desc));
	if (!knit_ring_claim_producer(&r) || knit_ring_reserve(&r, 0) != 0)
		return -EINVAL;
	knit_ring_submit(&r, 0);
	if (!knit_ring_claim_consumer(&r) || knit_ring_peek(&r, 0) != 0)
		return -EINVAL;
	knit_ring_release(&r, 0);
	if (knit_ring_data_wanted(&r) || knit_ring_space_wanted(&r))
		return -EINVAL;
	answer.seq = knit_req_issue(&track, KNIT_REQ_MTU);
	answer.kind = KNIT_REQ_MTU;
	if (knit_req_match(&track, &answer) != KNIT_MATCH_OK)
		return -EINVAL;
	return knit_desc_check_seg(&desc, true) || knit_desc_check_frame(&desc, desc.len) ? -EINVAL
											  : 0;
}

static void __exit knit_abi_exit(void)
{
}

module_init(knit_abi_init);
module_exit(knit_abi_exit);
MODULE_DESCRIPTION("compiles knit's ABI headers");
MODULE_LICENSE("GPL");
