/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_ROUTE_RIG_H
#define KNIT_ROUTE_RIG_H

#include "route/writer.h"
#include "unit.h"

/* A block in plain memory, and readers that are never in the way. */
struct rig {
	struct knit_route_conf conf;
	struct knit_route_block *block;
	struct knit_route_writer *writer;
	struct knit_random random;
};

/* The smallest that has some of everything. */
extern const struct knit_route_conf rig_conf;
/* No reader. */
extern const struct knit_route_grace rig_grace;

struct knit_route_block *rig_block(const struct knit_route_conf *conf);
void rig_open(struct rig *rig, const struct knit_route_conf *conf, uint64_t seed);
/* The same, and an empty half is published. */
void rig_open_live(struct rig *rig, const struct knit_route_conf *conf, uint64_t seed);
void rig_close(struct rig *rig);
/* knit_route_publish works. */
void rig_publish(struct knit_route_writer *w);
const struct knit_route_half *rig_half(const struct rig *rig);
struct knit_route_stats rig_stats(const struct rig *rig);

static inline uint64_t rig_random(struct rig *rig, uint64_t below)
{
	return knit_random_next(&rig->random) % below;
}

/* A prefix that likely has to do with other ones: few different bits, all lengths. */
struct knit_route_prefix rig_prefix(struct rig *rig, enum knit_route_family family);
/* Of text such as "10.0.0.0/8". */
struct knit_route rig_route(const char *prefix, uint32_t verdict);
/* Sets all bits after the first len to zero, or to one. */
void rig_mask(uint8_t *address, enum knit_route_family family, unsigned int len, bool ones);

/* The answer of the table for one address. */
uint32_t rig_lookup(const struct knit_route_half *half, uint32_t vrf, enum knit_route_family family,
		    const uint8_t *address);

/* Called after each store of a writer, if set. */
extern void (*rig_stored)(void *arg);
extern void *rig_stored_arg;

/*
 * The slow oracle: a list of routes, of which the longest that has the address is looked for, bit
 * by bit.
 */
struct oracle {
	struct knit_route *route;
	size_t routes, size;
};

void oracle_close(struct oracle *o);
/* NULL: there is none. */
struct knit_route *oracle_find(const struct oracle *o, const struct knit_route_prefix *p);
void oracle_set(struct oracle *o, const struct knit_route *route);
void oracle_remove(struct oracle *o, const struct knit_route_prefix *p);
/* NULL: no route. */
const struct knit_route *oracle_match(const struct oracle *o, uint32_t vrf,
				      enum knit_route_family family, const uint8_t *address);
uint32_t oracle_lookup(const struct oracle *o, uint32_t vrf, enum knit_route_family family,
		       const uint8_t *address);
/* A writer that knows all of them. */
void oracle_tell(const struct oracle *o, struct knit_route_writer *w);

#endif
