/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PORT_PORT_REMOVAL_H
#define KNIT_PRIMARY_PORT_PORT_REMOVAL_H

#include "primary.h"

/*
 * Removal: a PCI device is pulled or unbound while its port is in use.
 *
 *   main thread   sees that the device has no driver any more, or another one. (The kernel removes
 *                 the link in sysfs before it tells the driver.) It sets topo->removed, which is
 *                 never cleared. From now on the carrier is off.
 *   port thread   checks the same before and after it works on the port. It clears admin_up for
 *                 good. Workers read admin_up for each burst. They no longer receive or send there,
 *                 and count drops as port_down.
 *
 * vfio delays the removal, and the device works until every process has closed it. The port thread
 * parks the workers, so that buffers can return to their pools. Then EAL detaches the device, first
 * in the secondaries and then here. This fails if a worker does not park, or if a process does not
 * answer EAL. The port thread then tries again later. No process is left without the device,
 * because EAL attaches it again where it was detached. If a domain waits for its reset on such a
 * port, the reset comes first. A process that dies while it detaches may hold a lock of EAL, as
 * during its set-up and clean-up. The next process that needs the lock then waits.
 *
 * uio does not delay the removal. Reads of registers then return ones, or an access raises SIGBUS
 * (sigbus.h). The driver takes seconds to close a device that does not answer, and workers must not
 * stop for so long. So the port stays as it is until the end, or until the reset of a domain with a
 * queue on it. Then port_removal_blank is called before the port is stopped. It replaces registers
 * by zeros if they belong to no driver or to another one.
 */
/* Main thread, after the ports were opened and before the port thread starts. */
void port_removal_watch(struct primary *p);
/*
 * Main thread, in each turn of its loop; one system call for each device. True: a device was
 * removed since the last call, and the port thread must be woken.
 */
bool port_removal_poll(struct primary *p);
/* Port thread; one system call. True: removed. Workers know it from their next burst on. */
bool port_is_removed(const struct port *port);
/* Port thread. True: nothing is left to do. */
bool port_removal_release(struct primary *p);
/* Before the driver stops or closes a port. */
void port_removal_blank(const struct port *port);

#endif
