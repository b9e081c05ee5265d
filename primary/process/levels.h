/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_LEVELS_H
#define KNIT_PRIMARY_LEVELS_H

#include "primary.h"

/* Log levels (system/session/levels.h). Whether the type of that index is named so. */
bool levels_match(unsigned int type, const char *pattern);

/* Command thread: sets the type's level here, and for all secondaries. */
void levels_set(struct primary *p, unsigned int type, uint32_t level);

/* Port thread: tells secondaries, if something was changed. */
void levels_poll(struct primary *p);

#endif
