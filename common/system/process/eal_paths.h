/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_EAL_PATHS_H
#define KNIT_EAL_PATHS_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Files that EAL keeps outside the process. EAL leaves them for its next start with the same
 * prefix; knit removes them when it ends, so that a stopped system leaves no hugepage behind.
 */

/*
 * The mount point of a hugetlbfs of the default page size, the first in /proc/mounts. 0 or
 * -ENOENT.
 */
int knit_eal_huge_dir(char *path, size_t len);

/*
 * EAL's runtime directory of that prefix. EAL itself only knows once it is initialised; the choice
 * is the same.
 */
void knit_eal_runtime_dir(const char *prefix, char *path, size_t len);

/*
 * What EAL of a secondary leaves in the runtime directory when it is killed: files that name its
 * pid.
 */
void knit_eal_remove_process_files(const char *prefix, pid_t pid);

/*
 * <huge dir>/<prefix>map_* on every hugetlbfs, and the runtime directory. Nothing of a DPDK primary
 * of another process: then its pid is returned, -1 if that can't be seen from here, else 0.
 */
pid_t knit_eal_remove_files(const char *prefix);

#endif
