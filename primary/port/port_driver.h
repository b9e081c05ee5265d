/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PORT_DRIVER_H
#define KNIT_PORT_DRIVER_H

#include <rte_ethdev.h>

#include <stdbool.h>

/* How the queues of a dead worker get rid of what they hold. */
enum knit_reset {
	/*
	 * Stop the port, set the queues up again, start. The driver frees the old mbufs in set-up
	 * or stop.
	 */
	KNIT_RESET_PORT,
	/* It can't be told to, or nobody knows: the primary starts anew. */
	KNIT_RESET_NONE,
};

/*
 * What knit must know about a driver and can't ask it. One row each in port_driver.c, with the
 * reason.
 */
struct knit_driver {
	const char *name;
	enum knit_reset reset;
	bool device_spread;	 /* several receive queues and no RSS: the device picks one */
	bool hands_on;		 /* passes mbufs on instead of copying them: one worker only */
	bool primary_only;	 /* bursts work in the process that made the port alone */
	bool per_process;	 /* each process opens what its arguments name */
	bool paired;		 /* wants as many transmit as receive queues */
	bool poll_link;		 /* says that it tells of link changes, and does not */
	bool mtu_stopped;	 /* its MTU is set while it is stopped, whatever it says */
	bool ask;		 /* control operations are quick and take no RTNL */
	unsigned int max_queues; /* 0: as it says */
	bool tap;		 /* see port_tap.h */
};

/* Never NULL: unknown drivers get the careful row. */
const struct knit_driver *knit_driver_find(const char *name);

/* Largest MTU of a port, where the driver's own word can't be taken. */
uint16_t knit_driver_max_mtu(const struct rte_eth_dev_info *info);

#endif
