/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PREFLIGHT_H
#define KNIT_PREFLIGHT_H

#include "system/config/config.h"

/*
 * Checks of the machine before anything is changed. Each check reports what is missing, with the
 * remedy. All checks are made, so that one run shows everything. They return 0 or enum knit_exit. A
 * start makes the same checks as --check, unless noted.
 */

/* host.c, reserve.c: the pools, and the hugepages that they need. */
struct pool_plan;
void preflight_plan(const struct knit_config *conf, struct pool_plan *plan);
size_t preflight_bytes(const struct pool_plan *plan);
/* Limits of vfio: pinned memory, number of mappings. */
int preflight_vfio(const struct knit_config *conf);
/* Hugepages of each NUMA node. Those that an earlier run with this prefix left count as free. */
int preflight_memory(const struct knit_config *conf);
/* --reserve-hugepages: adds what is missing, tells what it did. enum knit_exit. */
int preflight_reserve(const struct knit_config *conf);
/* Whether there is a primary with that prefix. */
bool preflight_prefix_runs(const struct knit_config *conf);
/* --check: the IOMMU. */
void preflight_iommu(void);

/* cpus.c: CPUs of all processes and engine threads. With --check also who else may use them. */
int preflight_cpus(const struct knit_config *conf);

/* limits.c: what this process may open, map and write, and where. */
int preflight_limits(const struct knit_config *conf);

/*
 * places.c: network namespaces, permissions there, and names of the interfaces to make. Only
 * --check examines the names. At a start the last process of an earlier run may still have them,
 * and an error is reported when the interfaces are made.
 */
int preflight_places(const struct knit_config *conf);

/*
 * All checks. Prints a line on stderr for each thing that is missing. Returns enum knit_exit. all:
 * this is --check, which prints everything on stdout.
 */
int primary_preflight(const struct knit_config *conf, bool all);
/* The same for --check --json: prints an object for programs (report.h) on stdout. */
int primary_preflight_json(const struct knit_config *conf);

#endif
