/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PORT_THREAD_H
#define KNIT_PRIMARY_PORT_THREAD_H

#include "primary.h"

/* The port thread, see port_thread.c. */
int port_thread_start(struct primary *p);
/* Asks the secondaries to end and waits for them, then ends the thread. */
void port_thread_stop(struct primary *p);

/* Any thread: wakes the port thread, so that it looks for work. */
void port_thread_kick(void);

/* Grows with each turn and each request: it lives as long as that goes on. One may take 10 s. */
uint64_t port_thread_turns(void);

#endif
