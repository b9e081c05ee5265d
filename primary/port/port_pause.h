/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PORT_PORT_PAUSE_H
#define KNIT_PRIMARY_PORT_PORT_PAUSE_H

#include "primary.h"

/*
 * The ports, a bit each, will be restarted: the carrier of their interfaces stays as it is. After
 * port_unhold a carrier that is on stays on until the link is back, at most five seconds: on copper
 * that takes seconds. A carrier that is off follows the link at once.
 */
void port_hold(struct primary *p, uint64_t ports);
void port_unhold(struct primary *p, uint64_t ports);
/*
 * For changes that a running port does not allow. port_pause: no process attaches, the workers of
 * the port are parked, and the port is held. The caller then stops and starts the port, and
 * port_go_on undoes the pause.
 *
 * port_pause returns 0; or -errno and why, and nothing has changed. -EINPROGRESS: a process is
 * attaching, which takes a second at most. No other process starts to attach before the caller has
 * tried again or called knit_rundir_unblock_attach.
 *
 * started: what port_start returned. If that was an error, port_go_on returns one, too: the port
 * was removed, or the primary will restart. Until then nobody may use the port.
 */
int port_pause(struct primary *p, unsigned int i, char *why, size_t len);
int port_go_on(struct primary *p, unsigned int i, int started);
/* Main thread: whether the port is held. up: its link is up now. */
bool port_held(struct port *port, bool up);

#endif
