/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_MEMORY_HANDOFF_H
#define KNIT_PRIMARY_MEMORY_HANDOFF_H

#include "primary.h"

/*
 * The hand-off queues of workers that have no transmit queue of their own (topology/handoff.h).
 *
 * create: called after all ports were opened. reset: empties all queues that worker w uses. Its
 * domain is being reset. Returns how many mbufs of dead producers were in them. drain: called at
 * the end. Frees what is in the queues, except in those of a dead worker.
 */
int primary_handoffs_create(struct primary *p);
/*
 * One, in a plan that is not in force yet: from worker w to the one that has its transmit queue on
 * the port. And the end of one that nobody uses any more.
 */
int primary_handoff_create(const struct primary *p, struct knit_plan *plan, unsigned int port,
			   unsigned int w, uint32_t tx_desc);
void primary_handoff_free(struct knit_handoff *x);
unsigned int primary_handoffs_reset(struct primary *p, unsigned int w);
void primary_handoffs_drain(struct primary *p);

#endif
