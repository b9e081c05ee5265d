/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PORT_SETUP_H
#define KNIT_PRIMARY_PORT_SETUP_H

#include "primary.h"

/*
 * How a port is configured: numbers of queues and descriptors, offloads, MTU. It is chosen before
 * anything is changed, and then carried out while the port is stopped: at start, and when another
 * configuration comes into force. All is up to the port thread, at start the main thread.
 */

/*
 * Chooses it for port i by configuration c and plan, in which everything is at its place. If the
 * driver has fewer transmit queues than the plan gives the port, the plan is changed. The device is
 * there. 0, or -errno and why, a line that names the port.
 */
int port_setup_choose(const struct primary *p, unsigned int i, const struct knit_config *c,
		      struct knit_plan *plan, struct port_setup *setup, char *why, size_t len);

/* Whether the port would have to be set up anew for it. */
bool port_setup_differs(const struct port_setup *a, const struct port_setup *b);

/*
 * Configures the port by its `setup` and p's plan, and sets up all queues. The port is stopped, all
 * workers with a queue on it are parked or gone, and the caller is in its namespace. 0 or -errno,
 * logged.
 */
int port_set_up(struct primary *p, unsigned int i);

/* Only configures it, in the way that s says. Its queues must be set up after that. */
int port_configure(struct port *port, const struct port_setup *s);

/* All queues, with the pools of their workers. Those of dead workers get others. */
int port_setup_queues(struct primary *p, unsigned int i);

/*
 * Sets up the queues of worker w on port i with this pool. The port is stopped, or its driver can
 * set up queues of a running port.
 */
int port_queue_setup(struct primary *p, unsigned int i, unsigned int w, struct rte_mempool *pool);

#endif
