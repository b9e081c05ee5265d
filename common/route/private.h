/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_ROUTE_PRIVATE_H
#define KNIT_ROUTE_PRIVATE_H

#include "fib.h"

/* What the writer's files share. */

struct knit_route_neighbour {
	struct knit_adjacency adjacency;
	uint32_t verdict; /* KERNEL or DROP while it is not reached */
	uint32_t record;  /* the adjacency's number in the half; KNIT_HEAP_NONE */
	bool reached;
	bool punted; /* reached, and without a record */
};

struct knit_route_group {
	uint32_t verdict; /* KERNEL or DROP while it has no members */
	uint32_t members;
	uint32_t buckets;
	struct knit_route_member *member;
	uint32_t *bucket; /* the hop of each */
	uint32_t at;	  /* its buckets in the half: first unit; KNIT_HEAP_NONE */
	uint32_t units;
	bool punted; /* has members, and no room for them */
};

struct knit_route_writer {
	struct knit_route_block *block;
	struct knit_route_grace grace;
	struct knit_route_half *half; /* NULL: not published yet */
	uint32_t generation;
	uint32_t target; /* the half that this writer builds */
	uint64_t token;	 /* of the grace period before it may */
	struct knit_fib fib[KNIT_ROUTE_FAMILIES];
	struct knit_heap buckets;
	struct knit_heap adjacencies;
	struct knit_route_neighbour *neighbour;
	struct knit_route_group *group;
	uint64_t punted_hops, punted_groups;
};

/* The half's sizes, from the configuration. */
void knit_route_layout(const struct knit_route_conf *conf, struct knit_route_half *half,
		       uint64_t *bytes);

/* Puts what was told before into a half that nobody reads yet. */
void knit_route_hops_publish(struct knit_route_writer *w);
void knit_route_groups_publish(struct knit_route_writer *w);
void knit_route_hops_retry(struct knit_route_writer *w);
void knit_route_groups_retry(struct knit_route_writer *w);
void knit_route_groups_free(struct knit_route_writer *w);

/* After each change of a half: its statistics. */
void knit_route_count(struct knit_route_writer *w);

static inline void *knit_route_at(const struct knit_route_writer *w, uint64_t offset)
{
	return (char *)w->half + offset;
}

/* A verdict that a neighbour or group may have while it leads nowhere. */
static inline bool knit_route_leads_nowhere(uint32_t verdict)
{
	return (knit_route_kind(verdict) == KNIT_ROUTE_KERNEL ||
		knit_route_kind(verdict) == KNIT_ROUTE_DROP) &&
	       knit_route_value(verdict) < KNIT_ROUTE_SMALL;
}

#endif
