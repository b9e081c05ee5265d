/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_RECOVERY_BUS_MASTER_H
#define KNIT_PRIMARY_RECOVERY_BUS_MASTER_H

#include "primary.h"

/*
 * Bus mastering of ports on uio_pci_generic, which takes it from a NIC whenever a process lets go
 * of /dev/uioN, as each does that ends. (igb_uio waits for the last one, vfio for the group's.) So
 * this process keeps a copy of each secondary's file, and nobody lets go: the kernel sees an end of
 * the last one only. Copies of processes that ended are not told from others; when there is no more
 * room all are closed.
 *
 * What was not kept is a process that ends before it is ready, or is not knit's. inotify tells of
 * that, and bus mastering is given back. Descriptors that the NIC was to write to meanwhile are
 * never written, and the driver waits for each as soon as it comes round to it. So the port is
 * stopped and started, unless the reset of a dead worker's domain did that; with a driver that
 * can't be (KNIT_RESET_NONE) the primary starts anew.
 *
 * Port thread, but for open, which comes before it.
 */
void bus_master_open(struct primary *p);
/* Becomes readable when there is something to look at; -1. */
int bus_master_fd(void);
/* Process pid, of registry entry i, has opened its devices. */
void bus_master_keep(const struct primary *p, unsigned int i, pid_t pid);
/* Each turn. */
void bus_master_poll(struct primary *p);
/* The stop and start. True if nothing is left to do; else a worker does not park: again, later. */
bool bus_master_recover(struct primary *p);

#endif
