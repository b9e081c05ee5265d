/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_TOPO_H
#define KNIT_TOPO_H

#include "kni/base/log.h"
#include "kni/control/iface.h"
#include "kni/drops.h"
#include "macs.h"
#include "plan.h"
#include "system/config/config.h"

#include <rte_common.h>
#include <rte_ethdev.h>
#include <rte_rcu_qsbr.h>

#include <stddef.h>

/*
 * The topology: what there is, who serves it and in which state. One memzone, "knit_topo", made by
 * the primary before any secondary may attach and mapped by all at the same address. It does not
 * grow.
 *
 * It has two parts. The state of ports, interfaces and workers changes all the time. The plan
 * (plan.h) says who serves what, and changes only when another configuration comes into force. Both
 * name an object by its place, which it keeps for as long as it exists: a worker's is its id, a
 * port and an interface have the first one that was free when they were added. A place can be
 * empty: `there` is 0. The number n_ports is that of the last place in use, plus one; so are the
 * other two.
 *
 * Writers. The primary's port thread writes everything that is not marked otherwise; before the
 * first worker attaches its main thread does. Secondaries write only the words marked so.
 */
#define KNIT_TOPO_MZ "knit_topo"
#define KNIT_TOPO_MAGIC 0x6f706f74
#define KNIT_TOPO_VERSION 11

struct knit_watch;

struct knit_topo_port {
	uint32_t there; /* atomic. 1: the rest is valid */
	char name[KNIT_NAME];
	char device[256];
	char driver[KNIT_NAME];
	uint16_t port_id;
	uint16_t mtu;			 /* in force */
	uint8_t mac[8] __rte_aligned(8); /* in force: the first 6; written by one store */
	uint64_t tx_capa; /* transmit offloads that are enabled and usable: RTE_ETH_TX_OFFLOAD_* */
	uint32_t tx_fast; /* transmit without offloads, see port_offload.h */
	/* See port_bursts.h. */
	void *rx_queues;
	void *tx_queues;
	uint64_t rx_code;
	uint64_t tx_code;
	uint32_t per_process; /* each process opens what device names, in its own namespaces */
	uint32_t rx_partial;  /* its RX_L4_CKSUM_NONE is a partial checksum, see offload.h */
	uint32_t admin_up; /* 0: workers neither receive nor send; the kernel's interface is down */
	uint32_t made;	   /* times a device was opened for a port in this place */
	uint32_t starts;   /* times it was started: secondaries of net_tap look for new fds */
	uint32_t removed;  /* main, port thread: wo, once. 1: its device was taken away, for good */
	uint32_t link_up;  /* main thread: wo. As last told to the interface */
	uint32_t link_speed;   /* main thread: wo. Mbit/s */
	char ifname[IFNAMSIZ]; /* primary: wo. Of its kernel device, as known; "": has none */
	uint64_t ifnetns;      /* primary: wo. With it: the namespace, see knit_tap_fd_netns */
	/*
	 * Further unicast addresses that the kernel wants to receive by the port's interface:
	 * macvlan devices, VRRP. A cross connection gives it these, too.
	 */
	struct knit_macs further;
} __rte_cache_aligned;

_Static_assert(offsetof(struct knit_topo_port, mac) % sizeof(uint64_t) == 0,
	       "one store writes it, which faults on some machines if it is not aligned");

struct knit_topo_iface {
	uint32_t there; /* atomic. 1: the rest is valid */
	char name[IFNAMSIZ];
	struct rte_kni *kni;
};

/*
 * A worker's life, written by the primary:
 *
 *   FREE -> ATTACHING (it said hello) -> ATTACHED (it may use the domain)
 *     ATTACHED -> DETACHING (it said goodbye at a burst boundary) -> FREE when the process is gone
 *     ATTACHED -> DEAD (the process ended without goodbye) -> FREE once the domain is reset
 *
 * Goodbye is the word of that name, which the process stores. It is true from then on, whenever the
 * primary reads it, and also when the process is gone by then.
 *
 * A death in ATTACHING or DETACHING may have left EAL's own locks held: the primary says so and
 * ends.
 */
enum knit_process_state {
	KNIT_PROCESS_FREE,
	KNIT_PROCESS_ATTACHING,
	KNIT_PROCESS_ATTACHED,
	KNIT_PROCESS_DETACHING,
	KNIT_PROCESS_DEAD,
};

/*
 * What a worker counts. Worker: wo, relaxed; kept over restarts. One block per worker, no sharing.
 */
struct knit_worker_port_stats {
	uint64_t rx_packets;
	uint64_t rx_bytes;
	uint64_t tx_packets;
	uint64_t tx_bytes;
};

struct knit_worker_stats {
	uint64_t rounds;      /* passes over all inputs */
	uint64_t busy_rounds; /* of these, with at least one packet */
	uint64_t sleeps;
	uint64_t cycles_busy; /* TSC cycles in busy rounds */
	uint64_t xconnect;    /* packets on the fast path */
	uint64_t punted;      /* packets to interfaces */
	uint64_t injected;    /* packets from interfaces to ports */
	uint64_t handed_off;  /* of xconnect and injected: sent through another worker's queue */
	uint64_t relayed;     /* packets of other workers, sent for them */
	uint64_t parks;
	uint64_t drops[KNIT_WORKER_DROPS];
	struct knit_worker_port_stats port[KNIT_MAX_PORTS];
} __rte_cache_aligned;

/*
 * The other process of a worker: one that stands by and, after it took over, its predecessor until
 * that is gone. Both live like this:
 *
 *   FREE -> ATTACHING -> ATTACHED (it stands by: it touches nothing of the domain)
 *     ATTACHED -> it takes over: the two entries change places
 *     DETACHING (it said goodbye, or handed over) -> FREE when the process is gone
 */
struct knit_topo_next {
	uint32_t state; /* enum knit_process_state, never DEAD */
	uint32_t pid;
	uint64_t start_time;
	uint32_t generation; /* from the same numbers as the worker's */
	uint32_t doorbell;   /* of the one that stands by; the primary owns it */
	/* The number of the plan for which it has opened everything. Standby: wo */
	uint32_t prepared;
	/* Before a take-over the primary calls; the one that stands by stores the number here. */
	uint32_t called;   /* primary: wo */
	uint32_t answered; /* standby: wo */
};

struct knit_topo_worker {
	uint32_t there; /* atomic. 1: it is in the configuration in force */
	uint32_t id;	/* its place */
	uint32_t lcore;
	char cpus[64];	  /* "": that of the lcore's number */
	uint32_t standby; /* 1: another process is expected to stand by */
	uint32_t idle;	  /* enum knit_idle */
	uint32_t burst;
	/* doorbell of this worker; the primary owns it, so it outlives workers */
	uint32_t doorbell;
	struct rte_mempool *pool;
	struct rte_rcu_qsbr *qsbr; /* of this worker alone: its thread id there is 0 */
	uint32_t state;		   /* enum knit_process_state */
	uint32_t pid;
	uint64_t start_time;
	/*
	 * Of the process, and as long as it is: larger than all before. Its last bit differs from
	 * that of the other process, and says which goodbye is its own.
	 */
	uint32_t generation;
	uint32_t attaches; /* of processes, also to stand by */
	struct knit_topo_next next;
	uint32_t resets;     /* times the domain was reset */
	uint64_t lost_mbufs; /* mbufs taken back by resets from rings and cookies */

	/*
	 * Parking. The primary stores park (never 0, another value each time), rings the doorbell
	 * and waits until the worker has passed a quiescent state of qsbr or is offline. The
	 * worker, after each quiescent state and after coming online, reads park. While park is not
	 * 0 the worker is offline, has stored park in park_ack, and touches no port, ring or pool.
	 * park 0 resumes it.
	 */
	uint32_t park __rte_cache_aligned; /* primary: wo */
	/*
	 * Equal to generation: the worker ends with KNIT_EXIT_RESTART when it is resumed, because
	 * its burst functions are no longer those of a port, or because somebody wants it.
	 */
	uint32_t leave; /* primary: wo */
	uint32_t held;	/* primary: wo. Equal to generation: parked until somebody resumes it */
	uint32_t park_ack __rte_cache_aligned; /* worker: wo */
	/* By the generation's last bit. Worker: wo. Equal to it: it touches nothing any more */
	uint32_t goodbye[2];
	/*
	 * A take-over. The primary stores the worker's generation in yield, before park. A parked
	 * worker that finds it there sets it to KNIT_YIELDING, gives the domain up as it is, stores
	 * its generation in yielded, and leaves. If it does not park, the primary takes the word
	 * back: both use compare-and-swap. Then the entries change places, and the successor, which
	 * finds its generation as the worker's, claims all, and stores it in taken.
	 */
	uint32_t yield;	    /* primary and worker, atomic */
	uint32_t yielded;   /* worker: wo */
	uint32_t taken;	    /* worker: wo */
	uint64_t yield_tsc; /* worker: wo. TSC: the last round of the one that leaves was over */
	uint64_t taken_tsc; /* worker: wo. TSC: the first round of the one that came begins */
	/*
	 * Numbers of plans. released: it has emptied and let go what that plan takes away; worker:
	 * wo, primary while there is none. follows: it has claimed what that plan gives, too;
	 * worker: wo.
	 */
	uint32_t released;
	uint32_t follows;
	struct knit_worker_stats stats; /* worker: wo */
} __rte_cache_aligned;

#define KNIT_YIELDING UINT32_MAX

/*
 * The lists for KNIT_OP_RXLIST. Control: wo while it has no request on its way; primary: ro then.
 */
struct knit_topo_rxlist {
	uint16_t n_uc;
	uint16_t n_mc;
	struct rte_ether_addr addr[2 * KNIT_RXLIST_MAX]; /* n_uc unicast, then n_mc multicast */
};

struct knit_topo_control {
	uint32_t lcore;
	uint32_t doorbell; /* doorbell of control; the primary owns it */
	uint32_t state;
	uint32_t pid;
	uint64_t start_time;
	uint32_t generation;
	uint32_t goodbye; /* control: wo. Equal to generation: it touches nothing any more */
	uint32_t follows; /* control: wo. Number of the plan whose interfaces it handles */
	struct knit_topo_rxlist rxlist;
	uint64_t served;  /* control: wo. Requests answered */
	uint64_t refused; /* control: wo. Of these, with an error */
} __rte_cache_aligned;

struct knit_topo {
	uint32_t magic; /* stored last, when everything else is valid */
	uint32_t version;
	uint32_t abi_version;
	uint32_t stopping;    /* 1: the primary is going down, secondaries must leave */
	char dpdk[64];	      /* rte_version() of the primary */
	uint64_t config_hash; /* the configuration generation */
	uint64_t net_ns;      /* the primary's, see knit_topo_namespace */
	uint64_t mount_ns;
	uint64_t instance; /* differs with every start of a primary */
	uint32_t primary_pid;
	uint64_t primary_start;
	int32_t pool_ops;	/* index of the mempool ops of all domains in the primary */
	char pool_ops_name[32]; /* and the name that must stand at that index in every process */
	uint32_t n_ports;
	uint32_t n_ifaces;
	uint32_t n_workers;
	/*
	 * The number of the plan in force, which is plan[planned % 2]. A plan is written before its
	 * number is stored, and never changed after. The other one is the plan before, or the next.
	 */
	uint32_t planned; /* primary: wo, atomic */
	/*
	 * The same number while workers change over to it from the plan before, which is valid
	 * then; else 0. Primary: wo, atomic.
	 */
	uint32_t changing;
	/*
	 * Log levels that somebody changed, in order of knit_log_types; 0: as each process started.
	 * Command thread: wo, then log_changes by one. See session/levels.h.
	 */
	uint32_t log_level[KNIT_LOG_TYPES];
	uint32_t log_changes;
	struct knit_watch *watch; /* see watch.h; NULL: nothing can be watched */
	uint64_t device_faults;	  /* any process: atomic. Mappings of devices replaced, sigbus.h */
	struct knit_topo_port ports[KNIT_MAX_PORTS];
	struct knit_topo_iface ifaces[KNIT_MAX_CONF_IFACES];
	struct knit_topo_worker workers[KNIT_MAX_WORKERS];
	struct knit_topo_control control;
	struct knit_plan plan[2];
};

/* The plan in force. Primary's threads, and a secondary while it attaches or is parked. */
static inline const struct knit_plan *knit_topo_plan(const struct knit_topo *t)
{
	return &t->plan[__atomic_load_n(&t->planned, __ATOMIC_ACQUIRE) % 2];
}

/*
 * Primary: reserves and zeroes the memzone and fills versions, instance and primary. NULL with
 * rte_errno set, and logged.
 */
struct knit_topo *knit_topo_create(void);

/*
 * Primary: what the configuration alone says of all there is, each at its place (config_place.h),
 * or of one. Ports and interfaces are not `there` before they are made.
 */
void knit_topo_name(struct knit_topo *t, const struct knit_config *c);
void knit_topo_name_port(struct knit_topo_port *port, const struct knit_conf_port *c);
void knit_topo_name_worker(struct knit_topo_worker *w, const struct knit_conf_worker *c);

/*
 * Secondary: finds and checks the topology. NULL, with a line on stderr that says what does not
 * fit: no topology, other knit or ABI version, other DPDK, other order of mempool drivers.
 */
struct knit_topo *knit_topo_attach(void);

/* Which namespace of that kind, "net" or "mnt", the calling process is in; 0: can't tell. */
uint64_t knit_topo_namespace(const char *kind);

/* How many there are. */
unsigned int knit_topo_count_ports(const struct knit_topo *t);
unsigned int knit_topo_count_ifaces(const struct knit_topo *t);
unsigned int knit_topo_count_workers(const struct knit_topo *t);

/* NULL: there is none of that id. */
struct knit_topo_worker *knit_topo_worker(struct knit_topo *t, uint32_t id);

#endif
