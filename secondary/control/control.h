/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_CONTROL_H
#define KNIT_CONTROL_H

#include "kni/control/handler.h"
#include "system/session/msg.h"
#include "system/session/secondary.h"
#include "system/topology/topo.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The control process: the handler of every interface. What the kernel asks of an interface it
 * asks the primary to do to the interface's port, and answers with the primary's answer.
 *
 *   loop.c    sleeps until an engine or the primary rings, serves requests (handler.c)
 *   apply.c   the handler's callbacks: what differs from the port's state        -> port_request.c
 *   port_request.c   one message to the primary, and its answer
 *
 * One thread does all of it. The kernel may hold RTNL until it has its answer, so this thread must
 * never need RTNL: no netlink, no ioctl on a network device, nothing that waits for either.
 */

/* What a port was last told. What is not known is told again, whatever it is. */
struct applied {
	uint32_t known; /* bit of enum knit_op: the value below is in force */
	bool up;
	bool promisc;
	bool allmulti;
	uint8_t mac[6];
	uint32_t mtu;
	struct knit_topo_rxlist rxlist;
};

struct control_iface {
	struct control *control;
	const struct knit_topo_iface *topo;
	bool claimed;
	struct applied applied;
};

struct control {
	struct knit_secondary secondary;
	struct knit_topo *topo;
	int signals;	 /* signalfd of those that end the process */
	bool waiting;	 /* the primary is asked on, and that was said */
	bool gave_up;	 /* one answer did not come before it was time to end: no more questions */
	uint32_t starts; /* of all ports, when their fds were last looked for */
	int64_t look_until; /* ms: they may still be coming */
	struct control_iface ifaces[KNIT_MAX_CONF_IFACES];
};

/* claim.c: the role of handler, of all interfaces. enum knit_exit */
int control_claim(struct control *c);
void control_unclaim(struct control *c);

/* apply.c: arg is a struct control_iface */
extern const struct knit_handler_ops control_ops;

/*
 * port_request.c: has the primary carry m out, op and operand filled in, on the port behind i. 0 or
 * a negative errno; a refusal and a change are logged. Asks until there is an answer. -ETIMEDOUT:
 * this process was to end first, and it may still happen.
 */
int control_ask(struct control_iface *i, struct knit_msg *m);

/* Puts the lists where the primary reads them, and asks. Errors as above. */
int control_ask_rxlist(struct control_iface *i, const struct knit_topo_rxlist *list);

/* net_tap.c: fds of net_tap, of which control uses none. Closes those of EAL's set-up. */
void control_net_tap_init(struct control *c);
/*
 * Closes those that came with a start of a port. How long to sleep until the next look in ms, -1:
 * no need.
 */
int control_net_tap_poll(struct control *c);

/* loop.c: until a signal, or the primary, ends it. enum knit_exit */
int control_run(struct control *c);

/*
 * signals.c: blocks those that end the process for all threads to come; an fd to poll instead, or
 * -errno.
 */
int control_signals(void);

/* options.c: -1 to go on, else the exit code. */
int control_options(struct control *c, int argc, char **argv);

#endif
