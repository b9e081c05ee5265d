/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_CONTROL_NET_TAP_H
#define KNIT_CONTROL_NET_TAP_H

struct control;

/*
 * The driver net_tap gives every process fds of its queues. Control uses none of them. Closes those
 * that came while EAL started.
 */
void control_net_tap_init(struct control *c);

/*
 * Closes those that came when a port was started again. Returns how many ms to sleep until the next
 * call, -1: none is needed.
 */
int control_net_tap_poll(struct control *c);

#endif
