/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_CONTROL_LOOP_H
#define KNIT_CONTROL_LOOP_H

struct control;

/* Serves requests until a signal or the end of the primary. Returns enum knit_exit. */
int control_run(struct control *c);

#endif
