/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_CONTROL_PORT_REQUEST_H
#define KNIT_CONTROL_PORT_REQUEST_H

struct control_iface;
struct knit_msg;
struct knit_topo_rxlist;

/*
 * Sends m to the primary, which carries it out on the port of i, and waits for the answer. The
 * caller fills in the operation and its operand. The request is repeated until there is an answer.
 * 0 or a negative errno; the result is logged. -ETIMEDOUT: this process must end before an answer
 * came, and the primary may still carry the request out.
 */
int control_request(struct control_iface *i, struct knit_msg *m);

/* The same for a receive list, which is passed in shared memory. */
int control_request_rxlist(struct control_iface *i, const struct knit_topo_rxlist *list);

#endif
