/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_SETUP_H
#define KNIT_SETUP_H

#include <stdbool.h>

struct knit_config;
struct primary;

/*
 * Whether a topology can be made from the configuration; if not, prints why on stderr. Changes
 * nothing: an error that no single key causes is found here, before there is anything to undo.
 */
bool primary_plan_fits(const struct knit_config *conf);

/* First step, nothing has to be undone yet. Blocks the signals that main_loop_run reads. */
void primary_init(struct primary *p, const struct knit_config *conf, bool status);

/*
 * Creates the topology from the configuration, with doorbells and QSBR variables. 0 or -errno,
 * logged.
 */
int primary_topology_create(struct primary *p);

/* Last step: from now on secondaries may attach. */
void primary_topology_publish(struct primary *p);

#endif
