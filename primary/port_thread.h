/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PORT_THREAD_H
#define KNIT_PRIMARY_PORT_THREAD_H

#include "primary.h"

/* The port thread */
int port_thread_start(struct primary *p);
/* Asks the secondaries to leave and waits for them, then ends the thread. */
void port_thread_stop(struct primary *p);

/* Any thread: the port thread looks whether there is something to do. */
void port_thread_kick(void);

#endif
