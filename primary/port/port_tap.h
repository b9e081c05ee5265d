/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PORT_TAP_H
#define KNIT_PORT_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * net_tap sends and receives frames of any length, but reports 1522 bytes as the longest. So ethdev
 * refuses an MTU above 1504. port_tap_set_mtu sets a larger one all the same: on the kernel device,
 * and in the variable with which the driver compares lengths.
 */

/* Longest frame that net_tap moves in knit: what the kernel's tap devices allow. */
#define PORT_TAP_MAX_MTU 65521
/* Largest MTU that ethdev accepts. */
#define PORT_TAP_ETHDEV_MTU 1504

struct port;
struct port_tap;

/*
 * net_tap looks for its kernel device by the name and in the namespace that the device had when it
 * was made. knit identifies the device by an open file of it. It tells the driver when the name or
 * the namespace has changed.
 *
 * Called after the device was made, in its namespace. If port->tap is not set afterwards, knit does
 * not touch the driver.
 */
void port_tap_find(struct port *port);

/* The driver closes the port. */
/* Whether nobody has deleted its device. */
bool port_tap_is_there(const struct port *port);
void port_tap_forget(struct port *port);

/* Makes the driver use the device where it is now. port->tap is set. Takes RTNL. */
void port_tap_follow(struct port *port);

/*
 * Link state of the port's device, also after the device was moved. The driver itself gets link
 * messages of the first namespace only.
 */
bool port_tap_link_up(const struct port *port);

/* A new fd of the namespace where the device is now, or -1. */
int port_tap_netns(const struct port *port);

/*
 * The port is started and the caller is in the namespace of its kernel device. 0; -ENOTSUP if the
 * driver of this DPDK version is not the expected one; or the kernel's error.
 */
int port_tap_set_mtu(struct port *port, uint16_t mtu);

#endif
