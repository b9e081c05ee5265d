/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_COMMANDS_H
#define KNIT_PRIMARY_COMMANDS_H

#include "primary.h"

/* Serves all commands there are. 0 or -errno, logged. */
int commands_start(struct primary *p);
void commands_stop(void);

#endif
