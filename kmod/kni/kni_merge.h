/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KNI_MERGE_H
#define KNI_MERGE_H

#include "kni_flow.h"

#include <linux/skbuff.h>

struct kni_pair;

/*
 * UDP datagrams of one visit that follow each other pass the stack as one skb with the others in
 * its list of fragments, each in memory of its own, as they came. The stack takes them apart in
 * front of a socket, or of a device that can't send them so. Nothing waits for more to come. TCP
 * is left to GRO.
 *
 * Packet thread only, bottom halves off. The order within a flow is kept: a row ends with the first
 * frame that may be of its flow and is not part of it.
 */
#define KNI_ROWS 16

struct kni_merge {
	bool on;
	unsigned long open; /* rows in use */
	struct kni_row row[KNI_ROWS];
	struct sk_buff *first[KNI_ROWS];
	struct sk_buff *last[KNI_ROWS];
};

void kni_merge_begin(struct kni_pair *p);
/*
 * skb, its data behind the Ethernet header, follows p->frame. True: it is in another one's list
 * now. Otherwise a row may start with it.
 */
bool kni_merge(struct kni_pair *p, struct sk_buff *skb);
/* Before the skbs go to the stack. */
void kni_merge_end(struct kni_pair *p);

#endif
