/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_SESSION_LEVELS_H
#define KNIT_SESSION_LEVELS_H

#include "system/topology/topo.h"

/*
 * Log levels that change while processes run. They are in the topology, and the primary sends all
 * secondaries a message without content, KNIT_LEVELS_ACTION, after a change. So nothing is lost if
 * one dies or comes in between: a process reads all levels when it has attached to the topology,
 * after it began to take that message.
 */
#define KNIT_LEVELS_ACTION "knit_levels"

/* Any process: takes over what was changed. */
void knit_levels_apply(const struct knit_topo *t);

/* Secondary, with a topology: follows from now on. 0 or -errno, logged. */
int knit_levels_follow(const struct knit_topo *t);

#endif
