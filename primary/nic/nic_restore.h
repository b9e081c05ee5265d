/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_NIC_RESTORE_H
#define KNIT_NIC_RESTORE_H

#include "system/bind/bind.h"

/*
 * Records of what each device had before this primary bound it, and the way back. A process has one
 * set of records: in memory, and in /run/knit/<prefix>/bound. A record is written before the change
 * that it describes is made. Main thread. 0 or -errno, with a message on stderr.
 */

/*
 * The records of a predecessor: restores each device for which wanted returns false. A device that
 * cannot be restored, because a process uses it or its driver is not loaded any more, keeps its
 * record, and a message says so.
 */
int nic_restore_settle(const char *prefix,
		       bool (*wanted)(const struct knit_bind_record *r, const void *arg),
		       const void *arg);

/* The device will be bound to driver next. If a predecessor bound it, the older record stays. */
int nic_record(const char *prefix, const struct knit_pci *dev, const char *driver);

/* The mode of vfio without an IOMMU will be switched on next. */
int nic_record_noiommu(const char *prefix);

/* Restores one device, after its bind failed. */
int nic_restore(const char *prefix, const char *name);

void nic_report_all(const char *what, const char *remedy);

/*
 * How long to wait for processes that use a device: secondaries notice within a second that their
 * primary was killed.
 */
#define NICS_USERS_MS 5000

#endif
