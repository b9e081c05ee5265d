/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_MAIN_LOOP_H
#define KNIT_PRIMARY_MAIN_LOOP_H

#include "primary.h"

/* The main loop. Returns when a signal or a restart ends it. */
int main_loop_run(struct primary *p);
/*
 * The exit code of the process. code is what the process would exit with. A restart
 * (KNIT_EXIT_RESTART) becomes KNIT_EXIT_OK if SIGTERM or SIGINT has arrived meanwhile.
 */
int main_loop_exit_code(int code);
void main_loop_block_signals(void);
/* Any thread: the main thread looks for work. */
void main_loop_kick(void);

#endif
