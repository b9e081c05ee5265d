/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PORT_DRIVER_H
#define KNIT_PORT_DRIVER_H

#include <rte_ethdev.h>

#include <stdbool.h>

/* How to free what the queues of a dead worker hold. */
enum knit_reset {
	/*
	 * Stop the port, set up the queues again, start it. The driver frees the old mbufs in
	 * set-up or stop.
	 */
	KNIT_RESET_PORT,
	/*
	 * The driver frees mbufs only when it initialises the device anew, and then those of all
	 * its queues. Stop the port, have that done (port_renew), set up all queues, start it.
	 */
	KNIT_RESET_DEVICE,
	/* Not possible, or not known to be possible: the primary restarts. */
	KNIT_RESET_NONE,
};

/*
 * Facts about a driver that the driver does not report. Each row in port_driver.c has its reason.
 */
struct knit_driver {
	const char *name;
	enum knit_reset reset;
	bool device_spread; /* several receive queues without RSS: the device picks one */
	bool hands_on;	    /* passes mbufs on without a copy: one worker only */
	bool primary_only;  /* bursts work only in the process that created the port */
	bool per_process;   /* each process opens what its arguments name */
	bool paired;	    /* needs as many transmit as receive queues */
	bool poll_link;	    /* reports that it has link interrupts, but has none */
	bool mtu_stopped;   /* the MTU must be set while the port is stopped, whatever it reports */
	bool sync; /* control operations are quick and take no RTNL: requests may be synchronous */
	unsigned int max_queues; /* 0: as it reports */
	bool tap;		 /* see port_tap.h */
};

/* Never NULL: an unknown driver gets the most careful row. */
const struct knit_driver *knit_driver_find(const char *name);

/* Largest MTU of a port, also where the driver reports a wrong one. */
uint16_t knit_driver_max_mtu(const struct rte_eth_dev_info *info);

#endif
