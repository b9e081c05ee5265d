/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_HUGEPAGES_H
#define KNIT_HUGEPAGES_H

#include <stddef.h>

struct knit_config;

/*
 * Hugepages of this machine, of the sizes for which a hugetlbfs is mounted: EAL takes no others.
 * From sysfs and procfs, below knit_bind_where.
 */

/* Bytes that are free on a NUMA node, -1: on all; with eal.huge_dir of its size only. */
size_t hugepages_free(const struct knit_config *c, int node);

/* Bytes in files that a killed primary with this prefix left, on whatever node: EAL takes them. */
size_t hugepages_left(const struct knit_config *c);

/*
 * How many of the bytes that a node needs are missing: what is free there does for some, what was
 * left for others, which is then less for the next node.
 */
size_t hugepages_missing(size_t needed, size_t there, size_t *left);

/*
 * Bytes of the smallest pages that EAL may take: those of eal.huge_dir, or the smallest that the
 * machine has, free or not, or makes by itself; without any, the smallest that could be added.
 */
size_t hugepages_least(const struct knit_config *c);

/* The command that adds them to what the node, -1: the machine, has. */
void hugepages_remedy(int node, size_t missing, char *text, size_t size);

/*
 * Bytes that this process may have, free or not, of what is used now; SIZE_MAX: as many as there
 * are. by: what limits them.
 */
size_t hugepages_allowed(const struct knit_config *c, char *by, size_t size);

/*
 * huge_limits.c. The same of the mount at dir, by its option "size", and of pages of so many KiB,
 * by this process's hugetlb cgroups, version 1 or 2: or SIZE_MAX. by: left alone if that is not
 * less than most.
 */
size_t hugepages_mount(const char *dir, char *by, size_t size);
size_t hugepages_cgroup(unsigned long kib, size_t most, char *by, size_t size);

#endif
