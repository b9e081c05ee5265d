/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KNI_RX_H
#define KNI_RX_H

#include "kni.h"

/*
 * One poll of rx_q by who took the turn: what kni_rx.c and kni_lo.c share. Bottom halves off,
 * rcu_read_lock held.
 */
struct kni_poll {
	struct kni_iter w;
	u32 before;    /* descriptors taken before the last frame */
	u32 most;      /* frames: KNI_BATCH, or less */
	u32 frames;    /* bad ones included */
	u32 copied;    /* bytes; none is taken beyond KNI_BATCH_BYTES */
	u32 bad_index; /* of the rings, at the beginning */

	/* what it adds up to */
	u32 packets, down, no_memory;
	u64 bytes;
	u32 rejects[KNIT_REJECT_COUNT];
};

void kni_poll_begin(struct kni_poll *v, struct kni_pair *p, u32 most);
bool kni_poll_next(struct kni_poll *v, struct kni_pair *p); /* the next good one: p->frame */
void kni_poll_undo(struct kni_poll *v); /* the last one is left for the next poll */
/* Gives the buffers back, rings, counts. */
void kni_poll_end(struct kni_poll *v, struct kni_pair *p, const struct kni_attach *live);

/* p->frame as an skb, data at the Ethernet header; NULL: no memory. */
struct sk_buff *kni_poll_skb(struct kni_poll *v, struct kni_pair *p);
/* Copies its offloads; false: rejected and counted, the skb is the caller's to free. */
bool kni_poll_offloads(struct kni_poll *v, struct kni_pair *p, struct sk_buff *skb);

#endif
