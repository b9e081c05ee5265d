/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_NOTIFY_H
#define KNIT_NOTIFY_H

#include <stdint.h>

/* What a process tells systemd, as sd_notify(3) describes it. Main thread. */

/*
 * "READY=1" and the like. Does nothing if nobody wants to know. Waits up to 5 s while systemd is
 * busy, but never with a beat or a status.
 */
void knit_notify(const char *state);

/*
 * One line for people, which `systemctl status` shows, formatted as by printf. Sent only if it is
 * another text than the last time. Does not wait.
 */
void knit_notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * The watchdog of a unit (WatchdogSec). Only the loop that does the work may beat: a thread of its
 * own would go on while the loop stands still.
 */
struct knit_beat {
	int64_t every_ms; /* 0: nobody watches */
	int64_t next_ms;  /* monotonic clock */
};

/* From the environment: three times within the time that systemd waits. */
void knit_beat_init(struct knit_beat *b);

/* Tells that the loop goes round, if that is due. */
void knit_beat(struct knit_beat *b);

/* How long a loop that wants to sleep for timeout_ms, -1: for ever, may sleep. */
int knit_beat_timeout(const struct knit_beat *b, int timeout_ms);

#endif
