/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_STDFDS_H
#define KNIT_STDFDS_H

/*
 * First in main: /dev/null takes the place of each of descriptors 0, 1 and 2 that is closed. Else
 * the next file that is opened gets that number: a lock file, EAL's shared configuration, a device;
 * and whatever is printed lands in it. 0, or enum knit_exit with a line on stderr.
 */
int knit_stdfds_fill(void);

/* As many as the hard limit allows: EAL keeps one open for each hugepage. */
void knit_stdfds_raise(void);

#endif
