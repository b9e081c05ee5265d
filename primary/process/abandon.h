/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_ABANDON_H
#define KNIT_PRIMARY_ABANDON_H

/*
 * A secondary that dies while it attaches or detaches may hold a lock of EAL's shared memory, and
 * nobody gives that back. Whoever takes it then waits for ever, and an orderly end takes many. So
 * the end of the primary has ABANDON_SECONDS from then on. After that it ends as if it had been
 * killed: the kernel takes devices and interfaces back, hugepages are given back here, and the next
 * primary with this prefix does the rest.
 */
#define ABANDON_SECONDS 8

struct primary;

/* Main or port thread, any number of times: the time begins with the first. */
void primary_abandon_later(struct primary *p);

#endif
