/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PORT_THREAD_H
#define KNIT_PRIMARY_PORT_THREAD_H

#include "primary.h"

/* The port thread */
int primary_service_start(struct primary *p);
/* Asks the secondaries to leave and waits for them, then ends the thread. */
void primary_service_stop(struct primary *p);

/* Any thread: the port thread looks whether there is something to do. */
void primary_service_kick(void);

#endif
