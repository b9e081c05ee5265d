/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_TELEMETRY_H
#define KNIT_PRIMARY_TELEMETRY_H

#include "primary.h"

/* Registers the commands /knit/... 0 or -errno, logged. */
int primary_telemetry_register(void);
/* Answers commands from p; NULL: from nothing. No callback uses the old p after this returns. */
void primary_telemetry_show(struct primary *p);

#endif
