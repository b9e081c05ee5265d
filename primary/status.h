/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_STATUS_H
#define KNIT_PRIMARY_STATUS_H

#include "primary.h"

/* Main thread: prints what was created. */
void primary_status_banner(const struct primary *p);

/* Main thread: prints packets and drops since the last call. */
void primary_status_line(const struct primary *p);

/* Main thread: tells systemd what runs, if that has changed. */
void primary_status_notify(const struct primary *p);

#endif
