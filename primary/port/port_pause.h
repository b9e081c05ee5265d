/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PORT_PORT_PAUSE_H
#define KNIT_PRIMARY_PORT_PORT_PAUSE_H

#include "primary.h"

/*
 * port_hold is called before ports (a bit each) are restarted. The carrier of their interfaces then
 * stays as it is. After port_unhold, a carrier that is on stays on until the link is up again, but
 * not longer than five seconds: a copper link takes seconds. A carrier that is off follows the link
 * at once.
 */
void port_hold(struct primary *p, uint64_t ports);
void port_unhold(struct primary *p, uint64_t ports);
/*
 * For changes that a running port does not allow. port_pause makes sure that no process attaches,
 * parks the workers of the port, and holds the port. The caller then stops the port and starts it
 * again, and port_go_on ends the pause.
 *
 * port_pause returns 0, or -errno with the reason in why; nothing has changed then. -EINPROGRESS: a
 * process is attaching, which takes a second at most. No other process can start to attach until
 * the caller tries again or calls knit_rundir_unblock_attach.
 *
 * started: what port_start returned. If that was an error, port_go_on returns an error, too. The
 * port was removed, or the primary will restart. Nobody may use the port then.
 */
int port_pause(struct primary *p, unsigned int i, char *why, size_t len);
int port_go_on(struct primary *p, unsigned int i, int started);
/* Main thread: whether the port is held. up: its link is up now. */
bool port_held(struct port *port, bool up);

#endif
