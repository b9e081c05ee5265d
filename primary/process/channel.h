/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PROCESS_CHANNEL_H
#define KNIT_PRIMARY_PROCESS_CHANNEL_H

#include "primary.h"

/*
 * Port thread. The primary sends messages to the sockets of all secondaries, and a send waits while
 * a socket is full. These functions kill a process, of knit or not, that does not read its socket.
 * channel_clear is called before a net_tap port is started, channel_clear_for before an answer is
 * sent to the socket peer. channel_poll may be called often; it acts once a second.
 */
void channel_clear(struct primary *p);
void channel_clear_for(struct primary *p, const char *peer);
void channel_poll(struct primary *p);

#endif
