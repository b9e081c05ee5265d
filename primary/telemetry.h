/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_TELEMETRY_H
#define KNIT_PRIMARY_TELEMETRY_H

#include "primary.h"

int primary_telemetry_register(void);
/* NULL: nothing is shown any more; no callback looks at anything after that. */
void primary_telemetry_show(struct primary *p);

#endif
