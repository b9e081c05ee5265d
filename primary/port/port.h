/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PORT_PORT_H
#define KNIT_PRIMARY_PORT_PORT_H

#include "primary.h"

/*
 * Open, start and stop ports. 0 or -errno, logged. port_start returns 1 if the driver has chosen
 * other burst functions than at the start before, or ethdev other lists of queues. Running workers
 * would then use the old ones.
 */
int primary_ports_open(struct primary *p);
void primary_ports_close(struct primary *p);
/*
 * Makes or finds the device of port i in c, which is not open, and chooses how it will be set up.
 * -errno, and why; then port_unmake may still be necessary.
 */
int port_make(struct primary *p, unsigned int i, const struct knit_config *c,
	      struct knit_plan *plan, char *why, size_t len);
/* The port's part of the configuration that comes into force. */
void port_adopt_conf(struct port *port, const struct knit_conf_port *conf);
/* Its interface is another one from now on, or none: it is as at start, to what that one wanted. */
void port_leave_iface(struct primary *p, unsigned int i, const struct knit_conf_port *conf);
/* A running port, by the rules of c: it may have to receive what is for others, or not any more. */
void port_follow_rules(struct primary *p, unsigned int i, const struct knit_config *c);
/* If that fails, and the port is optional: makes the null device that replaces it. */
int port_make_or_null(struct primary *p, unsigned int i, const struct knit_config *c,
		      struct knit_plan *plan, char *why, size_t len);
/* Configures a stopped port by p's plan, sets its queues up and starts it, as port_start does. */
int port_set_up_and_start(struct primary *p, unsigned int i);
/*
 * Closes a virtual device and removes it, here and in all secondaries; the place is free then.
 * -errno: a secondary did not answer, for example. It may be tried again.
 */
int port_unmake(struct primary *p, unsigned int i);
/* The place is empty: all that is known of a port there. */
void port_forget(struct primary *p, unsigned int i);
int port_start(struct primary *p, unsigned int i);
/*
 * Moves the calling thread to the network namespace of the port's device; knit_netns_leave moves it
 * back.
 */
int port_enter(struct port *port, int *saved);
int port_stop(struct primary *p, unsigned int i);
#endif
