/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_COMMAND_WATCH_H
#define KNIT_COMMAND_WATCH_H

#include "wire.h"

#include <stdint.h>

/*
 * Watched packets, as `knit trace` and `knit capture` get them: a record for each, with the first
 * bytes and what happened to it, a step at a time. A worker writes the records
 * (system/topology/watch.h), the primary passes them on as they are.
 *
 * Directions are those of the device: a port receives from the wire, an interface receives what a
 * worker gives to the kernel.
 */
enum knit_watch_end {
	KNIT_WATCH_NOWHERE, /* a port without an interface */
	KNIT_WATCH_PORT,
	KNIT_WATCH_IFACE,
	KNIT_WATCH_HANDOFF, /* the queue to or from another worker */
	KNIT_WATCH_ENDS
};

#define KNIT_WATCH_RX 1
#define KNIT_WATCH_TX 2

/*
 * What can happen: identifier, word in JSON. See struct knit_watch_step for the fields. A new
 * decision (a class, a route) is an entry here and a text in tools/knit/trace.c.
 */
#define KNIT_WATCH_STEP_TABLE(X)                                                                   \
	X(RECEIVED, received) /* end, index, value: queue or pair */                               \
	X(DECIDED, decided)   /* index: enum knit_watch_why */                                     \
	X(CHANGED, changed)   /* value: frames that software made of it: its offloads were done */ \
	X(HANDED, handed)     /* end, index, value: queue or pair */                               \
	X(DROPPED, dropped)   /* index: enum knit_worker_drop, value: frames */

enum knit_watch_what {
#define X(id, name) KNIT_WATCH_##id,
	KNIT_WATCH_STEP_TABLE(X)
#undef X
	KNIT_WATCH_WHATS,
};

/* Why a packet went where it went: identifier, word in JSON, text. */
#define KNIT_WATCH_WHY_TABLE(X)                                                      \
	X(ONLY, only, "there is one way from here")                                  \
	X(GROUP, group, "for the kernel: to a group of stations")                    \
	X(OWN, own, "for the kernel: to the port's address")                         \
	X(FURTHER, further, "for the kernel: to a further address of its interface") \
	X(OTHER, other, "for the other side: to no address of the port")

enum knit_watch_why {
#define X(id, name, text) KNIT_WATCH_WHY_##id,
	KNIT_WATCH_WHY_TABLE(X)
#undef X
	KNIT_WATCH_WHYS,
};

struct knit_watch_step {
	uint64_t tsc;
	uint8_t what;	/* enum knit_watch_what */
	uint8_t end;	/* enum knit_watch_end */
	uint16_t index; /* of the port, the interface or the worker in the topology */
	uint32_t value;
};

#define KNIT_WATCH_STEPS 8
#define KNIT_WATCH_SNAP_MIN 64
#define KNIT_WATCH_SNAP_MAX 65535

struct knit_watch_record {
	uint32_t size;	   /* with data and padding; a multiple of 8 */
	uint32_t serial;   /* of the watch; 0: no packet, the rest of the ring's end */
	uint32_t len;	   /* of the packet */
	uint32_t captured; /* bytes of data; a VLAN tag that the device took off is in it */
	uint64_t flags;	   /* ol_flags of the mbuf */
	uint8_t end;	   /* where it was watched: a port or an interface */
	uint8_t direction; /* KNIT_WATCH_RX or _TX there */
	uint16_t index;
	uint32_t n_steps;
	struct knit_watch_step steps[KNIT_WATCH_STEPS];
	uint8_t data[];
};

#define KNIT_WATCH_RECORD_MAX (sizeof(struct knit_watch_record) + KNIT_WATCH_SNAP_MAX + 1)

/* Classic BPF, as pcap_compile makes it for Ethernet: struct bpf_insn. */
struct knit_watch_insn {
	uint16_t code;
	uint8_t jt;
	uint8_t jf;
	uint32_t k;
};

#define KNIT_WATCH_INSNS 512
#define KNIT_WATCH_OBJECTS 32

struct knit_watch_object {
	uint32_t end;	     /* KNIT_WATCH_PORT or _IFACE; _NOWHERE: the worker of that id */
	uint32_t directions; /* KNIT_WATCH_RX, _TX */
	uint32_t worker;
	char name[32];
};

/* KNIT_COMMAND_WATCH, a request: without head, and with n_insns elements of insns. */
struct knit_watch_request {
	uint32_t snaplen;    /* bytes of each packet, KNIT_WATCH_SNAP_MIN to _MAX */
	uint32_t share;	     /* percent of a worker's time at most, 1 to 100 (no limit) */
	uint32_t journeys;   /* 1: each packet once, wherever it passes; 0: at each place */
	uint32_t directions; /* of all ports and interfaces, if there is none among the objects */
	uint64_t limit;	     /* the command ends after so many; 0: it does not */
	uint32_t n_objects;  /* no worker among them: all workers */
	uint32_t n_insns;    /* 0: all packets */
	struct knit_watch_object objects[KNIT_WATCH_OBJECTS];
	struct knit_watch_insn insns[];
};

/* Since the watch began; of all workers. */
struct knit_watch_counts {
	uint64_t seen;	  /* packets that passed a watched place */
	uint64_t skipped; /* of these, not looked at: the share of time was used up */
	uint64_t matched; /* of these, that the filter chose */
	uint64_t lost;	  /* of these, for which the ring had no room */
	uint64_t damaged; /* records that are none: a fault of a worker; counted by the primary */
};

/* KNIT_COMMAND_WATCHING: the first answer, as soon as workers watch. Indexes mean these. */
#define KNIT_WATCH_PORTS 64
#define KNIT_WATCH_IFACES 64
#define KNIT_WATCH_WORKERS 16

struct knit_watch_begin {
	struct knit_command_head head;
	uint64_t tsc_hz;
	uint32_t serial;
	uint32_t late; /* workers that do not watch yet; each one begins when it can */
	uint32_t n_ports, n_ifaces, n_workers;
	uint32_t worker[KNIT_WATCH_WORKERS]; /* ids */
	char port[KNIT_WATCH_PORTS][32];
	char iface[KNIT_WATCH_IFACES][32];
};

/* KNIT_COMMAND_WATCHED: records of one worker, one behind the other; also none. */
struct knit_watch_records {
	struct knit_command_head head;
	uint32_t worker; /* index */
	uint32_t pad;
	uint64_t tsc; /* the same moment as ns */
	uint64_t ns;  /* since 1970 */
	struct knit_watch_counts counts;
	uint8_t records[]; /* struct knit_watch_record */
};

#endif
