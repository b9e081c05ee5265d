/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_HUGEPAGES_H
#define KNIT_HUGEPAGES_H

#include <stddef.h>

struct knit_config;

/*
 * Hugepages of this machine, only of sizes for which a hugetlbfs is mounted: EAL takes no others.
 * Read from sysfs and procfs below knit_bind_where.
 */

/* Free bytes on a NUMA node, -1: on all. With eal.huge_dir, only pages of its size. */
size_t hugepages_free(const struct knit_config *c, int node);

/* Bytes in files that a killed primary with this prefix left on any node. EAL reuses them. */
size_t hugepages_left(const struct knit_config *c);

/*
 * How many of the needed bytes of a node are missing, with there bytes free on it. Bytes of *left
 * make up for missing ones; those are subtracted, so that the next node has only the rest.
 */
size_t hugepages_missing(size_t needed, size_t there, size_t *left);

/*
 * Size of the smallest page that EAL may take: that of eal.huge_dir; or the smallest of which the
 * machine has pages, free or not, or makes them on demand; or else the smallest that could be
 * added.
 */
size_t hugepages_least(const struct knit_config *c);

/* The command that adds the missing bytes to those of a node, -1: of the machine. */
void hugepages_remedy(int node, size_t missing, char *text, size_t size);

/*
 * How many bytes this process may have, free or not, without those in use now; SIZE_MAX: no limit.
 * by: what sets the limit.
 */
size_t hugepages_allowed(const struct knit_config *c, char *by, size_t size);

/*
 * In huge_limits.c: the same for the mount at dir, by its option "size"; and for pages of kib KiB,
 * by the hugetlb cgroups of this process, version 1 or 2. SIZE_MAX: no limit. by is written only if
 * the limit is lower than most.
 */
size_t hugepages_mount(const char *dir, char *by, size_t size);
size_t hugepages_cgroup(unsigned long kib, size_t most, char *by, size_t size);

#endif
