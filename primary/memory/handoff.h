/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_MEMORY_HANDOFF_H
#define KNIT_PRIMARY_MEMORY_HANDOFF_H

#include "primary.h"

/*
 * The queues of workers without a transmit queue of their own, see topology/handoff.h.
 * Created when all ports are open. reset: all with an end of worker w, whose domain is reset;
 * returns how many of its mbufs were in them.
 */
int primary_handoffs_create(struct primary *p);
unsigned int primary_handoffs_reset(struct primary *p, unsigned int w);
void primary_handoffs_drain(struct primary *p);

#endif
