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

/*
 * The primary process. It creates everything and then does little:
 *
 *   main thread   signals, link state of the ports into the interfaces, status line. May take
 *                 RTNL.
 *   port thread   everything that touches ports, domains and entries: requests of the secondaries,
 *                 deaths, resets (port_thread.c). Uses no netlink and no ioctl that takes RTNL,
 *                 because the kernel may hold RTNL while it waits for an answer that this
 *                 thread makes.
 *                 (Ports that are kernel devices themselves take it; for them nobody waits.)
 *   engine and watch threads of the tap engine, EAL's own threads.
 *
 * Start-up runs in the main thread, before the port thread exists; shutdown after it was joined.
 */

/* A port's cold side, port thread only (main thread at start and end). Index as in the topology. */
struct port {
	const struct knit_conf_port *conf;
	struct knit_topo_port *topo;
	const char *netns; /* where its device lives: as configured, "" if it is absent */
	uint16_t id;
	struct port_tap *tap; /* of a net_tap port that can be followed: see port_tap.h */
	int tap_fd;	      /* with it: a file of its kernel device, the driver's */
	bool started;
	bool absent;	    /* optional, and not there: an empty device stands for it */
	bool released;	    /* its device was taken away and let go; id names nothing */
	bool wedged;	    /* could not reach memory while it ran: needs a start */
	uint8_t unmastered; /* looks in a row that found it so */
	bool lsc;	    /* the driver tells of link changes */
	bool promisc;	    /* always: an xconnect needs it */
	bool want_promisc;  /* the kernel wants it */
	bool want_allmulti;
	bool list_promisc;    /* the unicast list did not fit */
	bool list_allmulti;   /* the multicast list did not fit */
	uint64_t link_events; /* interrupts for its link; EAL's thread: wo, atomic */
	uint64_t held;	      /* port_hold; port thread and main thread: rw, atomic */
	uint64_t rx_offloads;
	uint64_t tx_offloads;
	uint16_t rx_desc;
	uint16_t tx_desc;
	uint16_t n_uc;
	uint16_t n_mc;
	struct rte_ether_addr uc[KNIT_RXLIST_MAX];
	struct rte_ether_addr mc[KNIT_RXLIST_MAX];
	const void *rx_burst; /* burst functions at first start, see port_start */
	const void *tx_burst;
	const void *tx_prepare;
	/* port_removal.c; main thread: wo, before the port is gone */
	int sysfs;			/* the device's folder, -1: no PCI device */
	char pci[KNIT_PCI_NAME];	/* its address */
	char kdriver[KNIT_DRIVER_NAME]; /* what the kernel has for it, "": not known */
};

struct primary {
	const struct knit_config *conf;
	struct knit_topo *topo;
	struct port ports[KNIT_MAX_PORTS];
	struct pool_plan plan;
	struct rte_mempool *spare[KNIT_MAX_NODES]; /* takes the place of a dead domain's pool */
	int pidfd[KNIT_MAX_WORKERS + 1]; /* of attached processes, the last one is control's; -1 */
	bool status;			 /* print a status line every second */
	uint32_t restart;		 /* not 0: leave with KNIT_EXIT_RESTART */
	struct knit_topo_worker *stuck;	 /* did not park; NULL: nobody */
	uint64_t stuck_rounds;		 /* of it, then */
	/*
	 * Held around ethdev's control operations, which are one thread's at a time: the port
	 * thread's, and the main thread's look at links, which never waits for it.
	 */
	pthread_mutex_t drivers;
};

#define CONTROL_ENTRY KNIT_MAX_WORKERS

#endif
