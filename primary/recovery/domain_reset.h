/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_RECOVERY_DOMAIN_RESET_H
#define KNIT_PRIMARY_RECOVERY_DOMAIN_RESET_H

#include "primary.h"

/* Port thread. Resets the domains that are DEAD. True: no such domain is left. */
bool domain_reset_dead(struct primary *p);

#endif
