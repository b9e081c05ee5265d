/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_HANDOVER_OPEN_H
#define KNIT_HANDOVER_OPEN_H

struct knit_msg;
struct primary;

/*
 * Port thread: opens what KNIT_OP_DOORBELL or KNIT_OP_ROLE asks for, if the sender's role has a
 * right to it. A new fd, or a negative errno.
 */
int handover_open(struct primary *p, struct knit_msg *m);

#endif
