/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PORT_PORT_H
#define KNIT_PRIMARY_PORT_PORT_H

#include "primary.h"

/*
 * Open, start and stop ports. 0 or -errno, logged. port_start returns 1 if the driver has chosen
 * other burst functions than at the first start. Running workers would then call the old ones.
 */
int primary_ports_open(struct primary *p);
void primary_ports_close(struct primary *p);
int port_start(struct primary *p, unsigned int i);
/*
 * Moves the calling thread to the network namespace of the port's device; knit_netns_leave moves it
 * back.
 */
int port_enter(struct port *port, int *saved);
int port_stop(struct primary *p, unsigned int i);
#endif
