/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_ROUTE_FIB_H
#define KNIT_ROUTE_FIB_H

#include "heap.h"
#include "rib.h"
#include "store.h"
#include "word.h"

/*
 * Derives the shared tables of one family from its RIB. Nodes of the levels below a VRF's direct
 * table have a word in it, kept in knit_rib_node.word; those above are in the direct table.
 *
 * A route above, a short one, has a cell of its own, so that it is changed by one store however
 * many addresses it has. The VRF's own cell stands for no route at all, and for the route of length
 * 0. A route below, a long one, has the cell that all routes with this verdict share; its cell
 * never changes, and nodes are built anew instead.
 */
#define KNIT_FIB_MIN_LEVELS 2 /* in a direct table: 9 bits */
#define KNIT_FIB_MAX_LEVELS 4 /* 19 bits */

struct knit_fib_vrf {
	uint32_t direct; /* its first unit */
	uint32_t cell;
	uint8_t levels;	  /* that direct stands for; 0: there is no table */
	bool punted;	  /* there ought to be one */
	uint32_t grow_at; /* routes: a larger one is not tried before */
};

/* A node that was built, and the word it had; node 0: only the word, which nobody needs now. */
struct knit_fib_change {
	uint32_t node;
	uint64_t word;
};

struct knit_fib_punt {
	uint32_t vrf;
	unsigned int level;
	struct knit_key key;
};

struct knit_fib {
	struct knit_rib rib;
	struct knit_heap heap;
	uint64_t *unit;		      /* the heap's memory; NULL while only the RIB exists */
	struct knit_route_vrf *roots; /* shared */
	enum knit_route_family family;
	uint32_t neighbours;
	uint32_t spare;	       /* units that only cells may take */
	uint32_t direct_units; /* in direct tables */
	uint32_t direct_max;
	struct knit_fib_vrf *vrf;
	uint64_t punted; /* nodes and VRFs */

	struct knit_fib_change *change; /* of the update at work */
	size_t changes, change_size;
	struct knit_fib_punt *punt;
	size_t punts, punt_size;
};

int knit_fib_open(struct knit_fib *fib, enum knit_route_family family,
		  const struct knit_route_conf *conf);
void knit_fib_close(struct knit_fib *fib);

/* The RIB has one more route, the last node of the path has it; or a route another verdict. */
int knit_fib_added(struct knit_fib *fib, const struct knit_rib_path *path, unsigned int len);
int knit_fib_changed(struct knit_fib *fib, const struct knit_rib_path *path, unsigned int len);

/* Takes a route out of the RIB and of the tables. All return 0 or -ENOSPC, see writer.h. */
int knit_fib_remove(struct knit_fib *fib, struct knit_rib_path *path, unsigned int len);

/* Tries again what was punted. */
void knit_fib_retry(struct knit_fib *fib);

/* fib_vrf.c: whole VRFs */

/* A table for all routes of a VRF in place of the one it has, if it ought to have another one. */
bool knit_fib_vrf_build(struct knit_fib *fib, uint32_t vrf);
/* The levels that its direct table ought to have. */
unsigned int knit_fib_vrf_wanted(const struct knit_fib *fib, uint32_t vrf);
/* Leaves the VRF to the kernel; punted: because there is no room. */
void knit_fib_vrf_drop(struct knit_fib *fib, uint32_t vrf, bool punted);
/* Direct units to make room for, with routes so many. */
uint32_t knit_fib_direct_max(uint32_t routes, uint32_t vrfs);

/* fib_node.c: nodes */

/* Cells that are always there: one for each verdict. */
uint32_t knit_fib_cells(uint32_t neighbours);
uint32_t knit_fib_cell(const struct knit_fib *fib, uint32_t verdict);
/* What a cell is, before anybody sees it; and its verdict, for all to see at once. */
void knit_fib_cell_make(struct knit_fib *fib, uint32_t cell, uint32_t verdict);
void knit_fib_cell_store(struct knit_fib *fib, uint32_t cell, uint32_t verdict);

/* What each slot of a node has if it has no node below. */
struct knit_fib_shape {
	uint32_t cell[KNIT_NODE_SLOTS];
	uint32_t own; /* slots that are in a prefix of the node's own */
};
void knit_fib_shape(const struct knit_fib *fib, const struct knit_rib_node *node, uint32_t cover,
		    struct knit_fib_shape *shape);

/*
 * Builds a node below the direct table, beside what it is now. `cover` is the cell of what is in no
 * prefix of its own; `inherits`: it has changed; `dirty`: slots whose cell has changed. Nodes below
 * that have no word yet, or inherit what has changed, are built, too. Returns its word, which is in
 * the node then. 0: no room; nodes below may have new words, so the node must be punted.
 */
uint64_t knit_fib_node(struct knit_fib *fib, uint32_t node, uint32_t cover, bool inherits,
		       uint32_t dirty);

/* Nobody can find the old words of the changes any more: they are retired. */
void knit_fib_commit(struct knit_fib *fib);
/* To be retired with the commit. */
void knit_fib_outdate(struct knit_fib *fib, uint64_t word);
/* The same for all words of a node and what is below. They have none then. */
void knit_fib_outdate_all(struct knit_fib *fib, uint32_t node);

/* All below the node is left to the kernel: it has that word from now on, to be stored. */
uint64_t knit_fib_punt(struct knit_fib *fib, uint32_t node, uint32_t vrf, struct knit_key key,
		       unsigned int level);

static inline unsigned int knit_fib_direct_bits(const struct knit_fib_vrf *v)
{
	return knit_level_depth(v->levels);
}

#endif
