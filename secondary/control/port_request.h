/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_CONTROL_PORT_REQUEST_H
#define KNIT_CONTROL_PORT_REQUEST_H

struct control_iface;
struct knit_msg;
struct knit_topo_rxlist;

/*
 * Has the primary carry out m on the port of i; the caller fills in the operation and its operand.
 * 0 or a negative errno; the result is logged. Sends the request until there is an answer.
 * -ETIMEDOUT: this process has to end first, and the primary may still carry it out.
 */
int control_request(struct control_iface *i, struct knit_msg *m);

/* The same for a receive list, which goes through shared memory. */
int control_request_rxlist(struct control_iface *i, const struct knit_topo_rxlist *list);

#endif
