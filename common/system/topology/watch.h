/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_WATCH_H
#define KNIT_WATCH_H

#include "system/command/watch.h"
#include "system/config/config.h"

#include <rte_common.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Watching packets: the memory between the primary, which is told what to watch, and workers, which
 * do it. One memzone, "knit_watch", made at start with a ring of watch.buffer KiB for each worker;
 * 0: there is none, and nothing can be watched.
 *
 * What to watch. The primary's command thread writes spec while serial is 0, and then serial. A
 * worker looks at serial between two rounds, at most every KNIT_WATCH_LOOK_MS and after each sleep.
 * It copies spec and looks at serial again: if it has changed, the copy is thrown away. So nobody
 * waits for anybody. A worker stores in its ring which serial it follows; 0: none.
 *
 * Ring. A worker writes records at head and publishes them by its store; the primary reads them at
 * tail. Both count bytes and never wrap; a record is in one piece, and one of serial 0 fills the
 * end of the ring. A record of another serial than the present one is of an earlier watch and is
 * passed over.
 *
 * Deaths. A record that was not published does not exist. A worker's successor goes on at its
 * head. The primary does not end alone. A client that leaves ends the watch.
 *
 * Trust. Neither side believes the other's index or length: the worker checks how much room there
 * is, the primary the shape of each record. Nor do they believe a ring's size: the primary knows it
 * from the configuration, a worker compares it with the memzone. What is at an impossible place in
 * a ring is given up.
 *
 * A watch costs nothing while there is none: a worker that watches has other receive and send
 * functions (worker/datapath/watch.h). While there is one, a worker spends at most share percent of
 * its time on it. What it does with packets is the same.
 */
#define KNIT_WATCH_MZ "knit_watch"
#define KNIT_WATCH_LOOK_MS 10
#define KNIT_WATCH_RING_MIN (128u << 10) /* a record of the longest packet fits */

struct knit_watch_spec {
	uint64_t ports[2]; /* a bit each; received, transmitted */
	uint64_t ifaces[2];
	uint64_t workers;
	uint64_t limit; /* records of one worker; 0: none */
	uint32_t snaplen;
	uint32_t share;
	uint32_t journeys;
	uint32_t n_insns;
	struct knit_watch_insn insns[KNIT_WATCH_INSNS];
};

struct knit_watch_ring {
	uint32_t bytes;			   /* of data, a power of two; primary: wo, at start */
	uint64_t head __rte_cache_aligned; /* worker: wo */
	uint32_t following;		   /* worker: wo. A serial */
	uint32_t counted;		   /* worker: wo. The serial that counts are of */
	struct knit_watch_counts counts;   /* worker: wo. Its own, and its predecessors' */
	uint64_t tail __rte_cache_aligned; /* primary: wo */
	uint8_t data[] __rte_cache_aligned;
};

struct knit_watch {
	uint32_t serial; /* primary: wo. 0: nothing is watched */
	struct knit_watch_spec spec;
	uint32_t free_rings; /* primary: wo. The first ones are nobody's yet */
	/* By the worker's id. Primary: wo. NULL: its packets can't be watched */
	struct knit_watch_ring *ring[KNIT_MAX_WORKERS];
};

/* Of each ring, as configured. */
uint32_t knit_watch_ring_bytes(const struct knit_config *c);
/* Bytes of the memzone, 0: there is none. */
size_t knit_watch_bytes(const struct knit_config *c);
/* Primary: in zeroed memory of that size. */
void knit_watch_init(struct knit_watch *w, const struct knit_config *c);
/* Primary: a ring for a worker that has none yet, if there is one. It keeps it. */
void knit_watch_add(struct knit_watch *w, const struct knit_config *c, unsigned int worker);

/*
 * Worker: a copy of what to watch, and its serial; 0: nothing, or it changes at this moment.
 */
uint32_t knit_watch_read(const struct knit_watch *w, struct knit_watch_spec *spec);

/*
 * Primary: the next record at *tail, which it moves past what is no record of this serial; NULL:
 * there is none now. bytes and *tail are the caller's own. The record may still change under a
 * hostile worker: the caller copies it and checks the copy with knit_watch_valid.
 */
const struct knit_watch_record *knit_watch_next(const struct knit_watch_ring *r, uint32_t bytes,
						uint64_t *tail, uint32_t serial, uint32_t *size);
bool knit_watch_valid(const struct knit_watch_record *record, uint32_t size, uint32_t n_ports,
		      uint32_t n_ifaces);

#endif
