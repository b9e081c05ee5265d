// SPDX-License-Identifier: GPL-2.0
#include "kni_pages.h"

#include <linux/cache.h>
#include <linux/mm.h>
#include <linux/topology.h>

/* References that are taken at once: the pair gives them away without touching the count. */
#define REFS (1u << 15)
/* More than what is cut out of a page. */
#define FEW_REFS 256u
#define LARGE (__GFP_COMP | __GFP_NOWARN | __GFP_NORETRY | __GFP_NOMEMALLOC)

static void page_release(struct kni_page *p)
{
	if (p->refs > 1)
		page_ref_sub(p->page, p->refs - 1);
	put_page(p->page);
}

/* A large one is no reason to touch what is kept for need. */
static struct page *page_alloc(__u32 order)
{
	struct page *page = NULL;

	if (order)
		page = alloc_pages(GFP_ATOMIC | LARGE, order);
	return page ?: dev_alloc_page();
}

static bool page_make(struct kni_page *p, __u32 order)
{
	p->page = page_alloc(order);
	if (unlikely(!p->page))
		return false;
	page_ref_add(p->page, REFS - 1);
	p->size = page_size(p->page);
	p->refs = REFS;
	return true;
}

/* Near, and not of the reserve, to which it has to return. */
static bool page_is_good(const struct kni_page *p)
{
	return page_to_nid(p->page) == numa_mem_id() && !page_is_pfmemalloc(p->page);
}

/* Somebody may look at a page for a moment and hold it meanwhile: then it is not free this time. */
static bool page_is_free(const struct kni_page *p)
{
	return page_ref_count(p->page) == (int)p->refs && page_is_good(p);
}

static __u32 page_after(const struct kni_pages *s, __u32 i)
{
	return i + 1 < s->n ? i + 1 : 0;
}

/* The oldest becomes the newest, or is left to who has it. */
static bool page_replace(struct kni_pages *s)
{
	__u32 oldest = page_after(s, s->at);
	struct kni_page *p = &s->page[oldest], fresh;

	if (unlikely(!page_make(&fresh, s->order)))
		return false;
	if (unlikely(s->n == 0))
		s->n = 1;
	else if (s->n < s->most && page_is_good(p))
		s->page[s->n++] = *p;
	else
		page_release(p);
	*p = fresh;
	s->at = oldest;
	return true;
}

/* One good page that the stack keeps for long is passed over; two are not. */
static bool page_find(struct kni_pages *s)
{
	__u32 i = page_after(s, s->at);
	struct kni_page *p;

	if (unlikely(s->n == 0 || !page_is_good(&s->page[i])))
		return false;
	if (!page_is_free(&s->page[i])) {
		i = page_after(s, i);
		if (!page_is_free(&s->page[i]))
			return false;
	}
	p = &s->page[i];
	if (unlikely(p->refs < FEW_REFS)) {
		page_ref_add(p->page, REFS);
		p->refs += REFS;
	}
	s->at = i;
	return true;
}

static bool page_next(struct kni_pages *s)
{
	if (!page_find(s) && !page_replace(s))
		return false;
	s->used = 0;
	return true;
}

bool kni_pages_take(struct kni_pages *s, __u32 least, __u32 most, struct kni_piece *piece)
{
	struct kni_page *p = &s->page[s->at];

	if (s->n == 0 || p->size - s->used < least || unlikely(p->refs == 1)) {
		if (unlikely(!page_next(s)))
			return false;
		p = &s->page[s->at];
	}
	piece->page = p->page;
	piece->offset = s->used;
	piece->len = min(most, p->size - s->used);
	s->used += ALIGN(piece->len, SMP_CACHE_BYTES);
	p->refs--;
	return true;
}

void kni_pages_free(struct kni_pages *s)
{
	while (s->n)
		page_release(&s->page[--s->n]);
	s->at = 0;
	s->used = 0;
}
