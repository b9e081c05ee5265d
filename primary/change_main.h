/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_CHANGE_MAIN_H
#define KNIT_PRIMARY_CHANGE_MAIN_H

#include "primary.h"

/*
 * Main thread: its part of a change (process/change.h), MAKE and UNMAKE. Interfaces are made and
 * removed, which takes RTNL. watch_link registers a port for link interrupts, or gives that up.
 */
void change_main_poll(struct primary *p,
		      void (*watch_link)(struct primary *p, unsigned int port, bool on));

#endif
