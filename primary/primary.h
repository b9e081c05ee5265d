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
 *   port thread   everything that touches ports, domains and slots: requests of the secondaries,
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

#define CONTROL_SLOT KNIT_MAX_WORKERS

/*
 * preflight.c: before anything is touched. A line on stderr for each thing missing; enum knit_exit.
 * all: for --check, on stdout, with what is there and what could be better.
 */
int primary_preflight(const struct knit_config *conf, bool all);

/* eal.c. log_level: --log-level, NULL behind the last */
int primary_eal_init(const struct primary *p, const char *program, const char *const *log_level);
void primary_eal_cleanup(const struct knit_config *conf);
int primary_publish_args(struct primary *p);

/* pool.c */
int primary_pools_create(struct primary *p);
/*
 * Every object back to new, all of them free, whatever state the pool was left in. Nobody uses it.
 */
void primary_pool_rebuild(struct rte_mempool *pool);
/* Forgets what is free, so that a driver that gives mbufs back always finds room. */
void primary_pool_forget(struct rte_mempool *pool);
/* At the end, everything stopped: logs and returns mbufs missing from all domains. */
unsigned int primary_pools_check(struct primary *p);

/*
 * port.c: bringing ports up and down. 0 or -errno, logged. port_start returns 1 if the driver took
 * other burst functions than before: workers that go on would call the old ones.
 */
int primary_ports_open(struct primary *p);
void primary_ports_close(struct primary *p);
int port_start(struct primary *p, unsigned int i);
/* The calling thread, to where its device is now; knit_netns_leave ends it. */
int port_enter(struct port *port, int *saved);
int port_stop(struct primary *p, unsigned int i);
/* The queues of worker w on port i, with pool; the port is stopped or can do it while started. */
int port_queue_setup(struct primary *p, unsigned int i, unsigned int w, struct rte_mempool *pool);

/*
 * port_pause.c
 *
 * Ports, a bit each, are about to be restarted: their interfaces' carrier stays as it is. After
 * port_unhold a carrier that is on stays so until the link is back, or LINK_BACK_MS at most: on
 * copper that takes seconds. One that is off goes on with the link.
 */
void port_hold(struct primary *p, uint64_t ports);
void port_unhold(struct primary *p, uint64_t ports);
/*
 * For what a running port does not do: nobody attaches, its workers are parked and the port held;
 * then, after the caller stopped and started it, all as before. 0, or -errno and why; nothing
 * has changed then. -EINPROGRESS: somebody is on his way in, which takes a second at most. Nobody
 * else comes in before the caller has tried again, or called knit_rundir_unblock_attach.
 * started: what port_start returned. If that was an error so is this: the port is gone, or the
 * primary will start anew, and nobody may use the port until then.
 */
int port_pause(struct primary *p, unsigned int i, char *why, size_t len);
int port_go_on(struct primary *p, unsigned int i, int started);
/* Main thread: is the port held, its link being up or down now? */
bool port_held(struct port *port, bool up);

/*
 * port_op.c: what control asks. In the port thread. 0 or -errno; text says why. -EINPROGRESS: as
 * port_pause.
 */
int port_op(struct primary *p, struct knit_msg *m);
void port_restore(struct primary *p, unsigned int i);

/* park.c: port thread. All live workers with a queue on one of the ports (bit set) */
int primary_park(struct primary *p, uint64_t ports, char *why, size_t len);
void primary_resume(struct primary *p);
/*
 * Whoever made the last primary_park fail has not moved since, and has a queue on one of these
 * ports: no use in stopping the others again.
 */
bool primary_still_stuck(struct primary *p, uint64_t ports);
/* Lets the same workers look at what changed, should they sleep. */
void park_wake(struct primary *p, uint64_t ports);

/* registry.c: the life of secondaries */
/* pidfd: of the sender; -1 after it was kept */
int slot_attach(struct primary *p, struct knit_msg *m, int *pidfd);
int slot_ready(struct primary *p, struct knit_msg *m);
int slot_detach(struct primary *p, struct knit_msg *m);
/* 0: it comes from the control that has the slot. Else -EPROTO, and text says so. */
int slot_is_control(struct primary *p, struct knit_msg *m);
/* The process behind pidfd[slot] ended. */
void slot_ended(struct primary *p, unsigned int slot);
/* The workers with a queue on one of these ports shall end once they are resumed. */
void slot_end_workers(struct primary *p, uint64_t ports);
/* Once a second: deaths inside EAL's attach, which no message announced. */
void slot_check(struct primary *p);
/*
 * 0: nobody is between EAL's set-up and READY, and nobody will be until knit_rundir_unblock_attach.
 * -EBUSY: somebody is, or was killed there: p->restart tells.
 */
int slot_block_attach(struct primary *p);

/*
 * stalled.c: secondaries that hold a role's lock file and have no slot, or not yet
 *
 * Sends them a signal, 0: none. How many there are.
 */
unsigned int inside_signal(const struct primary *p, int sig);
/*
 * Port thread, once a second or more often: kills who takes too long on its way in or out. While a
 * reset waits for it, it is named first, and has less time.
 */
void inside_look(const struct primary *p, bool reset_waits);
/* The slot that process is on its way to, or has; -ESRCH: none. */
int inside_slot(const struct primary *p, pid_t pid);
/* The slot of somebody who keeps slot_block_attach from succeeding, and the process; -ESRCH. */
int inside_first(const struct primary *p, pid_t *pid);
const char *inside_name(const struct primary *p, unsigned int slot, char buf[24]);

/* domain_reset.c: resets every DEAD domain, or as many as can be; true if none is left. */
bool domain_reset_dead(struct primary *p);
/* Is one of these ports a dead domain's? */
bool domain_dead_on(struct primary *p, uint64_t ports);

/*
 * channel.c: port thread. Kills secondaries, knit's or others, that would block the primary by
 * reading no messages: before the start of a net_tap port, before an answer to such a one (peer:
 * its socket), and once a second however often it is called.
 */
void primary_channel_clear(struct primary *p);
void primary_channel_clear_for(struct primary *p, const char *peer);
void primary_channel_look(struct primary *p);

/*
 * handoff.c: the queues of workers without a transmit queue of their own, see topology/handoff.h.
 * Created when all ports are open. reset: all with an end of worker w, whose domain is reset;
 * returns how many of its mbufs were in them.
 */
int primary_exchanges_create(struct primary *p);
unsigned int primary_exchanges_reset(struct primary *p, unsigned int w);
void primary_exchanges_drain(struct primary *p);

/*
 * port_removal.c: a PCI device that is taken away, pulled or unbound, while its port is in use
 *
 *   main thread   sees that the device has no driver any more, or another one: the kernel takes the
 *                 link out of sysfs before it tells the driver. Stores topo->gone, which nobody
 *                 takes back; from now on the carrier is off.
 *   port thread   the same, before and after it has to do with the port. Stores admin_up = 0 for
 *                 good: workers, who read it for each burst anyway, neither receive nor send there,
 *                 and drop as port_down.
 *
 * vfio holds the removal, and the device works until everybody has let go of it: the port thread
 * parks its workers, so that buffers can go back to their pools, and has EAL detach the device in
 * the secondaries, then here. If that fails (a worker does not park, a process does not answer EAL)
 * it is tried again; nothing is half done then, EAL attaches the others again. A domain that waits
 * for its reset on such a port is reset first. A process that dies while it detaches may hold a
 * lock of EAL's, as in its own set-up and clean-up; the next one that needs it waits.
 *
 * uio waits for nobody. Registers then read as ones, or a touch is a SIGBUS (sigbus.h), and the
 * driver takes seconds to close what does not answer, for which workers need not stand still: the
 * port stays as it is until the end, or the reset of a domain with a queue on it. Before it is
 * stopped then zeros take the place of registers that are nobody's or another driver's.
 */
/* Main thread, once ports are open, before the port thread is there, which looks, too. */
void primary_gone_watch(struct primary *p);
/* Main thread, each turn; a system call for each device. */
void primary_gone_look(struct primary *p);
/* Port thread, a system call. True: taken away, and from their next burst on workers know. */
bool primary_gone_now(const struct port *port);
/* Port thread: true if nothing is left to do. */
bool primary_gone_release(struct primary *p);
/* Before the driver stops or closes a port. */
void primary_gone_blank(const struct port *port);

/*
 * bus_master.c: bus mastering of ports on uio_pci_generic, which takes it from a NIC whenever a
 * process lets go of /dev/uioN, as each does that ends. (igb_uio waits for the last one, vfio for the
 * group's.) So this process keeps a copy of each secondary's file, and nobody lets go: the kernel
 * sees an end of the last one only. Copies of processes that ended are not told from others; when
 * there is no more room all are closed.
 *
 * What was not kept is a process that ends before it is ready, or is not knit's. inotify tells of
 * that, and bus mastering is given back. Descriptors that the NIC was to write to meanwhile are
 * never written, and the driver waits for each as soon as it comes round to it. So the port is
 * stopped and started, unless the reset of a dead worker's domain did that; with a driver that
 * can't be (KNIT_RESET_NONE) the primary starts anew.
 *
 * Port thread, but for open, which comes before it.
 */
void primary_master_open(struct primary *p);
/* Becomes readable when there is something to look at; -1. */
int primary_master_fd(void);
/* The process in that slot has opened its devices. */
void primary_master_keep(const struct primary *p, unsigned int slot, pid_t pid);
/* Each turn. */
void primary_master_look(struct primary *p);
/* The stop and start. True if nothing is left to do; else a worker does not park: again, later. */
bool primary_master_mend(struct primary *p);

/* iface.c */
int primary_ifaces_create(struct primary *p);
void primary_ifaces_destroy(struct primary *p);
/* Main thread: a port's link to its interface. */
void primary_link_update(struct primary *p, unsigned int i);

/* port_thread.c: the port thread */
int primary_service_start(struct primary *p);
/* Asks the secondaries to leave and waits for them, then ends the thread. */
void primary_service_stop(struct primary *p);

/* Any thread: the port thread looks whether there is something to do. */
void primary_service_kick(void);

/* main_loop.c: the main loop; returns when a signal or a restart ends it */
int primary_run(struct primary *p);
/* The exit code: nobody starts anew who was told to stop meanwhile. */
int primary_stopped(int code);
void primary_signals_block(void);

/* telemetry.c */
int primary_telemetry_register(void);
/* NULL: nothing is shown any more; no callback looks at anything after that. */
void primary_telemetry_show(struct primary *p);

/* status.c */
void primary_status_banner(const struct primary *p);
void primary_status_line(const struct primary *p);

#endif
