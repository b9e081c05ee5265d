/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PORT_PORT_RXMODE_H
#define KNIT_PRIMARY_PORT_PORT_RXMODE_H

#include "primary.h"

/*
 * Which frames a port receives: promiscuous mode, all multicast, and lists of addresses. Three
 * things can require a mode: the kernel, a cross connection, and a list that does not fit into the
 * device. struct port has a member for each. The mode is on if one of them requires it. Port
 * thread. 0 or a negative errno.
 */
int port_set_promisc(struct port *port, bool on);
/* Whether a cross connection requires it. */
int port_set_xconnect(struct port *port, bool on);
int port_set_allmulti(struct port *port, bool on);

/* list: n_uc unicast addresses, then n_mc multicast ones; at most KNIT_RXLIST_MAX of each. */
int port_set_lists(struct port *port, const struct rte_ether_addr *list, unsigned int n_uc,
		   unsigned int n_mc);

/* After a start: sets again what ethdev does not restore by itself. */
void port_rxmode_restore(struct port *port);

/*
 * Turns an error that means "the device has no such setting" into 0. Returns any other value
 * unchanged.
 */
int port_if_supported(int ret);

#endif
