/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PORT_PORT_H
#define KNIT_PRIMARY_PORT_PORT_H

#include "primary.h"

/*
 * Bringing ports up and down. 0 or -errno, logged. port_start returns 1 if the driver took
 * other burst functions than before: workers that go on would call the old ones.
 */
int primary_ports_open(struct primary *p);
void primary_ports_close(struct primary *p);
int port_start(struct primary *p, unsigned int i);
/* The calling thread, to where its device is now; knit_netns_leave ends it. */
int port_enter(struct port *port, int *saved);
int port_stop(struct primary *p, unsigned int i);
/* The queues of worker w on port i, with pool; the port is stopped or can do it while started. */
int port_queue_setup(struct primary *p, unsigned int i, unsigned int w, struct rte_mempool *pool);

#endif
