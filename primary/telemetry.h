/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_TELEMETRY_H
#define KNIT_PRIMARY_TELEMETRY_H

#include "primary.h"

/* Registers the commands /knit/... 0 or -errno, logged. */
int primary_telemetry_register(void);
/*
 * From now on commands are answered from p. NULL: there is nothing to report. When this returns, no
 * callback uses the earlier p any more.
 */
void primary_telemetry_show(struct primary *p);

#endif
