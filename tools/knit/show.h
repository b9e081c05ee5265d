/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_TOOL_SHOW_H
#define KNIT_TOOL_SHOW_H

#include "knit.h"

/* What knit show has beside objects. They return an exit code, after a message if it is not 0. */
int show_memory(const struct options *o, struct client *c);
int show_config(const struct options *o, struct client *c);

#endif
