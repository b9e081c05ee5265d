/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_HANDLER_FAKE_H
#define KNIT_HANDLER_FAKE_H

#include "unit.h"

#include "kni/control/handler.h"

#include <sys/types.h>

/*
 * The handler's side against an engine's side made of a second pair of private halves. All memory
 * is shared with forked children, as an interface's is.
 */
struct knit_fake {
	struct rte_kni kni;
	struct knit_ring req_q;	 /* engine: producer */
	struct knit_ring resp_q; /* engine: consumer */
	uint32_t calls;
	uint32_t value;	  /* of the last call */
	uint8_t mac[6];	  /* likewise */
	int result;	  /* what callbacks return */
	uint32_t in_call; /* a callback runs, until go is set */
	uint32_t go;
	uint32_t cancel; /* callbacks cancel this sequence number, like a caller that gives up */
	_Alignas(64) char shm[65536];
};

/* Made before each test, unmapped after it. */
extern struct knit_fake *knit_fake;
/* Callbacks that note in struct knit_fake what they are called with. */
extern const struct knit_handler_ops knit_fake_ops;

struct knit_iface_state *knit_fake_state(void);

/* Handler: knit_handler_claim, and knit_handler_serve of one request. */
int knit_fake_claim(const struct knit_handler_ops *ops, bool fixed);
int knit_fake_serve(void);

/* Engine: puts a request into req_q; takes the next answer, which must be to that request. */
void knit_fake_submit(const struct knit_req *req);
void knit_fake_sync(uint32_t seq, uint16_t kind, uint32_t value);
int knit_fake_answer_to(uint32_t seq);
void knit_fake_no_answer(void);

/* Waits for a child: its exit code, or -1. */
int knit_fake_reap(pid_t pid);

/* Adds a test that runs once for each _i below variants. */
TCase *knit_fake_add(Suite *s, const TTest *test, int variants);

#endif
