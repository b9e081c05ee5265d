/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_CONTROL_NET_TAP_H
#define KNIT_CONTROL_NET_TAP_H

struct control;

/*
 * The driver net_tap sends every process fds of its queues. Control uses none of them. This closes
 * the fds that came while EAL started.
 */
void control_net_tap_init(struct control *c);

/*
 * Another plan is in force. Closes the fds that came since, also those of a port that is going to
 * be removed, and has control_net_tap_poll look for later ones.
 */
void control_net_tap_again(struct control *c);

/*
 * Closes the fds that came when a port was started again. Returns how many ms control may sleep
 * until the next call; -1: no next call is needed.
 */
int control_net_tap_poll(struct control *c);

#endif
