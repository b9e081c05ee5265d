/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PORT_PORT_RXMODE_H
#define KNIT_PRIMARY_PORT_PORT_RXMODE_H

#include "primary.h"

/*
 * Which frames a port receives: promiscuous mode, all multicast, and lists of addresses. struct
 * port keeps apart what the kernel wants, what a cross connection needs, and what lists that did
 * not fit need; the port gets the sum. Port thread. 0 or a negative errno.
 */
int port_set_promisc(struct port *port, bool on);
int port_set_allmulti(struct port *port, bool on);

/* list: n_uc unicast addresses, then n_mc multicast ones; at most KNIT_RXLIST_MAX of each. */
int port_set_lists(struct port *port, const struct rte_ether_addr *list, unsigned int n_uc,
		   unsigned int n_mc);

/* After a start: sets again what ethdev does not restore by itself. */
void port_rxmode_restore(struct port *port);

/*
 * 0 in place of an error that says that the device has no such setting: it is always on, or never.
 */
int port_if_supported(int ret);

#endif
