/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PORT_PORT_PAUSE_H
#define KNIT_PRIMARY_PORT_PORT_PAUSE_H

#include "primary.h"

/*
 * Ports, a bit each, are about to be restarted: their interfaces' carrier stays as it is. After
 * port_unhold a carrier that is on stays so until the link is back, or LINK_BACK_MS at most: on
 * copper that takes seconds. One that is off goes on with the link.
 */
void port_hold(struct primary *p, uint64_t ports);
void port_unhold(struct primary *p, uint64_t ports);
/*
 * For what a running port does not do: nobody attaches, its workers are parked and the port held;
 * then, after the caller stopped and started it, all as before. 0, or -errno and why; nothing
 * has changed then. -EINPROGRESS: somebody is on his way in, which takes a second at most. Nobody
 * else comes in before the caller has tried again, or called knit_rundir_unblock_attach.
 * started: what port_start returned. If that was an error so is this: the port is gone, or the
 * primary will start anew, and nobody may use the port until then.
 */
int port_pause(struct primary *p, unsigned int i, char *why, size_t len);
int port_go_on(struct primary *p, unsigned int i, int started);
/* Main thread: is the port held, its link being up or down now? */
bool port_held(struct port *port, bool up);

#endif
