/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_WORKER_DATAPATH_WATCH_H
#define KNIT_WORKER_DATAPATH_WATCH_H

#include "system/topology/watch.h"
#include "worker/worker.h"

/*
 * A worker that watches packets (system/topology/watch.h). Then its inputs and outputs have
 * knit_watch_receive and knit_watch_send as their functions, which call the real ones. Nothing is
 * added to the way of packets while nobody watches, but a test of w->watcher where packets are lost
 * or changed in software.
 *
 * From the receive call to the last send call of its packets, a burst is under way. A record is
 * made when a packet passes a watched place and the filter chooses it: at receive with what
 * arrived, at send with what is sent, before software does the offloads that the output lacks. Its
 * mbuf is the key by which later steps find it. When the last packet was sent, all records of the
 * burst are published by one store.
 *
 * Bounds. A burst is looked at only if the share of time allows it; one that is too expensive is
 * paid for by the next ones. There are at most two records for each packet, and no more than the
 * ring has room for.
 */
#define KNIT_WATCH_ENTRIES (2 * KNIT_BURST_MAX)
/* More than software can have made and not yet sent: the oldest ones are gone by then. */
#define KNIT_WATCH_PIECES 1024

/* A port or interface; KNIT_WATCH_NOWHERE: none. */
struct knit_watch_device {
	bool watched;
	uint8_t end; /* enum knit_watch_end */
	uint8_t direction;
	uint16_t index;
};

/* An input or output, and its real function. */
struct knit_watch_place {
	uint32_t (*receive)(struct knit_worker *w, struct knit_input *in, struct knit_burst *b);
	uint32_t (*send)(struct knit_worker *w, struct knit_output *out, struct knit_burst *b);
	struct knit_watch_device device; /* the record names it */
	uint8_t end;			 /* enum knit_watch_end; these are named by its steps */
	uint16_t index;
	uint32_t queue;
};

/* A record that is being written. */
struct knit_watch_entry {
	const struct rte_mbuf *m;
	struct knit_watch_record *record;
	struct knit_watch_entry *twin; /* of the same packet at the next place; NULL: none */
	uint32_t pieces;	       /* that software made of it; 0: it is whole */
	uint32_t dropped;
	bool sending;
};

/* A frame that software made; entry NULL: of a packet without a record. */
struct knit_watch_piece {
	const struct rte_mbuf *m;
	struct knit_watch_entry *entry;
};

_Static_assert(KNIT_WATCH_PIECES >= KNIT_BURST_MAX + 2 * KNIT_OFFLOAD_MAX_SEGS,
	       "w->work is full, and one of its frames is cut once more");

struct knit_watcher {
	struct knit_watch_spec spec;
	uint32_t serial; /* that it follows; 0: none */
	struct knit_watch_ring *ring;
	uint32_t bytes;	  /* of the ring, checked */
	uint64_t head;	  /* where the next record goes */
	uint64_t records; /* so far */
	/* the burst under way */
	bool looks;
	const struct knit_input *in;
	const struct knit_watch_place *from;
	uint64_t received; /* TSC */
	uint32_t left;	   /* packets that were not sent yet */
	uint32_t n_entries;
	uint32_t next;	   /* the entry that is looked at first */
	uint32_t n_pieces; /* that were made; the last KNIT_WATCH_PIECES of them are known */
	/* time that may be used, in TSC cycles times 100 */
	int64_t budget;
	int64_t budget_max;
	uint64_t budget_at;
	uint64_t longest; /* TSC cycles that one packet may cost */
	struct knit_watch_entry entries[KNIT_WATCH_ENTRIES];
	struct knit_watch_piece pieces[KNIT_WATCH_PIECES];
	struct knit_watch_place inputs[KNIT_MAX_INPUTS];
	struct knit_watch_place outputs[KNIT_MAX_OUTPUTS];
	uint8_t flat[KNIT_WATCH_SNAP_MAX + 1];
};

uint32_t knit_watch_receive(struct knit_worker *w, struct knit_input *in, struct knit_burst *b);
uint32_t knit_watch_send(struct knit_worker *w, struct knit_output *out, struct knit_burst *b);

/* Publishes what was written. For the end of a watch. */
void knit_watch_publish(struct knit_watcher *x);

/*
 * The n packets of m are lost for that reason. The mbufs are only compared: they may be freed
 * already.
 */
void knit_watch_dropped(struct knit_watcher *x, enum knit_worker_drop why,
			struct rte_mbuf *const *m, uint32_t n);
/* Software made these n frames of m, which may be freed already. */
void knit_watch_changed(struct knit_watcher *x, const struct rte_mbuf *m,
			struct rte_mbuf *const *pieces, uint32_t n);

#endif
