/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_HUGEPAGES_H
#define KNIT_HUGEPAGES_H

#include <stddef.h>

struct knit_config;

/*
 * Hugepages of this machine. Only sizes for which a hugetlbfs is mounted count, because EAL uses no
 * others. Read from sysfs and procfs below knit_bind_where.
 */

/* Free bytes on a NUMA node; -1: on all nodes. With eal.huge_dir, only pages of its size. */
size_t hugepages_free(const struct knit_config *c, int node);

/* The same of all pages, free or in use. */
size_t hugepages_all(const struct knit_config *c, int node);

/* Bytes in files that a killed primary with this prefix left on any node. EAL reuses them. */
size_t hugepages_left(const struct knit_config *c);

/*
 * How many bytes are missing on a node that needs `needed` and has `there` free. *left are bytes
 * that may replace missing ones. The used part of them is subtracted, so that the next node gets
 * the rest.
 */
size_t hugepages_missing(size_t needed, size_t there, size_t *left);

/*
 * Size of the smallest page that EAL may use. With eal.huge_dir, it is the size of that folder's
 * pages. Otherwise it is the smallest size of which the machine has pages, free or in use, or makes
 * pages on demand. If there is none, it is the smallest size that the machine supports.
 */
size_t hugepages_least(const struct knit_config *c);

/*
 * Writes the command that adds hugepages for the missing bytes to a node; -1: to the machine. It is
 * also a step for what is reported next.
 */
void hugepages_remedy(const struct knit_config *c, int node, size_t missing, char *text,
		      size_t size);

/*
 * Asks the kernel for the missing bytes of a node, in the smallest pages that EAL takes. The kernel
 * may find fewer. 0 or a negative errno, -ENOENT: no hugetlbfs is mounted.
 */
int hugepages_add(const struct knit_config *c, int node, size_t missing);

/*
 * How many bytes of hugepages this process may still use, whether or not so many are free.
 * SIZE_MAX: no limit. by: what sets the limit.
 */
size_t hugepages_allowed(const struct knit_config *c, char *by, size_t size);

/*
 * In huge_limits.c. hugepages_mount: the same for the mount at dir, which its option "size" limits.
 * hugepages_cgroup: the same for pages of kib KiB, which the hugetlb cgroups of this process limit,
 * version 1 or 2. SIZE_MAX: no limit. hugepages_cgroup writes by only if its limit is lower than
 * most.
 */
size_t hugepages_mount(const char *dir, char *by, size_t size);
size_t hugepages_cgroup(unsigned long kib, size_t most, char *by, size_t size);

#endif
