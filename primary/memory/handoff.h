/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_MEMORY_HANDOFF_H
#define KNIT_PRIMARY_MEMORY_HANDOFF_H

#include "primary.h"

/*
 * The hand-off queues of workers that have no transmit queue of their own (topology/handoff.h).
 * Created after all ports were opened. reset: all queues that worker w uses, whose domain is reset;
 * returns how many of its mbufs were in them.
 */
int primary_handoffs_create(struct primary *p);
unsigned int primary_handoffs_reset(struct primary *p, unsigned int w);
void primary_handoffs_drain(struct primary *p);

#endif
