/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_IFACE_H
#define KNIT_PRIMARY_IFACE_H

#include "primary.h"

int primary_ifaces_create(struct primary *p);
void primary_ifaces_destroy(struct primary *p);
/* Main thread: copies the link state of port i to its interface. False: drivers were busy. */
bool primary_link_update(struct primary *p, unsigned int i);

/*
 * Main thread, now and then: tells of requests of the kernel that had no answer in time, and of
 * interfaces that somebody removed.
 */
void primary_ifaces_poll(struct primary *p);

#endif
