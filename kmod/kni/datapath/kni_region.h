/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KNI_REGION_H
#define KNI_REGION_H

#include "abi/knit_types.h"

/*
 * The one place that turns a user address into a pointer. Pure: also compiled in user space, for
 * its tests.
 *
 * A table never changes; a new one takes the old one's place under RCU. Regions are ascending and
 * do not overlap. A segment may cross from one to the next if they touch: memory that comes and
 * goes page by page is as many regions.
 */
struct kni_region {
	__u64 start;
	__u64 end;   /* first byte behind it */
	__u32 shift; /* log2 of the page size: how far addresses are contiguous in the kernel */
	__u32 pages;
	void *const *va; /* of each page: where the kernel has it */
};

struct kni_region_table {
	__u32 n;
	struct kni_region r[];
};

/*
 * Index of the region that holds addr, if all of [addr, addr + len), len > 0, is in it and in those
 * that touch it; else -1.
 */
int kni_region_find(const struct kni_region_table *t, __u64 addr, __u32 len);

/*
 * The pointer for addr, and in *run how many of the len bytes from there are contiguous (1..len):
 * up to the end of the page. NULL unless kni_region_find finds all of them. hint: the caller's, any
 * value; makes the next call near by fast.
 */
void *kni_region_ptr(const struct kni_region_table *t, __u32 *hint, __u64 addr, __u32 len,
		     __u32 *run);

#endif
