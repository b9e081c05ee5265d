/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PROCESS_CHANNEL_H
#define KNIT_PRIMARY_PROCESS_CHANNEL_H

#include "primary.h"

/*
 * Port thread. Kills secondaries, knit's or others, that would block the primary by
 * reading no messages: before the start of a net_tap port, before an answer to such a one (peer:
 * its socket), and once a second however often it is called.
 */
void channel_clear(struct primary *p);
void channel_clear_for(struct primary *p, const char *peer);
void channel_poll(struct primary *p);

#endif
