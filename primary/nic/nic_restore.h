/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_NICS_BACK_H
#define KNIT_NICS_BACK_H

#include "system/bind/bind.h"

/*
 * What this primary's devices had before, and the way back. One process has one set of records, in
 * memory and in /run/knit/<prefix>/bound; each change is written before what it tells of is done.
 * Main thread. 0 or -errno, with a message on stderr.
 */

/*
 * Of a predecessor. Those that wanted says false to go back; one that can't, for somebody has it or
 * its driver is not there any more, stays remembered, with a message.
 */
int nic_restore_settle(const char *prefix,
		       bool (*wanted)(const struct knit_bind_record *r, const void *arg),
		       const void *arg);

/* The device is about to go to driver. What a predecessor that bound it remembered stays. */
int nic_record(const char *prefix, const struct knit_pci *dev, const char *driver);

/* vfio's mode without an IOMMU is about to be switched on. */
int nic_record_noiommu(const char *prefix);

/* One that did not become ours. */
int nic_restore(const char *prefix, const char *name);

void nic_report_all(const char *what, const char *remedy);

/* How long a device's users are waited for: secondaries of a killed primary notice in a second. */
#define NICS_USERS_MS 5000

#endif
