/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_ROUTE_WRITER_H
#define KNIT_ROUTE_WRITER_H

#include "route.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The writer of the tables in route.h. It keeps all routes in private memory, a RIB, and derives
 * the shared half from it. One thread uses a writer; its functions may allocate, and none waits.
 *
 * A life: knit_route_open; then everything that a dump tells, by the calls below, which touch
 * private memory only; then knit_route_publish, which builds the half that nobody reads and makes
 * it count. From then on each call changes that half at once, while it is read.
 *
 * One writer at a time changes the live half, and one at a time builds the other one. To start anew
 * beside a living table, after a feed has lost messages: open a second writer, fill it, publish it,
 * close the first one. After a death: the same without the first one. The caller sees to it that a
 * writer whose half is to be built over is dead or closed: no lock says so.
 *
 * Who writes what. Before it publishes, a writer writes nothing of the live half. After, it writes
 * its half, and in the block's header nothing. These stores are what readers see:
 *
 *	live                 a whole half
 *	root                 the first and last route of a VRF; a direct table of another size
 *	a direct word, an entry of words: routes longer than the direct table's bits, any number of
 *	                     slots and nodes below: what is new is built beside what is old
 *	a cell's verdict     routes not longer than these bits: each has a cell of its own
 *	a hop word           a neighbour
 *	a group word         a multipath group
 *
 * Each is one aligned store, and the whole of an update: all addresses that it concerns change at
 * once. Around it there are stores that change no answer. A route not longer than the direct
 * table's bits comes in three steps: it gets a cell with the verdict that its addresses have now;
 * every word and leaf that names the old cell is changed, one by one, to the new one, which says
 * the same; then the cell's verdict is stored. It goes in reverse.
 *
 * What if the writer dies, on any line: an update is there or not, by the store above. Arrays that
 * nobody refers to yet or any more are lost with the half. The words of a cell that is being
 * introduced name the new or the old cell, which say the same. A death while a half is built, or
 * before the store to `live`, leaves the other half as it was. Nobody repairs anything: the next
 * writer does not look at what the dead one left. Readers go on meanwhile, with a table as old as
 * the death.
 *
 * What was replaced is used again after a grace period, so no reader sees memory change its
 * meaning. The caller says how to tell grace periods. With DPDK:
 *
 *	start:  rte_rcu_qsbr_start(v)
 *	passed: rte_rcu_qsbr_check(v, token, false) == 1
 *
 * with dead readers unregistered, or the check would fail for ever, and then all rooms fill up.
 *
 * No room. A call that finds no room for its update returns -ENOSPC. The RIB has the update all the
 * same, and is right; so it is no error that the caller must undo. Readers get "to the kernel",
 * class 0, for all addresses that the update concerns, and perhaps for their neighbourhood:
 *
 *	no array for nodes           the addresses below the smallest node that is there already; at
 *	                             worst those of one direct word
 *	no cell or no direct table   the VRF, this family
 *	no adjacency, no buckets     all that uses the neighbour, the group
 *
 * That store needs no room, and is one store too. It is in stats.punted*, the failure in
 * stats.exhausted. Removing may run out of room as well, and is treated likewise. The kernel has
 * all routes, so a smaller table costs speed, never a packet. knit_route_retry repairs what fits by
 * then; call it once a second while something is punted. A neighbour or a VRF whose number is too
 * large for the table is refused with -ERANGE: give its routes the verdict "to the kernel", and its
 * packets.
 *
 * -ENOMEM: private memory ran out. Nothing was changed, neither in the RIB nor in the table, so the
 * table may now be wrong: call knit_route_blank, which leaves all to the kernel, and start anew.
 *
 * Private memory: 36 bytes for each IPv4 route and 97 for each IPv6 route of the Internet, see
 * docs/ROUTING.md; a third of a byte for each unit of the rooms; 48 for each neighbour.
 */

struct knit_route_grace {
	uint64_t (*start)(void *arg);		   /* returns a token */
	bool (*passed)(void *arg, uint64_t token); /* has each reader been quiescent since? */
	void *arg;
};

/* Bits of the address after the first len are zero, and so is what IPv4 leaves of it: 12 bytes. */
struct knit_route_prefix {
	uint32_t vrf;
	uint8_t family; /* enum knit_route_family */
	uint8_t len;
	uint16_t reserved;   /* 0 */
	uint8_t address[16]; /* network order */
};

struct knit_route {
	struct knit_route_prefix prefix;
	uint32_t verdict; /* KERNEL, DROP, HOP or GROUP */
	uint32_t tag;	  /* the caller's */
};

struct knit_route_member {
	uint32_t hop;
	uint32_t weight; /* 1 to 65535 */
};
#define KNIT_ROUTE_MEMBERS 256
#define KNIT_ROUTE_BUCKETS 4096 /* at most */

struct knit_route_writer;

/*
 * A writer with an empty RIB, for the half that is not live. NULL: errno EINVAL (no block of this
 * version), ENOMEM. The grace period since now must pass before it can publish.
 */
struct knit_route_writer *knit_route_open(struct knit_route_block *block,
					  const struct knit_route_grace *grace);

/* Forgets the RIB. The half stays as it is, and live if it was. */
void knit_route_close(struct knit_route_writer *w);

/*
 * Builds the half from all that the writer knows and makes it live. -EAGAIN: some reader may still
 * look at what the half was before, try again later. -ENOMEM: nothing has changed. -EALREADY. Lack
 * of room in the half is no failure: see stats.
 */
int knit_route_publish(struct knit_route_writer *w);

/* All VRFs to the kernel, by a store for each; the RIB is forgotten, no need to remove it. */
void knit_route_blank(struct knit_route_writer *w);

/*
 * Adds a route or gives the one that is there another verdict. Errors of all calls on routes:
 * -EINVAL for a prefix that is none or a verdict that no route can have, -ERANGE, -ENOSPC, -ENOMEM.
 * These also: -EEXIST from add; -ENOENT from remove and get.
 */
int knit_route_set(struct knit_route_writer *w, const struct knit_route *route);
int knit_route_add(struct knit_route_writer *w, const struct knit_route *route);
int knit_route_remove(struct knit_route_writer *w, const struct knit_route_prefix *prefix);

/* The route of exactly this prefix; out may be NULL. */
int knit_route_get(const struct knit_route_writer *w, const struct knit_route_prefix *prefix,
		   struct knit_route *out);

/* The route of the longest prefix that has the address, as the RIB knows it. -ENOENT. */
int knit_route_match(const struct knit_route_writer *w, uint32_t vrf, enum knit_route_family family,
		     const uint8_t *address, struct knit_route *out);

/*
 * Calls back for each route of a VRF and family, shorter prefixes before the ones in them. Stops
 * when the callback returns something else than 0, and returns that. The callback must not change
 * routes.
 */
int knit_route_walk(const struct knit_route_writer *w, uint32_t vrf, enum knit_route_family family,
		    int (*each)(void *arg, const struct knit_route *route), void *arg);

/* Neighbour `hop` is reached so. -ERANGE, -EINVAL for a rewrite that is too long, -ENOSPC. */
int knit_route_hop_set(struct knit_route_writer *w, uint32_t hop,
		       const struct knit_adjacency *adjacency);

/*
 * Neighbour `hop` is not reached: what goes there is for the kernel, or dropped. -ERANGE, -EINVAL.
 */
int knit_route_hop_clear(struct knit_route_writer *w, uint32_t hop, uint32_t verdict);

/*
 * A multipath group of n members, none of them twice, with `buckets` buckets: a power of two, not
 * less than n, or 0 for the default. A member's share of the buckets is that of its weight. As long
 * as the number of buckets stays, flows move as little as possible: those of a member that goes,
 * and no other ones, to members that stay; and to a new member as many as its share takes. -ERANGE,
 * -EINVAL, -ENOSPC, -ENOMEM.
 */
int knit_route_group_set(struct knit_route_writer *w, uint32_t group,
			 const struct knit_route_member *member, unsigned int n,
			 unsigned int buckets);

/* The group has no members: what goes there is for the kernel, or dropped. -ERANGE, -EINVAL. */
int knit_route_group_clear(struct knit_route_writer *w, uint32_t group, uint32_t verdict);

/* Tries again what had no room. Returns how many parts are still left to the kernel. */
uint64_t knit_route_retry(struct knit_route_writer *w);

/* Uses again what readers have left. Calls that need room do it themselves. */
void knit_route_poll(struct knit_route_writer *w);

/* Also in the half, for others. Those of rooms are 0 before the half is published. */
void knit_route_stats(const struct knit_route_writer *w, struct knit_route_stats *stats);

/* Bytes of private memory that the RIB takes. */
size_t knit_route_private(const struct knit_route_writer *w);

#endif
