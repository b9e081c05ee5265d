/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_RECOVERY_DOMAIN_RESET_H
#define KNIT_PRIMARY_RECOVERY_DOMAIN_RESET_H

#include "primary.h"

/* Port thread. Resets all DEAD domains, or as many as possible. True: none is left. */
bool domain_reset_dead(struct primary *p);

#endif
