/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_IFACE_H
#define KNIT_PRIMARY_IFACE_H

#include "primary.h"

int primary_ifaces_create(struct primary *p);
/* One, by a configuration and plan that may be the next ones. 0 or -errno, logged. Takes RTNL. */
int primary_iface_create(struct primary *p, unsigned int i, const struct knit_config *all,
			 const struct knit_plan *plan);
/*
 * How many queue pairs it gets: one for each worker that serves it or may do so later, and at least
 * one.
 */
uint16_t primary_iface_pairs(const struct knit_config *all, const struct knit_plan *plan,
			     unsigned int i);
/* Nobody uses it. The place is free then. Takes RTNL. */
void primary_iface_destroy(struct primary *p, unsigned int i);
void primary_ifaces_destroy(struct primary *p);
/* Main thread: copies the link state of port i to its interface. False: drivers were busy. */
bool primary_link_update(struct primary *p, unsigned int i);

/*
 * Main thread, now and then: tells of requests of the kernel that had no answer in time, and of
 * interfaces that somebody removed.
 */
void primary_ifaces_poll(struct primary *p);

#endif
