/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_CONTROL_OPTIONS_H
#define KNIT_CONTROL_OPTIONS_H

struct control;

/* Reads the command line. -1: continue. Otherwise the process ends with that exit code. */
int control_options(struct control *c, int argc, char **argv);

#endif
