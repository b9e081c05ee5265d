/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_TELEMETRY_MEMORY_H
#define KNIT_TELEMETRY_MEMORY_H

#include "primary.h"
#include "telemetry_form.h"

/*
 * NUMA nodes in use, and pools, as objects of telemetry; see struct report_object. What is told of
 * a node takes locks of EAL's, as its own /eal/heap_info does: it waits while another process has
 * one.
 */
unsigned int telemetry_count_nodes(const struct primary *p);
const char *telemetry_name_node(const struct primary *p, unsigned int i, char *room);
void telemetry_tell_node(struct primary *p, unsigned int i, struct report *r);

unsigned int telemetry_count_pools(const struct primary *p);
const char *telemetry_name_pool(const struct primary *p, unsigned int i, char *room);
void telemetry_tell_pool(struct primary *p, unsigned int i, struct report *r);

/* The number of the node that is at i among those in use. */
unsigned int telemetry_node(const struct primary *p, unsigned int i);

#endif
