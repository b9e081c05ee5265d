/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_SETUP_H
#define KNIT_SETUP_H

#include <stdbool.h>

struct knit_config;
struct primary;

/* The first step; it needs no undo. Blocks the signals that main_loop_run reads. */
void primary_init(struct primary *p, struct knit_config *conf, bool status);

/*
 * Creates the topology from the configuration, with doorbells and QSBR variables. 0 or -errno,
 * logged.
 */
int primary_topology_create(struct primary *p);

/* The last step: from now on secondaries may attach. */
void primary_topology_publish(struct primary *p);

#endif
