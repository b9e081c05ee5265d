/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_ROUTE_RIB_H
#define KNIT_ROUTE_RIB_H

#include "key.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * All routes of one family, in private memory: a trie of nodes of 5 bits, the same nodes that the
 * shared table has. What a node has is in arrays of just the right size, found by counting bits.
 *
 * Nodes have numbers, 0 is none. Pointers to nodes and routes hold until the next call that adds.
 */
struct knit_rib_route {
	uint32_t verdict;
	uint32_t tag;
	uint32_t cell; /* of fib.c */
};

struct knit_rib_node {
	uint64_t own;	/* prefixes that end here, knit_own_bit */
	uint64_t word;	/* of fib.c: the shared table's word for it; 0: it has none */
	uint32_t kids;	/* slots with a node */
	uint32_t route; /* in the arena: struct knit_rib_route for each bit of own */
	uint32_t kid;	/* in the arena: u32 for each bit of kids; of a free node the next one */
	bool punted;	/* of fib.c: all below is left to the kernel */
};

#define KNIT_ARENA_SIZES 192 /* u32 in an array: 62 routes */

struct knit_arena {
	uint32_t *unit;
	uint32_t used, size;
	uint32_t free[KNIT_ARENA_SIZES]; /* the first of this size, which names the next one */
};

struct knit_rib {
	struct knit_rib_node *node;
	uint32_t nodes, size, free;
	struct knit_arena arena;
	uint32_t vrfs;
	uint32_t *root;	 /* of each VRF: the node of level 0 */
	uint32_t *count; /* of each VRF: routes */
	uint64_t routes;
};

/* The nodes from the root down to a level, and the slot taken in each. */
struct knit_rib_path {
	uint32_t vrf;
	struct knit_key key;
	unsigned int levels; /* nodes that are there */
	uint32_t node[KNIT_LEVELS];
	uint8_t slot[KNIT_LEVELS];
};

int knit_rib_open(struct knit_rib *rib, uint32_t vrfs);
void knit_rib_close(struct knit_rib *rib);

/* Down to a level, as far as there are nodes. */
void knit_rib_find(const struct knit_rib *rib, uint32_t vrf, struct knit_key key,
		   unsigned int level, struct knit_rib_path *path);

/* Likewise, and makes the nodes that are missing. -ENOMEM: none was made. */
int knit_rib_make(struct knit_rib *rib, uint32_t vrf, struct knit_key key, unsigned int level,
		  struct knit_rib_path *path);

/* A route of a node; NULL if there is none. */
struct knit_rib_route *knit_rib_route(const struct knit_rib *rib, uint32_t node, unsigned int bit);

/* A new one, zeroed; NULL: no memory. */
struct knit_rib_route *knit_rib_add(struct knit_rib *rib, uint32_t vrf, uint32_t node,
				    unsigned int bit);
void knit_rib_drop(struct knit_rib *rib, uint32_t vrf, uint32_t node, unsigned int bit);

/* The path's last node has nothing left: takes it from its parent, the path is one shorter. */
void knit_rib_prune(struct knit_rib *rib, struct knit_rib_path *path);

/* Forgets all routes of a VRF. */
void knit_rib_clear(struct knit_rib *rib, uint32_t vrf);

size_t knit_rib_bytes(const struct knit_rib *rib);

static inline bool knit_rib_is_empty(const struct knit_rib_node *node)
{
	return !node->own && !node->kids;
}

static inline uint32_t knit_rib_kid(const struct knit_rib *rib, const struct knit_rib_node *node,
				    uint32_t slot)
{
	uint32_t below = node->kids & ((UINT32_C(1) << slot) - 1);

	if (!(node->kids >> slot & 1))
		return 0;
	return rib->arena.unit[node->kid + __builtin_popcount(below)];
}

static inline struct knit_rib_route *knit_rib_routes(const struct knit_rib *rib,
						     const struct knit_rib_node *node)
{
	return (struct knit_rib_route *)&rib->arena.unit[node->route];
}

#endif
