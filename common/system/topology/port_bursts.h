/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PORT_BURSTS_H
#define KNIT_PORT_BURSTS_H

#include "topo.h"

/*
 * A secondary takes from a port, when it attaches, which functions send and receive there and where
 * their queues are. If the port is made later, EAL tells the secondary of it before there is a
 * queue, and before the driver knows which functions it is going to need. So the primary tells of
 * its own after each start, and a secondary that was there before the port follows.
 *
 * Functions have another address in each process. They are compared by the file they are in and
 * their place in it. knit-primary and knit-worker load the same drivers from the same files. If a
 * driver is linked into them they differ, and a worker has to start anew.
 */

/* Primary: after a start of the port. */
void knit_port_bursts_tell(struct knit_topo_port *port);

/*
 * Secondary: before it uses a port. 0; -ENODEV: EAL here does not know the port; -ESTALE: the
 * functions here are other ones, so this process has to start anew.
 */
int knit_port_bursts_follow(const struct knit_topo_port *port);

#endif
