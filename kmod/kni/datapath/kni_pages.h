/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KNI_PAGES_H
#define KNI_PAGES_H

#include "abi/knit_types.h"

#include <linux/skbuff.h>

/*
 * Memory that frames towards the stack are copied into. The pair holds references to a few pages,
 * more than it gives away. When all that the stack got of a page has come back, the page is used
 * again: it is neither allocated nor cleared. A page that the stack keeps is left to it once there
 * are as many as may be; so nothing waits, and what the pair holds is bounded.
 *
 * For who took the turn. Pure: also compiled in user space, for its tests.
 */
#define KNI_PAGES 64

struct kni_page {
	struct page *page;
	__u32 size;
	__u32 refs; /* of the page's count these are the pair's; at least one */
};

/* All zero, but for the first two: empty. */
struct kni_pages {
	__u32 order; /* of a page; where memory is short they are smaller */
	__u32 most;  /* pages, up to KNI_PAGES */
	__u32 n;
	__u32 at;   /* the page in use; the next one is the oldest */
	__u32 used; /* bytes of it */
	struct kni_page page[KNI_PAGES];
};

/* A reference to page goes with it: put_page, or the skb's. */
struct kni_piece {
	struct page *page;
	__u32 offset;
	__u32 len;
};

/*
 * Takes least bytes or more, as far as the page has them, most at most; least is at most PAGE_SIZE.
 * It begins with a line of the cache.
 * False: no memory.
 */
bool kni_pages_take(struct kni_pages *s, __u32 least, __u32 most, struct kni_piece *piece);
void kni_pages_free(struct kni_pages *s); /* what the stack has of them stays */

#endif
