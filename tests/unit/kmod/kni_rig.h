/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_KNI_RIG_H
#define KNIT_KNI_RIG_H

#include "unit.h"

#include "kni_frame.h"

/* Both ends of a pair's rings, and memory to go with them, for the module's pure files. */
#define KNI_RIG_RING 512
#define PAGE 4096
#define N_PAGES 48
#define SMALL 0x10000000ull   /* user address of the 4 KiB pages, each allocated by itself */
#define BIG 0x7f0000000000ull /* and of one big one */
#define BIG_SHIFT 21
#define NOWHERE 0x5000000ull

struct knit_kni_rig {
	struct knit_ring rx_user, free_user, alloc_user, tx_user;
	struct knit_ring rx_q, free_q, alloc_q, tx_q;
	void *page[N_PAGES];
	void *big[1];
	struct kni_region_table *mem;
	struct kni_iter iter;
	struct kni_txbuf txbuf;
	struct kni_frame frame;
	__u32 hint;
	__u32 next_cookie;
};
extern struct knit_kni_rig knit_rig;

/* Like ck_assert; where it is asked often, since that one tells its parent each time. */
#define MUST(cond)                                 \
	do {                                       \
		if (!(cond))                       \
			ck_abort_msg("%s", #cond); \
	} while (0)

void knit_rig_setup(__u32 features, __u32 max_segs);
void knit_rig_teardown(void);
/* Where user space sees a byte. */
__u8 *knit_rig_byte(__u64 addr);
/* Puts a descriptor, with the next cookie. */
void knit_rig_push(struct knit_ring *q, struct knit_desc d);
/* Takes a descriptor from tx_q. */
struct knit_desc knit_rig_pull(void);
/* The bytes of all runs; none may be empty. */
__u32 knit_rig_bytes(const struct kni_run *run, __u32 n);
/* Are the runs exactly the bytes from addr on? */
void knit_rig_same(const struct kni_run *run, __u32 n, __u64 addr);

#endif
