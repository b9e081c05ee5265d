/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PROCFD_H
#define KNIT_PROCFD_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

/*
 * What another process has open, read from /proc: the proof that a pid found in a file's name or
 * text still means the process that wrote it. Not for the packet path.
 */

/*
 * Whether process pid has that file or socket open (st_dev and st_ino count); locked: by a
 * descriptor through which it holds a lock.
 */
bool knit_process_has(pid_t pid, const struct stat *file, bool locked);

/*
 * A pidfd of process pid if it has that file open, as above, and is another process of the file's
 * user or group; else a negative errno. Who has a file can hand it to any program that takes fds,
 * and the caller may be about to kill the process: so that must not be somebody else's.
 */
int knit_process_open(pid_t pid, const struct stat *file, bool locked);

#endif
