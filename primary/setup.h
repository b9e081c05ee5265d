/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_SETUP_H
#define KNIT_SETUP_H

#include <stdbool.h>

struct knit_config;
struct primary;

/* First of all. Blocks the signals that primary_run reads. */
void primary_init(struct primary *p, const struct knit_config *conf, bool status);

/* The topology from the configuration, with doorbells and QSBR variable. 0 or -errno, logged. */
int primary_topology_create(struct primary *p);

/* Everything is up: secondaries may attach. */
void primary_topology_publish(struct primary *p);

#endif
