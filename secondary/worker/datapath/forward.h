/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_FORWARD_H
#define KNIT_FORWARD_H

#include "datapath.h"

/*
 * The decision between receiving and sending: for each packet of one input's burst, the index of an
 * output. It may read and change packets, but keeps none and sends none. What routing needs (a
 * table, a neighbour's address, a lower TTL) goes behind this one call.
 */
#define KNIT_OUT_MIXED UINT16_MAX

/*
 * Packet path. Returns the output of all packets of b; or KNIT_OUT_MIXED, then to[i] is the output
 * of b->m[i].
 */
uint16_t knit_forward(const struct knit_input *in, const struct knit_burst *b, uint16_t *to);

#endif
