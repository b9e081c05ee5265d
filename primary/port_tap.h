/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PORT_TAP_H
#define KNIT_PORT_TAP_H

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

/*
 * The port is started; the caller is in the namespace of its kernel device. 0, -ENOTSUP if this
 * DPDK's driver is another, or what the kernel said.
 */
int port_tap_set_mtu(uint16_t port_id, const char *device, uint16_t mtu);

/* Name of the kernel device that these arguments make. */
void port_tap_ifname(const char *device, char *name, size_t len);

#endif
