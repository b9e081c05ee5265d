/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_FORWARD_H
#define KNIT_FORWARD_H

#include "datapath.h"
#include "system/command/watch.h"

/*
 * The decision between receive and send: the index of an output for each packet of one input's
 * burst. It may read and change packets, but it keeps none and sends none. Routing (a table, a
 * neighbour's address, a lower TTL) has its place behind this one call.
 */
#define KNIT_OUT_MIXED UINT16_MAX

/*
 * Packet path. Returns the output of all packets of b. KNIT_OUT_MIXED: to[i] is the output of
 * b->m[i].
 */
uint16_t knit_forward(const struct knit_input *in, const struct knit_burst *b, uint16_t *to);
/* Why it decided so for m; for who watches. */
enum knit_watch_why knit_forward_why(const struct knit_input *in, const struct rte_mbuf *m);

#endif
