/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_BIND_SYSFS_H
#define KNIT_BIND_SYSFS_H

#include <stddef.h>

/* The first line of a small file, without its end. 0 or a negative errno; then text is "". */
int knit_sysfs_read(const char *path, char *text, size_t size);

/* 0 or a negative errno: the kernel's answer to what was written. */
int knit_sysfs_write(const char *path, const char *text);

#endif
