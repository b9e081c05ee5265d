/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_SHARE_H
#define KNIT_PRIMARY_SHARE_H

#include "primary.h"

/*
 * Workers and control without root. With --group the primary lets members of that group use the
 * files which a secondary needs: EAL's runtime directory and hugepages, arguments and lock files.
 * What is no file, or must be opened by root, is handed over on request (process/handover.h).
 */

/* The group of that name or number. 0, or enum knit_exit with a line on stderr. */
int primary_group(const char *text, gid_t *group);

/*
 * Before EAL, also without --group, because an earlier primary may have had it: nobody of the group
 * shall have left anything in EAL's directory that EAL would open with root's rights, or be able to
 * put it there. 0 or a negative errno, with a line on stderr.
 */
int primary_share_prepare(const struct primary *p);

/* Before the arguments of secondaries are written. 0 or a negative errno, with a line on stderr. */
int primary_share(const struct primary *p);

#endif
