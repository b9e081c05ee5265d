/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PORT_PORT_REMOVAL_H
#define KNIT_PRIMARY_PORT_PORT_REMOVAL_H

#include "primary.h"

/*
 * A PCI device that is taken away, pulled or unbound, while its port is in use
 *
 *   main thread   sees that the device has no driver any more, or another one: the kernel takes the
 *                 link out of sysfs before it tells the driver. Stores topo->removed, which nobody
 *                 takes back; from now on the carrier is off.
 *   port thread   the same, before and after it has to do with the port. Stores admin_up = 0 for
 *                 good: workers, who read it for each burst anyway, neither receive nor send there,
 *                 and drop as port_down.
 *
 * vfio holds the removal, and the device works until everybody has let go of it: the port thread
 * parks its workers, so that buffers can go back to their pools, and has EAL detach the device in
 * the secondaries, then here. If that fails (a worker does not park, a process does not answer EAL)
 * it is tried again; nothing is half done then, EAL attaches the others again. A domain that waits
 * for its reset on such a port is reset first. A process that dies while it detaches may hold a
 * lock of EAL's, as in its own set-up and clean-up; the next one that needs it waits.
 *
 * uio waits for nobody. Registers then read as ones, or a touch is a SIGBUS (sigbus.h), and the
 * driver takes seconds to close what does not answer, for which workers need not stand still: the
 * port stays as it is until the end, or the reset of a domain with a queue on it. Before it is
 * stopped then zeros take the place of registers that are nobody's or another driver's.
 */
/* Main thread, once ports are open, before the port thread is there, which looks, too. */
void port_removal_watch(struct primary *p);
/*
 * Main thread, each turn; a system call for each device. True: one was taken away since the last
 * time, and the port thread shall look.
 */
bool port_removal_poll(struct primary *p);
/* Port thread, a system call. True: taken away, and from their next burst on workers know. */
bool port_is_removed(const struct port *port);
/* Port thread: true if nothing is left to do. */
bool port_removal_release(struct primary *p);
/* Before the driver stops or closes a port. */
void port_removal_blank(const struct port *port);

#endif
