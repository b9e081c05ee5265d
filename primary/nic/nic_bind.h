/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_NIC_BIND_H
#define KNIT_NIC_BIND_H

#include <stdbool.h>

struct knit_config;
struct primary;

/*
 * The PCI devices of the configuration: bound before EAL starts, restored after it has ended
 * (system/bind/bind.h). Main thread. Messages go to stderr, like those of preflight.c.
 *
 * Another program restores them. EAL 22.11 leaves devices open and mapped when it ends, and the
 * kernel does not take an open device from vfio-pci. So the process replaces itself by execve (same
 * pid, nothing open, nothing mapped) with one that only restores devices, and ends with the exit
 * code it was given.
 *
 * Each device is locked (knit_bind_lock) before it is examined and until it is restored, also
 * across that execve. Between the bind and the moment when EAL opens the device, another primary
 * would else find it unused and on the right driver. A device with the driver "keep" on a driver of
 * the kernel is not locked: several processes may share it.
 *
 * Before an exit with the code that asks for a new start, devices are not restored: something else
 * could start to use their interfaces in between. The next start finds them as after a kill; if
 * there is none, --restore restores them.
 */

enum primary_nic {
	PRIMARY_NIC_GOOD,
	PRIMARY_NIC_DISPENSABLE, /* an optional port starts without it */
	PRIMARY_NIC_MISSING,
};

/* Reports one device; remedy is for one that is not good. */
typedef void (*nic_report)(enum primary_nic nic, const char *what, const char *remedy);

/*
 * Whether every PCI port can be bound as configured; false: one is missing. Changes nothing.
 * patient: waits for processes that have a device open, up to 5 s for all devices; nic_bind then
 * has what is left of that time.
 */
bool nic_check(const struct knit_config *conf, bool patient, nic_report tell);

/*
 * After the run directory was made: restores what a predecessor bound and this configuration does
 * not bind, then binds. An optional port whose device cannot be bound is marked absent. 0 or
 * -errno, with a message; what was bound until then must be restored.
 */
int nic_bind(struct primary *p);

/*
 * Last step, after EAL has ended. If there is something to restore it does not return: the process
 * ends with code. Otherwise the caller goes on.
 */
void nic_restore_all(const struct knit_config *conf, int code);

/*
 * What the process is after that execve: knit-primary --restore PREFIX --exit-code N. Returns the
 * exit code: code; or the result, if code is 0, or negative because no --exit-code was given.
 */
int nic_restore_run(const char *prefix, int code);

#endif
