/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_MONITOR_H
#define KNIT_PRIMARY_MONITOR_H

struct command;

/* knit monitor: events, as they happen and as the primary still has them. */
extern const struct command command_monitor;

#endif
