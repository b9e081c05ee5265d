/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_UNIT_WATCH_RIG_H
#define KNIT_UNIT_WATCH_RIG_H

#include "worker/datapath/datapath.h"
#include "worker/watch.h"

#include <pcap/pcap.h>

/*
 * A worker with a port, left, whose frames go to interface kl or port right, and a second input,
 * from another worker. Its receive and send functions are those of this file.
 */
#define N 64
enum {
	OUT_NONE,
	OUT_IFACE,
	OUT_RIGHT,
	OUT_HANDOFF
};
enum {
	IN_LEFT,
	IN_HANDOFF
};

extern struct knit_topo topo;
extern struct knit_worker w;
extern struct knit_watch *watch;
extern struct rte_mbuf mbufs[N], *ptrs[N];
extern uint8_t data[N][128];
extern uint32_t n_received;
extern uint32_t sent[4];
/* Of each send, the last n_lost are lost for that reason. */
extern enum knit_worker_drop why;
extern uint32_t n_lost;

extern const uint8_t own[6], other[6];

void frame(unsigned int i, const uint8_t dst[6], uint16_t len);

/* All of it; and then as a worker that has found its ring. */
void setup(void);
void open_watch(void);

/* What to watch is in watch->spec. */
void follow(uint32_t serial);
void filter(const char *text);

/* One burst of an input to one output. */
void pass(unsigned int input, unsigned int output);

/* The next record; NULL: there is none. taken: all up to here are read. */
const struct knit_watch_record *next(void);
void taken(void);
void check_step(const struct knit_watch_record *r, unsigned int i, enum knit_watch_what what,
		enum knit_watch_end end, unsigned int index, unsigned int value);

#endif
