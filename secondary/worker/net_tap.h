/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_WORKER_NET_TAP_H
#define KNIT_WORKER_NET_TAP_H

#include <stdbool.h>

struct knit_worker;
struct knit_worker_tap;

/*
 * The fds of net_tap queues in this process. Each start of such a port gives the process new fds,
 * and the old ones must be closed, see quirks/net_tap_fds.h.
 */

/* Returns enum knit_exit; a message was printed. */
int knit_net_tap_init(struct knit_worker *w);

/* The same for another plan; first closes the fds of ports that it does not have. */
int knit_net_tap_follow(struct knit_worker *w);

/* Whether a port that is an input was restarted, so that its fds are old. */
bool knit_net_tap_stale(const struct knit_worker *w);

/*
 * Waits until the driver uses the new fds, then closes the old ones. The worker is offline (QSBR).
 * Returns KNIT_EXIT_OK, or the code to end with.
 */
int knit_net_tap_refresh(struct knit_worker *w);

/* Thread of net_tap_reaper.c: closes the fds of ports that are no inputs. */
void knit_net_tap_reap(struct knit_worker *w);

#endif
