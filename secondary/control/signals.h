/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_CONTROL_SIGNALS_H
#define KNIT_CONTROL_SIGNALS_H

/*
 * Blocks the signals that end the process, in this thread and in those that start later. Returns an
 * fd to poll for these signals, or -errno.
 */
int control_signals(void);

#endif
