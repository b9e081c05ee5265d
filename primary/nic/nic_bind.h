/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_NIC_BIND_H
#define KNIT_NIC_BIND_H

#include <stdbool.h>

struct knit_config;
struct primary;

/*
 * The PCI devices of the configuration. They are bound before EAL starts and restored after it has
 * ended (system/bind/bind.h). Main thread. Messages go to stderr, like those of preflight.c.
 *
 * A process image without EAL restores them. EAL 22.11 leaves devices open and mapped when it ends,
 * and the kernel does not take an open device from vfio-pci. So the process replaces itself by
 * execve. It keeps its pid, but nothing is open or mapped any more. It restores the devices and
 * ends with the exit code that it was given.
 *
 * Each device is locked (knit_bind_lock) before it is examined and until it is restored, also
 * across that execve. Without the lock, another primary could take the device between the bind and
 * the moment when EAL opens it. A device with the driver "keep" on a driver of the kernel is not
 * locked: several processes may share it.
 *
 * Devices are not restored before an exit with the code that asks for a restart. Otherwise
 * something else could start to use their interfaces in between. The next start finds the devices
 * as after a kill. If there is no next start, --restore restores them.
 */

enum primary_nic {
	PRIMARY_NIC_GOOD,
	PRIMARY_NIC_DISPENSABLE, /* an optional port starts without it */
	PRIMARY_NIC_MISSING,
};

/* Reports one device. why has a remedy only if the device is not good. */
struct knit_bind_why;
typedef void (*nic_report)(enum primary_nic nic, const struct knit_bind_why *why);

/*
 * Whether every PCI port can be bound as configured; false: one is missing. Changes nothing.
 * patient: waits for processes that have a device open, up to 5 s for all devices together.
 * nic_bind waits only for the rest of that time.
 */
bool nic_check(const struct knit_config *conf, bool patient, nic_report tell);

/*
 * Called after the run directory was made. First restores the devices that a predecessor bound and
 * that this configuration does not bind. Then binds the devices of the configuration. An optional
 * port whose device cannot be bound is marked absent. 0, or -errno with a message. After an error
 * the caller must restore the devices that were bound before it.
 */
int nic_bind(struct primary *p);

/*
 * The last step, after EAL has ended. If there is something to restore, it does not return, and the
 * process ends with code. Otherwise it returns.
 */
void nic_restore_all(const struct knit_config *conf, int code);

/*
 * The program after that execve: knit-primary --restore PREFIX --exit-code N. code is N, or
 * negative if there is no --exit-code. Returns the exit code: code if it is positive, else the
 * result of the restore.
 */
int nic_restore_run(const char *prefix, int code);

#endif
