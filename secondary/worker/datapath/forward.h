/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_FORWARD_H
#define KNIT_FORWARD_H

#include "worker/worker.h"

/*
 * The seam between receiving and sending. It sees a burst of one input and names, for each packet,
 * the number of an output; it may read and change packets, but keeps none and sends none. What
 * routing needs (a table, a neighbour's address, one TTL less) goes behind this one call.
 */
#define KNIT_OUT_MIXED UINT16_MAX

/*
 * Packet path. Returns the output that all packets of b go to; or KNIT_OUT_MIXED, then to[i] is
 * the output of b->m[i].
 */
uint16_t knit_forward(const struct knit_input *in, const struct knit_burst *b, uint16_t *to);

#endif
