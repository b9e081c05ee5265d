/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_MAIN_LOOP_H
#define KNIT_PRIMARY_MAIN_LOOP_H

#include "primary.h"

/* The main loop. Returns when a signal or a restart ends it. */
int main_loop_run(struct primary *p);
/*
 * The exit code of the process. A process that got a signal to end meanwhile does not ask for a new
 * start.
 */
int main_loop_exit_code(int code);
void main_loop_block_signals(void);

#endif
