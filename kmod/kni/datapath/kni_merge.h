/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KNI_MERGE_H
#define KNI_MERGE_H

#include "kni_flow.h"

#include <linux/netdev_features.h>
#include <linux/skbuff.h>
#include <linux/version.h>

struct kni_pair;
struct net_device;

/*
 * UDP datagrams of one poll that follow each other pass the stack as one skb with the others in
 * its list of fragments, each in memory of its own, as they came. The stack takes them apart in
 * front of a socket. Nothing waits for more to come. TCP is left to GRO.
 *
 * LRO is the switch, off by default. While somebody but a socket would see or pass on a row nothing
 * is merged, and what was merged a moment before has some room for headers all the same.
 *
 * Packet thread only, bottom halves off. The order within a flow is kept: a row ends with the first
 * frame that may be of its flow and is not part of it.
 */
#define KNI_ROWS 16
/* More headroom while rows are made: geneve over IPv6 with all its options needs 336 bytes. */
#define KNI_ROW_HEADROOM 320u

/*
 * LRO, or 0: there is no switch. Up to these versions the stack takes the truesize of all others
 * from the first datagram of a list when it cuts it; from them on the first one keeps its own.
 * (Still older ones could crash when somebody had pulled a part of a list to the front.) That is in
 * the stack's code, so no header tells it, and this is the one thing that goes by the version. The
 * third number tells nothing of a distribution that has numbers and changes of its own.
 */
#if defined(RHEL_RELEASE_CODE) || defined(CONFIG_SUSE_KERNEL)
#define KNI_STABLE(major, minor, patch) 0
#else
#define KNI_STABLE(major, minor, patch)                               \
	(LINUX_VERSION_CODE >= KERNEL_VERSION(major, minor, patch) && \
	 LINUX_VERSION_CODE < KERNEL_VERSION(major, minor + 1, 0))
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0) || KNI_STABLE(6, 18, 6) || \
	KNI_STABLE(6, 12, 66) || KNI_STABLE(6, 6, 121) || KNI_STABLE(6, 1, 161)
#define KNI_F_MERGE NETIF_F_LRO
#else
#define KNI_F_MERGE 0
#endif

struct kni_merge {
	bool on;
	unsigned long open; /* rows in use */
	struct kni_row row[KNI_ROWS];
	struct sk_buff *first[KNI_ROWS];
	struct sk_buff *last[KNI_ROWS];
};

/* False: rows could leave by another interface, so LRO is refused. Any context. */
bool kni_merge_may(const struct net_device *dev);
void kni_merge_begin(struct kni_pair *p);
/*
 * skb, its data behind the Ethernet header, follows p->frame. True: it is in another one's list
 * now. Otherwise a row may start with it.
 */
bool kni_merge(struct kni_pair *p, struct sk_buff *skb);
/* Before the skbs go to the stack. */
void kni_merge_end(struct kni_pair *p);

#endif
