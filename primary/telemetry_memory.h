/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_TELEMETRY_MEMORY_H
#define KNIT_TELEMETRY_MEMORY_H

#include "primary.h"

#include <rte_telemetry.h>

/*
 * Answers of telemetry about memory; -1: there is no such node or pool. EAL's telemetry thread.
 * They take locks of EAL's, as its own /eal/heap_info does.
 */

/* params NULL: the NUMA nodes that are in use. Else one of them. */
int telemetry_memory(const struct primary *p, const char *params, struct rte_tel_data *d);
int telemetry_pools(const struct primary *p, struct rte_tel_data *d);
int telemetry_pool(const struct primary *p, const char *params, struct rte_tel_data *d);

#endif
