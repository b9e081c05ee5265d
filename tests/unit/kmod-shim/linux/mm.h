/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_SHIM_MM_H
#define KNIT_SHIM_MM_H

#include <linux/skbuff.h>

#define PAGE_SIZE 4096u
#define GFP_ATOMIC 0x1u
#define __GFP_COMP 0x2u
#define __GFP_NOWARN 0x4u
#define __GFP_NORETRY 0x8u
#define __GFP_NOMEMALLOC 0x10u
#define min(a, b) ((a) < (b) ? (a) : (b))

struct page *alloc_pages(unsigned int gfp, unsigned int order); /* the test's */

static inline unsigned long page_size(const struct page *page)
{
	return (unsigned long)PAGE_SIZE << page->order;
}

static inline int page_to_nid(const struct page *page)
{
	return page->node;
}

#endif
