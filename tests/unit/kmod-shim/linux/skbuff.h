/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_SHIM_SKBUFF_H
#define KNIT_SHIM_SKBUFF_H

#include <stdbool.h>

#define likely(x) (x)
#define unlikely(x) (x)

struct page {
	int count; /* references */
	unsigned int order;
	int node;
	bool reserve;
};

/* The test's: NULL, there is no memory. */
struct page *dev_alloc_page(void);
/* Likewise, with the last reference gone. */
void free_page_of_test(struct page *page);

static inline int page_ref_count(const struct page *page)
{
	return page->count;
}

static inline void page_ref_add(struct page *page, int n)
{
	page->count += n;
}

static inline void page_ref_sub(struct page *page, int n)
{
	page->count -= n;
}

static inline void put_page(struct page *page)
{
	if (--page->count == 0)
		free_page_of_test(page);
}

static inline bool page_is_pfmemalloc(const struct page *page)
{
	return page->reserve;
}

#endif
