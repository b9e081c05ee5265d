/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_NIC_RESTORE_H
#define KNIT_NIC_RESTORE_H

#include "system/bind/bind.h"

/*
 * Records of the driver that each device had before this primary bound it, and the restore from
 * them. A process has one set of records: in memory, and in /run/knit/<prefix>/bound. A record is
 * written before the change that it describes. Main thread. 0 or -errno, with a message on stderr.
 */

/*
 * Reads the records of a predecessor and restores each device for which wanted returns false. A
 * device cannot be restored while a process uses it, or if its driver is not loaded any more. It
 * then keeps its record, and a message says so.
 */
int nic_restore_settle(const char *prefix,
		       bool (*wanted)(const struct knit_bind_record *r, const void *arg),
		       const void *arg);

/*
 * Called before the device is bound to driver. If a predecessor bound the device, the older record
 * stays.
 */
int nic_record(const char *prefix, const struct knit_pci *dev, const char *driver);

/* Called before vfio's mode without an IOMMU is switched on. */
int nic_record_noiommu(const char *prefix);

/* Restores one device, after its bind failed. */
int nic_restore(const char *prefix, const char *name);

void nic_report_all(const char *what, const char *remedy);

/*
 * How long to wait for processes that use a device. A secondary notices within a second that its
 * primary was killed.
 */
#define NICS_USERS_MS 5000

#endif
