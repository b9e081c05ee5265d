/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_CONTROL_H
#define KNIT_CONTROL_H

#include "kni/control/handler.h"
#include "system/process/notify.h"
#include "system/session/msg.h"
#include "system/session/secondary.h"
#include "system/topology/topo.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The control process is the handler of every interface. It forwards each request of the kernel to
 * the primary. The primary changes the interface's port. Control passes its answer on to the
 * kernel.
 *
 *   loop.c          sleeps until a doorbell rings, then serves requests (kni/control/handler.c)
 *   apply.c         the handler's callbacks: request only what differs from the port's state
 *   port_request.c  sends one request to the primary and waits for the answer
 *
 * One thread does all of it. The kernel may hold RTNL until it has the answer, so this thread must
 * never need RTNL: no netlink, no ioctl on a network device, nothing that waits for either.
 */

/*
 * The settings that an interface's port has. A setting that is not known is requested from the
 * primary, whatever its value.
 */
struct applied {
	uint32_t known; /* a bit for each enum knit_op whose value below is known */
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
	struct rte_kni *kni; /* NULL: this process is not its handler */
	int16_t port;	     /* of the plan that it was claimed by */
	uint32_t port_made;
	struct applied applied;
};

struct control {
	struct knit_secondary secondary;
	struct knit_topo *topo;
	struct knit_beat beat;
	int signals;	    /* signalfd: the process shall end */
	bool waiting;	    /* a request is being repeated, and the log says so */
	bool gave_up;	    /* the process had to end before an answer came: no more requests */
	uint32_t plan;	    /* its number, that this process follows */
	uint32_t starts;    /* of all ports, at the last search for their fds */
	int64_t poll_until; /* ms; until then new fds may arrive */
	struct control_iface ifaces[KNIT_MAX_CONF_IFACES];
};

/* Tells systemd what control does. */
static inline void control_status(const struct control *c)
{
	knit_notify_status("serves %u interfaces%s", knit_topo_count_ifaces(c->topo),
			   c->waiting ? ", and waits for an answer of the primary" : "");
}

#endif
