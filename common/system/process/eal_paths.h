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
 * Where EAL of this process has its runtime directories: <this>/dpdk/<prefix>. EAL itself only
 * knows once it is initialised; the choice is the same. It depends on the user, unless the
 * environment has RUNTIME_DIRECTORY.
 */
const char *knit_eal_base_dir(void);

/* EAL's runtime directory of that prefix. */
void knit_eal_runtime_dir(const char *prefix, char *path, size_t len);

/*
 * Primary, once EAL has made all its files: members of the group may use them as the owner may, and
 * add files to the runtime directory. 0 or a negative errno; then path is the file's.
 */
int knit_eal_share_files(const char *prefix, gid_t group, char *path, size_t len);

/*
 * Primary, before EAL: takes the runtime directory back, which an earlier primary may have shared.
 * Nobody else can put a name there any more. 0, also if there is none, or a negative errno.
 */
int knit_eal_unshare_dir(const char *prefix);

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
