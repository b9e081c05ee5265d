/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_WORKER_NET_TAP_REAPER_H
#define KNIT_WORKER_NET_TAP_REAPER_H

struct knit_worker;

/*
 * A thread that calls knit_net_tap_reap a few times per second. It starts only if there are net_tap
 * ports that are no inputs. Returns enum knit_exit; a message was printed.
 */
int knit_net_tap_reaper_start(struct knit_worker *w);
void knit_net_tap_reaper_end(void);

#endif
