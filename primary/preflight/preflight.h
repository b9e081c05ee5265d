/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PREFLIGHT_H
#define KNIT_PREFLIGHT_H

#include "system/config/config.h"

/*
 * What must be there before anything is touched. Each check tells what is missing and the remedy,
 * and all checks are made, so that one run shows all of it. 0, or enum knit_exit. A start makes the
 * same checks as --check, but where it says otherwise.
 */

/* host.c. Hugepages that will be asked for. */
struct pool_plan;
void preflight_plan(const struct knit_config *conf, struct pool_plan *plan);
size_t preflight_bytes(const struct pool_plan *plan);
/* What vfio limits: pinned memory, number of mappings. */
int preflight_vfio(const struct knit_config *conf);
/* Hugepages, by NUMA node, with those that an earlier run with this prefix left. */
int preflight_memory(const struct knit_config *conf);
/* --check: the IOMMU. */
void preflight_iommu(void);

/* cpus.c. CPUs of all processes and engine threads; --check: who else may use them. */
int preflight_cpus(const struct knit_config *conf);

/* limits.c. What this process may open, map and write, and where. */
int preflight_limits(const struct knit_config *conf);

/*
 * places.c. Network namespaces, what this process may do there, and names of interfaces to be made.
 * Those are looked at by --check only: a start may come before the last process of the one before
 * has let go of them, and finds out when it makes them.
 */
int preflight_places(const struct knit_config *conf);

/*
 * Before anything is touched. A line on stderr for each thing missing; enum knit_exit.
 * all: for --check, on stdout, with what is there and what could be better.
 */
int primary_preflight(const struct knit_config *conf, bool all);

#endif
