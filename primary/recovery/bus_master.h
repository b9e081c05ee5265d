/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_RECOVERY_BUS_MASTER_H
#define KNIT_PRIMARY_RECOVERY_BUS_MASTER_H

#include "primary.h"

/*
 * Bus mastering of ports on uio_pci_generic. That driver switches off bus mastering of a NIC
 * whenever a process closes /dev/uioN, also when the process ends. (igb_uio does so only at the
 * last close of the device, vfio only at the last close of the group.) So the primary keeps a copy
 * of each secondary's file descriptor, and the kernel sees no close before the primary ends. Copies
 * of processes that have ended are kept as well. When there is no more room, all copies are closed.
 *
 * Two kinds of processes have no copy: those that end before they are ready, and those that are not
 * of knit. inotify reports their close, and bus mastering is switched on again. Meanwhile the NIC
 * could not write to some descriptors, and the driver would wait for each of these for ever. So the
 * port is stopped and started, unless the reset of a domain has done that. A device of virtio stops
 * working, and is initialised in between. If the driver allows neither (KNIT_RESET_NONE), the
 * primary restarts.
 *
 * Port thread. bus_master_open is called before it starts.
 */
void bus_master_open(struct primary *p);
/* An fd that becomes readable when bus_master_poll has work; -1: none. */
int bus_master_fd(void);
/* Process pid, which has this registry entry, has opened its devices. */
void bus_master_keep(const struct primary *p, unsigned int i, pid_t pid);
/* Called in each turn of the port thread. */
void bus_master_poll(struct primary *p);
/*
 * Stops and starts ports. True: nothing is left to do. False: a worker does not park; call it again
 * later.
 */
bool bus_master_recover(struct primary *p);

#endif
