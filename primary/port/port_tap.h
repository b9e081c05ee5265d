/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PORT_TAP_H
#define KNIT_PORT_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * net_tap sends and receives frames of any length, but tells ethdev that the longest is 1522
 * bytes, so ethdev refuses an MTU above 1504. This sets it all the same: on the kernel device, and
 * in the word that the driver compares lengths with.
 */

/* Longest frame that net_tap moves in knit: what the kernel's tap devices allow. */
#define PORT_TAP_MAX_MTU 65521
/* What ethdev lets through. */
#define PORT_TAP_ETHDEV_MTU 1504

struct port;
struct port_tap;

/*
 * net_tap goes by the name that its kernel device had, in the namespace that it was made in. This
 * goes by the device's file, and tells the driver when name or namespace are others. Called once
 * the device is made, in its namespace; without port->tap afterwards the driver is left alone.
 */
void port_tap_find(struct port *port);

/* The driver has the device where it is now. port->tap is there. Takes RTNL. */
void port_tap_follow(struct port *port);

/* What the driver does not know of a device that was moved: it hears only of those where it was. */
bool port_tap_link_up(const struct port *port);

/* The namespace where the device is now, a new fd, or -1. */
int port_tap_netns(const struct port *port);

/*
 * The port is started; the caller is in the namespace of its kernel device. 0, -ENOTSUP if this
 * DPDK's driver is another, or what the kernel said.
 */
int port_tap_set_mtu(struct port *port, uint16_t mtu);

#endif
