// SPDX-License-Identifier: GPL-2.0
#include "kni_region.h"

/* Before nospec.h: that of 5.10 uses it without saying so. */
#include <linux/build_bug.h>
#include <linux/nospec.h>

static int region_holding(const struct kni_region_table *t, __u64 addr)
{
	__u32 low = 0, high = t->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (addr < t->r[middle].start)
			high = middle;
		else if (addr >= t->r[middle].end)
			low = middle + 1;
		else
			return (int)middle;
	}
	return -1;
}

/* i holds a byte; do it and those that touch it reach up to end? */
static bool regions_reach(const struct kni_region_table *t, __u32 i, __u64 end)
{
	while (t->r[i].end < end) {
		i++;
		if (i == t->n || t->r[i].start != t->r[i - 1].end)
			return false;
	}
	return true;
}

static int region_search(const struct kni_region_table *t, __u32 hint, __u64 addr, __u32 len)
{
	int i;

	if (len == 0 || addr + len < addr)
		return -1;
	if (hint < t->n && addr >= t->r[hint].start && addr < t->r[hint].end)
		i = (int)hint;
	else
		i = region_holding(t, addr);
	return i >= 0 && regions_reach(t, i, addr + len) ? i : -1;
}

int kni_region_find(const struct kni_region_table *t, __u64 addr, __u32 len)
{
	return region_search(t, t->n, addr, len);
}

void *kni_region_ptr(const struct kni_region_table *t, __u32 *hint, __u64 addr, __u32 len,
		     __u32 *run)
{
	int i = region_search(t, *hint, addr, len);
	const struct kni_region *r;
	__u64 offset, page, room;

	if (i < 0)
		return NULL;
	r = &t->r[i];
	*hint = i;
	page = array_index_nospec((addr - r->start) >> r->shift, (__u64)r->pages);
	offset = (addr - r->start) & ((1ULL << r->shift) - 1);
	room = (1ULL << r->shift) - offset;
	*run = len < room ? len : (__u32)room;
	return (char *)r->va[page] + offset;
}
