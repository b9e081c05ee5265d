/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_STATUS_H
#define KNIT_PRIMARY_STATUS_H

#include "primary.h"

void primary_status_banner(const struct primary *p);
void primary_status_line(const struct primary *p);

#endif
