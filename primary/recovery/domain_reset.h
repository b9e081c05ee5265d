/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_RECOVERY_DOMAIN_RESET_H
#define KNIT_PRIMARY_RECOVERY_DOMAIN_RESET_H

#include "primary.h"

/* Resets every DEAD domain, or as many as can be; true if none is left. */
bool domain_reset_dead(struct primary *p);

#endif
