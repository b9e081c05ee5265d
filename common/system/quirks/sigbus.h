/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_SIGBUS_H
#define KNIT_SIGBUS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A NIC that is taken away while a process drives it. Its registers are memory to the driver; once
 * the kernel has taken the mapping back, a touch of it is a SIGBUS, in the middle of a burst or of
 * a look at the link. Linux does so with sysfs's files up to 5.11 when the device goes, later when
 * another driver gets its registers or those of a successor at the same place. Each of knit's
 * processes therefore lets the access end: the handler puts empty memory in the place of the
 * mapping, the driver reads zeros (no link, nothing received) and writes to nobody, until the
 * primary hears of it (primary/port/port_removal.c).
 *
 * It handles pages that are not there (BUS_ADRERR) in mappings of devices only, those of sysfs's
 * resource files, /dev/uioN and vfio, which it looks up in /proc/self/maps. Every other SIGBUS,
 * hugepages that are missing or memory that is broken, ends the process as it always did. EAL puts
 * its own handler in front while it makes hugepages, and takes it away again.
 *
 * The handler makes system calls and nothing else: it takes no lock, allocates nothing and writes
 * only to its own static memory and to the counter. A process that dies in it leaves nothing.
 */

/* Before EAL: threads that may touch a device must not block SIGBUS. Does not fail. */
void knit_sigbus_init(void);

/* Mappings replaced are counted there, by atomic additions. May be shared. */
void knit_sigbus_count(uint64_t *faults);

/* Any thread: zeros in place of what this process has mapped of a PCI device through sysfs. */
void knit_sigbus_blank(const char *pci);

/*
 * One line of /proc/PID/maps, ended by a zero: whether addr is in it, and it is a device. Then its
 * bounds. Pure logic.
 */
bool knit_sigbus_match(const char *line, uintptr_t addr, uintptr_t *start, uintptr_t *end);

#endif
