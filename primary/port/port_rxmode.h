/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PORT_PORT_RXMODE_H
#define KNIT_PRIMARY_PORT_PORT_RXMODE_H

#include "primary.h"

/*
 * Which frames a port receives: promiscuous mode, all multicast, and its lists of addresses. The
 * kernel's wishes, those of a cross connection and of lists that did not fit are kept apart in
 * struct port; the port gets what they add up to. Port thread. 0 or a negative errno.
 */
int port_set_promisc(struct port *port, bool on);
int port_set_allmulti(struct port *port, bool on);

/* list: n_uc unicast addresses, then n_mc multicast ones; at most KNIT_RXLIST_MAX of each. */
int port_set_lists(struct port *port, const struct rte_ether_addr *list, unsigned int n_uc,
		   unsigned int n_mc);

/* After a start: what ethdev does not put back by itself. */
void port_rxmode_restore(struct port *port);

/* A device that has no such setting does it always, or never: there is nothing to set. */
int port_if_supported(int ret);

#endif
