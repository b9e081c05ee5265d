/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_COMMAND_WATCH_H
#define KNIT_PRIMARY_COMMAND_WATCH_H

#include "command.h"

/*
 * Watches packets for one client (system/topology/watch.h): tells workers what to watch, and sends
 * their records. There is one watch at a time, because workers pay for it. What a client does not
 * take stays in the rings; then they are full, and workers count what is lost.
 */
extern const struct command watch_command;

#endif
