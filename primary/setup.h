/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_SETUP_H
#define KNIT_SETUP_H

#include <stdbool.h>

struct knit_config;
struct primary;

/*
 * Whether a topology follows from the configuration; else lines on stderr. Touches nothing: what
 * no single key is to blame for is an error of the configuration all the same, and found before
 * there is anything to undo.
 */
bool primary_plan_fits(const struct knit_config *conf);

/* Before all that is to be undone. Blocks the signals that main_loop_run reads. */
void primary_init(struct primary *p, const struct knit_config *conf, bool status);

/* The topology from the configuration, with doorbells and QSBR variable. 0 or -errno, logged. */
int primary_topology_create(struct primary *p);

/* Everything is up: secondaries may attach. */
void primary_topology_publish(struct primary *p);

#endif
