/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_H
#define KNIT_PRIMARY_H

#include "kni/base/compat.h"
#include "memory/pool_size.h"
#include "system/bind/bind.h"
#include "system/config/config.h"
#include "system/session/msg.h"
#include "system/topology/topo.h"

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

/*
 * The primary process. It creates pools, ports, interfaces and the topology. Afterwards its threads
 * do this:
 *
 *   main thread   signals; copies the link state of ports to interfaces; the status line. May take
 *                 RTNL.
 *   port thread   everything that concerns ports, domains and registry entries: requests of
 *                 secondaries, deaths, resets (port_thread.c). No netlink and no ioctl that takes
 *                 RTNL: the kernel may hold RTNL while it waits for an answer of this thread.
 *                 (Drivers of ports that are kernel devices take RTNL. Their requests are
 *                 asynchronous, so the kernel does not wait.)
 *   telemetry     threads of EAL's, one for each client: they only read (telemetry.c). They take
 *                 telemetry.c's lock for one answer, and inside it drivers (below) for the counters
 *                 of one NIC, or locks of EAL's heap and memzones.
 *   threads of the tap engine, and others of EAL
 *
 * The main thread starts everything before the port thread exists. It shuts everything down after
 * the port thread has ended.
 */

/* Indexes of registry entries: workers by id, control, those that stand by for a worker. */
#define CONTROL_ENTRY KNIT_MAX_WORKERS
#define STANDBY_ENTRY(id) (CONTROL_ENTRY + 1 + (id))
#define PROCESS_ENTRIES (2 * KNIT_MAX_WORKERS + 1)

/*
 * What only the primary knows of a port. The port thread uses it, and the main thread at start and
 * end. The index is that of the topology.
 */
struct port_setup {
	uint64_t rx_offloads;
	uint64_t tx_offloads;
	bool fast; /* transmit without offloads, see port_offload.h */
	bool rss;
	uint16_t n_rx;
	uint16_t n_tx;
	uint16_t rx_desc; /* as configured */
	uint16_t tx_desc;
	uint16_t mtu;
};

struct port {
	const struct knit_conf_port *conf;
	struct knit_topo_port *topo;
	const char *netns; /* namespace of its device, as configured; "" if it is absent */
	uint16_t id;
	struct port_tap *tap; /* of a net_tap port whose device knit can follow, see port_tap.h */
	int tap_fd; /* if tap is set: a file of its kernel device, which the driver owns */
	bool started;
	bool absent;	    /* optional and missing: a null device replaces it */
	bool released;	    /* its device was removed and EAL has detached it; id is not valid */
	bool wedged;	    /* lost bus mastering while it ran: needs a restart */
	uint8_t unmastered; /* polls in a row that found bus mastering off */
	bool renewable;	    /* its driver is reset by port_renew, and the device allows it */
	bool lsc;	    /* the driver reports link changes */
	bool promisc;	    /* always on: an xconnect needs it */
	bool want_promisc;  /* the kernel wants it */
	bool want_allmulti;
	bool list_promisc;    /* the unicast list did not fit */
	bool list_allmulti;   /* the multicast list did not fit */
	uint64_t link_events; /* link interrupts; written by EAL's thread, atomic */
	uint32_t link_told;   /* the plan whose interface knows the link; main thread */
	uint64_t held;	      /* port_hold; port thread and main thread write it, atomic */
	struct port_setup setup;
	uint8_t own_mac[6]; /* that the device had when it was opened */
	uint16_t rx_desc;   /* of each queue; the driver may have adjusted what is configured */
	uint16_t tx_desc;
	uint16_t n_uc;
	uint16_t n_mc;
	struct rte_ether_addr uc[KNIT_RXLIST_MAX];
	struct rte_ether_addr mc[KNIT_RXLIST_MAX];
	const void *rx_burst; /* burst functions at first start, see port_start */
	const void *tx_burst;
	const void *tx_prepare;
	void *rx_queues; /* where bursts find the queues */
	void *tx_queues;
	/* port_removal.c. Main thread writes, before the port can be removed */
	int sysfs;			/* the device's folder, -1: no PCI device */
	char pci[KNIT_PCI_NAME];	/* its address */
	char kdriver[KNIT_DRIVER_NAME]; /* its kernel driver, "": not known */
};

struct primary {
	/*
	 * In force; everything is at its place (config_place.h). Command thread: writes what is
	 * live (config_keys.h), atomic.
	 */
	struct knit_config *conf;
	char file[256]; /* the configuration file of the start */
	struct knit_topo *topo;
	struct port ports[KNIT_MAX_PORTS];
	/*
	 * Port thread: wo. What ports and domains are set up by: the plan in force, or the one that
	 * is going to be.
	 */
	struct knit_plan *plan;
	/*
	 * Likewise. While workers change over to the plan in force: the one before. Then a worker
	 * may still have pairs of that one, too. NULL: all follow.
	 */
	const struct knit_plan *plan_before;
	struct pool_plan pools;
	/*
	 * Held while a place in the topology is filled or emptied, and by telemetry for the time of
	 * one answer.
	 */
	pthread_mutex_t places;
	struct rte_mempool *spare[KNIT_MAX_NODES]; /* replaces the pool of a dead domain */
	int pidfd[PROCESS_ENTRIES];		   /* of attached processes, -1 */
	struct {
		uint64_t since;	    /* timer cycles: its death */
		uint32_t lost;	    /* mbufs taken back */
	} resets[KNIT_MAX_WORKERS]; /* the last one of each worker; port thread */
	uint32_t taking; /* workers that were taken over, and have not run yet; a bit each */
	uint32_t replaced[KNIT_MAX_WORKERS]; /* the last process of each that was taken over from */
	gid_t group;			     /* its members may run secondaries, 0: only root */
	time_t started;			     /* in seconds since 1970 */
	bool status;			     /* print a status line every second */
	uint32_t restart;		     /* not 0: end with KNIT_EXIT_RESTART */
	struct knit_topo_worker *stuck;	     /* the worker that did not park; NULL: none */
	uint64_t stuck_rounds;		     /* its rounds at that time */
	/*
	 * Serializes control operations of ethdev. The port thread makes most of them, and takes
	 * the lock for as long as a driver needs. The main thread reads link states; it never waits
	 * for the lock. EAL's threads of telemetry read counters of NICs; they wait for 100 ms at
	 * most, and have it for one port at a time.
	 */
	pthread_mutex_t drivers;
	/*
	 * The main thread found drivers taken, and tries again soon. Telemetry leaves the lock
	 * alone meanwhile: who asks often could otherwise keep link states from being read. Atomic.
	 */
	bool links_wait;
};

#endif
