/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_WORKER_OPTIONS_H
#define KNIT_WORKER_OPTIONS_H

struct knit_worker;

/*
 * Reads the command line into w->secondary. -1: continue. Otherwise the process ends with that exit
 * code.
 */
int knit_worker_options(struct knit_worker *w, int argc, char **argv);

#endif
