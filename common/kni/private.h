/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIVATE_H
#define KNIT_PRIVATE_H

#include "abi/knit_shm.h"
#include "drops.h"
#include "kni/base/owner.h"
#include "rte_kni.h"
#include "stats.h"

#include <rte_common.h>

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

struct knit_engine_ops;
struct rte_memzone;

/*
 * One kernel interface as user space keeps it: the handle of the public API and the private halves
 * of its rings. It lives in a memzone of its own, so every process of the DPDK group has it at the
 * same address and a successor finds what a dead owner left. Nothing here is shown to an engine;
 * the block an engine is shown (knit_shm.h) is a memzone of its own, named "knit_shm_<name>".
 *
 * Whoever creates the interface (the primary, or the caller of rte_kni_alloc) writes everything
 * that is not marked otherwise, before the handle becomes visible.
 */

#define KNIT_MAX_IFACES RTE_KNI_MAX_IFACES

/* What serves an interface. Tap is zero: code that does not know the engine acts as for tap. */
enum knit_engine_kind {
	KNIT_ENGINE_TAP,
	KNIT_ENGINE_KMOD,
};

/*
 * The cookie table: it says which mbuf a cookie stands for while an engine has the mbuf. Owner of
 * the end: rw. It has as many cookies as a queue has entries, so for each cookie that is given out
 * there is room when it comes back.
 */
struct knit_cookies {
	uint32_t size;
	uint32_t n_free;
	uint16_t *free_cookie;	/* stack of n_free cookies */
	struct rte_mbuf **mbuf; /* NULL: free */
};

/* Towards the kernel: producer of rx_q, consumer of free_q. Owner: rw. */
struct knit_rx_end {
	struct knit_ring rx_q;
	struct knit_ring free_q;
	struct knit_cookies cookies;
	uint64_t packets; /* frames taken by rx_q */
	uint64_t bytes;
	uint64_t drops[KNIT_USER_DROPS];
	struct knit_owner owner;
} __rte_cache_aligned;

/* From the kernel: producer of alloc_q, consumer of tx_q. Owner: rw. */
struct knit_tx_end {
	struct knit_ring alloc_q;
	struct knit_ring tx_q;
	struct knit_cookies cookies;
	struct rte_mempool *pool; /* of empty buffers for alloc_q */
	uint32_t offer;		  /* buffers that the engine shall have; grows up to all cookies */
	uint32_t grow_pause;	  /* rounds in which it does not grow, because the pool is short */
	uint64_t packets;	  /* frames received from tx_q */
	uint64_t buffers;	  /* descriptors of tx_q, so buffers that these took */
	uint64_t bytes;
	uint64_t no_mbuf; /* times the pool could not fill alloc_q */
	uint64_t drops[KNIT_USER_DROPS];
	struct knit_owner owner;
} __rte_cache_aligned;

/*
 * Tap engine: who plays the kernel's side of the pair, the engine's thread or the owner.
 *
 * rx (towards the kernel): whoever finds frames in rx_q takes it, serves the queue, and gives it
 * back; nobody waits for it. An owner that dies while it has it leaves it to the next bind.
 * tx (from the kernel): the owner stores tx_wanted and rings the engine's doorbell. From the moment
 * the thread stores tx_given until it takes that back, the owner reads the device, and the thread
 * touches neither the device nor alloc_q nor tx_q.
 *
 * Whatever stands here, the worst that can happen is that the pair is not served, or that both
 * serve it: each checks every descriptor, and keeps inside the rings.
 */
struct knit_server {
	uint32_t rx KNIT_ALIGNED;	 /* enum knit_server_name. Thread and owner: rw, atomic */
	uint32_t tx_wanted KNIT_ALIGNED; /* owner: wo, and thread while there is none. 0 or 1 */
	uint32_t tx_given KNIT_ALIGNED;	 /* thread: wo */
};

enum knit_server_name {
	KNIT_SERVER_NOBODY,
	KNIT_SERVER_THREAD,
	KNIT_SERVER_OWNER,
};

struct knit_pair {
	struct knit_rx_end rx;
	struct knit_tx_end tx;
	uint32_t engine_doorbell; /* creator: wo. Wakes the engine's thread of this pair */
	/* owner of the pair: wo. Wakes the owner; KNIT_DOORBELL_NONE: it polls */
	uint32_t user_doorbell;
	struct knit_server server;
	struct knit_engine_stats by_owner; /* owner: rw. What it served itself, see server */
};

struct rte_kni {
	char name[RTE_KNI_NAMESIZE];
	uint16_t index;	     /* in the table of interfaces */
	uint64_t generation; /* no other interface that had this index has it */
	uint16_t port_id;    /* of the default handlers; UINT16_MAX: none */
	uint16_t n_pairs;
	uint16_t max_segs; /* segments that rx_burst may return: 1 without KNIT_FEAT_SG */
	uint32_t features; /* KNIT_FEAT_* */
	uint32_t ring_size;
	uint32_t creator_pid;
	bool legacy; /* made by rte_kni_alloc: bursts claim nothing, the creator is the handler */
	bool async;

	struct knit_shm_hdr *shm;
	const struct knit_engine_ops *engine; /* creator's address space only */
	void *engine_data;		      /* creator's address space only */
	const struct rte_memzone *shm_mz;
	const struct rte_memzone *mz;
	uint32_t ifindex;     /* in its namespace; tap: 0 if somebody removed it */
	uint32_t engine_kind; /* enum knit_engine_kind: what the other processes know of engine */
	uint64_t kmod_id;     /* names it to the module */
	uint32_t handover;    /* enum knit_handover */
	bool io_uring;	      /* tap: who serves a pair may use it */
	/*
	 * Tap engine's watch: wo, atomic. For owners that serve their pair: TCP segments may be
	 * merged; datagrams to this address may be (struct knit_tap_iface).
	 */
	uint32_t merge_tcp;
	uint64_t merge_udp_to;

	/*
	 * The handler's side of the requests; handler: rw, see handler.h. After each change of the
	 * handler control_doorbell is rung. The watch then compares knit_owner_stamp(&handler) with
	 * the stamp it saw last. If they differ it sends the unanswered requests again. The creator
	 * is the handler of a legacy interface while handler.pid_gen names nobody.
	 */
	struct knit_ring req_q;
	struct knit_ring resp_q;
	struct knit_owner handler;
	uint32_t handler_fixed; /* handler: wo. 1: it has callbacks, nobody may take the role */
	uint32_t serving;	/* atomic. pid of the process that is in the middle of a request */
	uint32_t handler_doorbell; /* handler: wo. KNIT_DOORBELL_NONE: it polls */
	/* creator: wo. Wakes the engine's watch: answers, a new handler */
	uint32_t control_doorbell;
	/*
	 * Creator's thread or update_link in any process: rw, atomic. What the carrier is to be;
	 * after a change from another process control_doorbell rings and the watch applies it.
	 */
	uint32_t carrier;
	/*
	 * A process that needs the watch to read the net_device and to set its carrier now adds 1
	 * to link_asked. The watch reads link_asked, does both, and stores what it read in
	 * link_done.
	 */
	uint32_t link_asked;
	uint32_t link_done;

	struct knit_pair pair[KNIT_MAX_PAIRS];
};

/* What an interface shall be like. All of it is validated before anything is created. */
struct knit_iface_conf {
	char name[RTE_KNI_NAMESIZE];
	const char *engine; /* "auto", "kmod", "tap" */
	const char *netns;  /* name below /run/netns, or a path; NULL: the caller's */
	uint8_t mac[6];	    /* all zero: random, locally administered */
	uint16_t mtu;
	uint16_t min_mtu;
	uint16_t max_mtu;
	uint16_t n_pairs;
	uint16_t port_id;
	uint32_t ring_size;
	uint32_t features;
	uint32_t core_id;
	bool force_bind;
	const cpu_set_t *cpus; /* tap: engine threads not bound to core_id; NULL: any */
	bool thread_per_pair;  /* kthread_mode=multiple; single: one thread for all */
	bool legacy;
	bool async;
	bool carrier;	      /* at creation */
	uint32_t handover;    /* enum knit_handover */
	bool io_uring;	      /* tap: many frames with one system call, where that can be had */
	bool merge_datagrams; /* the kernel may get datagrams of a flow as one, see tap_observe.c */
};

#endif
