/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_ROUTE_H
#define KNIT_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Forwarding tables in one block of shared memory: longest prefix match for IPv4 and IPv6,
 * adjacencies, multipath groups, VRFs. This header is the readers' half: the shapes, and how to
 * look something up. writer.h is the other half. docs/ROUTING.md says why the tables are so.
 *
 * The block has numbers in it, but neither a pointer nor the address of a function: every process
 * may map it where it likes, and be another binary than the writer.
 *
 *	block:  header | half A | half B             `live` in the header names the half that counts
 *	half:   header | vrf[] | hop[] | group[] | adjacency[] | heap 4 | heap 6 | buckets
 *
 * A heap consists of units of 8 bytes. What is in it is named by the number of its first unit:
 *
 *	cell    1 unit: its own number, a verdict (two u32)
 *	leaves  n u32, each the number of a cell
 *	words   n u64, each a word as below
 *	direct  512, 16 Ki or 512 Ki words, indexed by the first 9, 14 or 19 bits of an address
 *
 * A word stands for a node: the next 5 bits of an address, 32 slots. Bits 0 to 31 are a bitmap of
 * the slots that differ from the one before; slot 0 always does. Bits 32 to 62 are the number of
 * an array with one entry for each bit of the bitmap. Bit 63 tells words (1) from leaves (0). A
 * node whose slots all have the same cell needs no array: the bitmap is 1, and the cell is a leaf
 * that names itself. A root, in vrf[], has the bits that its direct table looks at in bits 0 to 31,
 * and the number of that table above. Root 0: there is no table, all is for the kernel.
 *
 * A lookup is a chain of dependent loads: root (once a burst), direct, words for each 5 bits where
 * longer prefixes exist, a leaf, a cell. It ends with a verdict; resolving that takes the hop word,
 * for a group the group's word and a bucket first, and then the adjacency.
 *
 * Readers. A reader takes no lock and writes nothing. It calls knit_route_live once a burst and
 * keeps nothing, neither a half nor a verdict nor an adjacency, beyond its next quiescent state
 * (rte_rcu_qsbr_quiescent, or offline). Every word that a reader loads is valid at any moment, and
 * all that it leads to stays what it was until the reader's next quiescent state, but for single
 * aligned stores that replace a word by another one as good. So within one burst, one packet may
 * get the verdict from before an update and the next one that from after it; none gets a third one.
 *
 * What cannot be told by the tables is left to the kernel: verdict 0 is "to the kernel". This is
 * what a table of zeroes says, what is said where a table was too small, and what readers do
 * before the first half is published.
 */

/* A verdict, 32 bits: a kind in the upper 4, a value in the lower 28. */
enum knit_route_kind {
	KNIT_ROUTE_KERNEL,    /* value: the class that it goes to the kernel in, below 16 */
	KNIT_ROUTE_DROP,      /* value: the reason, below 16 */
	KNIT_ROUTE_HOP,	      /* value: the number of a neighbour. Not after knit_route_resolve */
	KNIT_ROUTE_GROUP,     /* value: the number of a multipath group. Likewise */
	KNIT_ROUTE_ADJACENCY, /* value: the number of an adjacency. Only after knit_route_resolve */
};
#define KNIT_ROUTE_SMALL 16 /* classes, reasons */
#define KNIT_ROUTE_VALUE 0x0fffffffU
#define KNIT_ROUTE_VERDICT(kind, value) ((uint32_t)(kind) << 28 | (uint32_t)(value))

static inline enum knit_route_kind knit_route_kind(uint32_t verdict)
{
	return (enum knit_route_kind)(verdict >> 28);
}

static inline uint32_t knit_route_value(uint32_t verdict)
{
	return verdict & KNIT_ROUTE_VALUE;
}

/*
 * What a packet needs to leave. The rewrite is all that precedes the EtherType: two MAC addresses,
 * or more if the encapsulation has more. It never changes; a neighbour with another MAC address
 * gets another adjacency.
 */
#define KNIT_ROUTE_REWRITE 24
struct knit_adjacency {
	uint16_t output;      /* the topology's number of a port or an interface */
	uint16_t mtu;	      /* bytes of IP that may leave in one frame */
	uint16_t vlan_tci;    /* to be pushed, if flags say so */
	uint8_t flags;	      /* KNIT_ADJACENCY_* */
	uint8_t rewrite_size; /* bytes that count in rewrite */
	uint8_t rewrite[KNIT_ROUTE_REWRITE];
};
#define KNIT_ADJACENCY_VLAN 1

enum knit_route_family {
	KNIT_ROUTE_4,
	KNIT_ROUTE_6,
	KNIT_ROUTE_FAMILIES
};

/* What a half has room for, each of its own. */
enum knit_route_room {
	KNIT_ROOM_4 = KNIT_ROUTE_4, /* units of 8 bytes */
	KNIT_ROOM_6 = KNIT_ROUTE_6,
	KNIT_ROOM_BUCKETS,     /* units of 8 bytes: two buckets */
	KNIT_ROOM_ADJACENCIES, /* of 32 bytes */
	KNIT_ROOMS,
};

/*
 * The table's size, fixed when the block is made. Each is a count; routes are those of a routing
 * table of the Internet, see docs/ROUTING.md for others. There are as many groups as neighbours.
 */
struct knit_route_conf {
	uint32_t routes4;
	uint32_t routes6;
	uint32_t neighbours;
	uint32_t vrfs;
};
#define KNIT_ROUTE_MAX_ROUTES 16000000U
#define KNIT_ROUTE_MAX_NEIGHBOURS 1000000U
#define KNIT_ROUTE_MAX_VRFS 4096U

/* writer: wo, anybody: ro. Counts of now, but for those that say otherwise. */
struct knit_route_stats {
	uint64_t routes[KNIT_ROUTE_FAMILIES];
	uint64_t used[KNIT_ROOMS];	/* of the room, with what waits for a grace period */
	uint64_t waiting[KNIT_ROOMS];	/* for a grace period */
	uint64_t exhausted[KNIT_ROOMS]; /* times that there was no room, so far */
	/* Parts of the tables that say "to the kernel" because there was no room. */
	uint64_t punted[KNIT_ROUTE_FAMILIES];
	uint64_t punted_hops;
	uint64_t punted_groups;
	uint64_t lost; /* units that stay unused until the next half: no memory to remember them */
};

struct knit_route_vrf {
	uint64_t root[KNIT_ROUTE_FAMILIES];
};

/* Offsets are bytes from the start of the half. Written before the half is published. */
struct knit_route_half {
	uint64_t vrf;	    /* offset of struct knit_route_vrf[vrfs] */
	uint64_t hop;	    /* of u32[neighbours]: KERNEL, DROP or ADJACENCY */
	uint64_t group;	    /* of u64[neighbours]: buckets, a power of two, and their first unit in
			     * bits 32 to 63; no buckets: KERNEL or DROP there */
	uint64_t adjacency; /* of struct knit_adjacency[] */
	uint64_t heap[3];   /* KNIT_ROOM_4, KNIT_ROOM_6, KNIT_ROOM_BUCKETS */
	uint32_t units[KNIT_ROOMS];
	uint32_t neighbours;
	uint32_t vrfs;
	uint32_t generation; /* of the writer that built it */
	uint32_t reserved;
	struct knit_route_stats stats;
};

struct knit_route_block {
	uint32_t magic; /* "kRte" */
	uint32_t version;
	struct knit_route_conf conf;
	uint64_t bytes; /* of the block */
	uint64_t half;	/* bytes of a half; A starts at KNIT_ROUTE_HEADER */
	/*
	 * writer: wo. 0 before the first half is published; else the generation of the writer that
	 * built it in the upper 31 bits, the half in bit 0. The one store that replaces a half.
	 */
	uint32_t live __attribute__((aligned(64)));
};
#define KNIT_ROUTE_MAGIC 0x6b527465U
#define KNIT_ROUTE_VERSION 1U
#define KNIT_ROUTE_HEADER 128U

/* Bytes of a block, a multiple of 64. 0, errno EINVAL: a count is zero or above its maximum. */
size_t knit_route_bytes(const struct knit_route_conf *conf);

/*
 * Makes a block of memory that consists of zeroes and is aligned to 64 bytes. Whoever reserves the
 * memory calls it, before others know the block. -EINVAL: as knit_route_bytes.
 */
int knit_route_format(struct knit_route_block *block, const struct knit_route_conf *conf);

/* Is it a block of this version? A secondary asks when it attaches. */
bool knit_route_valid(const struct knit_route_block *block, size_t bytes);

/* The half that counts, or NULL if there is none yet: then all is for the kernel. */
static inline const struct knit_route_half *knit_route_live(const struct knit_route_block *block)
{
	uint32_t live = __atomic_load_n(&block->live, __ATOMIC_ACQUIRE);

	if (!live)
		return NULL;
	return (const void *)((const char *)block + KNIT_ROUTE_HEADER + (live & 1) * block->half);
}

/*
 * The verdicts for n addresses of one VRF, in network order, as packets have them. A VRF that is
 * not there has no route. These and knit_route_resolve are what readers call for each burst:
 * nothing in them waits, allocates or logs.
 */
void knit_route_lookup4(const struct knit_route_half *half, uint32_t vrf, const uint32_t *address,
			uint32_t *verdict, unsigned int n);
void knit_route_lookup6(const struct knit_route_half *half, uint32_t vrf,
			const uint8_t (*address)[16], uint32_t *verdict, unsigned int n);

/*
 * Follows a verdict to its end, which is KERNEL, DROP or ADJACENCY. Packets with the same hash take
 * the same way through a group.
 */
static inline uint32_t knit_route_resolve(const struct knit_route_half *half, uint32_t verdict,
					  uint32_t hash)
{
	const char *base = (const char *)half;
	const uint32_t *bucket;
	uint64_t word;

	if (knit_route_kind(verdict) == KNIT_ROUTE_GROUP) {
		word = __atomic_load_n((const uint64_t *)(base + half->group) +
					       knit_route_value(verdict),
				       __ATOMIC_ACQUIRE);
		if (!(uint32_t)word)
			return word >> 32;
		bucket = (const uint32_t *)(base + half->heap[KNIT_ROOM_BUCKETS] +
					    (word >> 32) * sizeof(uint64_t));
		verdict = bucket[hash & ((uint32_t)word - 1)];
	}
	if (knit_route_kind(verdict) == KNIT_ROUTE_HOP)
		verdict = __atomic_load_n((const uint32_t *)(base + half->hop) +
						  knit_route_value(verdict),
					  __ATOMIC_ACQUIRE);
	return verdict;
}

/* Of a verdict of kind ADJACENCY. */
static inline const struct knit_adjacency *knit_route_adjacency(const struct knit_route_half *half,
								uint32_t verdict)
{
	return (const struct knit_adjacency *)((const char *)half + half->adjacency) +
	       knit_route_value(verdict);
}

#endif
