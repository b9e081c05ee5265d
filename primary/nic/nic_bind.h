/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_NICS_H
#define KNIT_NICS_H

#include <stdbool.h>

struct knit_config;
struct primary;

/*
 * The configuration's PCI devices, taken from the kernel before EAL starts and given back when it
 * has ended (common/system/bind/bind.h). All in the main thread. Messages go to stderr, as those of
 * preflight.c.
 *
 * Devices are given back by a program that is not the primary any more: EAL 22.11 leaves devices
 * open and mapped when it ends, and the kernel lets nobody take an open device from vfio-pci. So
 * the process replaces itself (execve: same pid, nothing open, nothing mapped) with one that does
 * nothing else, and ends with the exit code it was given.
 *
 * Each device is locked (knit_bind_lock) from before it is looked at until it is back, across that
 * execve: between the bind and EAL's opening it, another primary would find it on the driver it
 * wants and used by nobody. One on "keep" that a driver of the kernel's has is not: two processes
 * may work beside that.
 *
 * Before the exit code that asks for a new start they are not: while nobody has them, something
 * else could take their interfaces into use. The next start finds them as after a kill, and if
 * there is none, --restore does.
 */

enum primary_nic {
	PRIMARY_NIC_GOOD,
	PRIMARY_NIC_DISPENSABLE, /* an optional port starts without it */
	PRIMARY_NIC_MISSING,
};

/* Tells of one device, and if it is not good, the remedy. */
typedef void (*nic_report)(enum primary_nic nic, const char *what, const char *remedy);

/*
 * Whether every PCI port can be bound as configured, touching nothing. False: one is missing.
 * patient: waits for those that have a device open, up to 5 s for all of them; nic_bind
 * goes on with what is left of that.
 */
bool nic_check(const struct knit_config *conf, bool patient, nic_report tell);

/*
 * After the run directory was made: gives back what a predecessor left and this configuration does
 * not bind, then binds. An optional port that can't be bound is marked absent. 0 or -errno, with a
 * message; what was bound by then is to be given back.
 */
int nic_bind(struct primary *p);

/*
 * Last step, nothing of EAL's is used any more: does not return if there is something to give back,
 * but ends with code. Else the caller goes on.
 */
void nic_restore_all(const struct knit_config *conf, int code);

/*
 * What that process then is: knit-primary --restore PREFIX --exit-code N. The exit code: code, or
 * what came of it if that is 0 or, because nobody asked for one, negative.
 */
int nic_restore_run(const char *prefix, int code);

#endif
