/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_HANDOVER_H
#define KNIT_HANDOVER_H

#include "secondary.h"

/*
 * Secondary, after ATTACH: from now on the primary is asked for what this process may not open
 * itself (kni/base/broker.h).
 */
void knit_handover_start(const struct knit_secondary *s);

#endif
