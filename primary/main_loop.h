/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_MAIN_LOOP_H
#define KNIT_PRIMARY_MAIN_LOOP_H

#include "primary.h"

/* The main loop; returns when a signal or a restart ends it */
int main_loop_run(struct primary *p);
/* The exit code: nobody starts anew who was told to stop meanwhile. */
int main_loop_exit_code(int code);
void main_loop_block_signals(void);

#endif
