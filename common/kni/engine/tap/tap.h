/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_TAP_H
#define KNIT_TAP_H

#include "kni/base/doorbell.h"
#include "kni/base/netlink.h"
#include "kni/engine/engine.h"
#include "pure/frame.h"
#include "pure/reqstate.h"
#include "tap_coalesce.h"
#include "tap_io.h"
#include "tap_region.h"

#include <net/if.h>
#include <pthread.h>
#include <sys/uio.h>

/*
 * The tap engine: the kernel side of an interface's queues on /dev/net/tun.
 *
 *   tap_engine.c    the operations of struct knit_engine_ops
 *   tap_dev.c       making and removing the net_device
 *   tap_where.c     the net_device's namespace, name and index, read again for each use
 *   tap_thread.c    the engine threads: serve pairs, sleep, take commands
 *   tap_pair.c      whose turn it is to serve a pair: the thread's or its owner's
 *   tap_owner.c     a pair's owner serves it itself
 *   tap_rx.c        rx_q -> kernel       (tap_coalesce.c: many frames as one)
 *   tap_tx.c        kernel -> tx_q
 *   tap_io.c        many reads or writes with one system call
 *   tap_region.c    address -> pointer
 *   tap_watch.c     the watch thread: netlink, carrier, active queues
 *   tap_req.c       what changed -> requests; answers -> revert
 *   tap_observe.c   who would see merged frames
 *
 * Threads. An engine thread owns everything in struct knit_tap_pair; others reach a pair only by a
 * command that the thread acknowledges. An owner that serves its pair has a struct of its own. The
 * watch thread owns struct knit_tap_watch except for what is marked; adding and removing an
 * interface holds its lock. Nothing else is shared.
 */

#define KNIT_TAP_BATCH 64 /* frames per poll and direction */
/*
 * Descriptors that a poll takes from the kernel. It is given up to KNIT_PEEK, which are more: so
 * large frames between two interfaces never come in faster than they go out.
 */
#define KNIT_TAP_TAKE 192
#define KNIT_TAP_NSID_NONE (-2)	       /* the namespace has no number */
#define KNIT_TAP_BOUNCE KNIT_FRAME_MAX /* bytes of a frame that may follow the first buffer */

struct knit_tap_iface;
struct knit_tap_thread;

/* A frame from the kernel that needs more buffers than alloc_q had. */
struct knit_tap_held {
	uint32_t segs;	 /* descriptors ready in d[]; 0: nothing held */
	uint32_t spill;	 /* bytes in the bounce buffer that still want buffers */
	uint32_t copied; /* bytes before them that have theirs */
	bool alone; /* its buffers are in the order of alloc_q, and none is taken behind them */
	uint8_t *bounce;
	struct knit_desc d[KNIT_DESC_MAX_SEGS];
};

/* A frame that was read together with others, into one buffer and the bounce buffer `slot`. */
struct knit_tap_got {
	struct knit_desc d;
	uint32_t spill; /* bytes in the bounce buffer */
	uint32_t slot;
};

#define KNIT_TAP_READS (KNIT_TAP_IO_MAX / 2) /* frames that are read together, at most */

/* Whether frames of a kind are merged. A kernel may refuse the first one, and then any. */
enum knit_tap_merging {
	KNIT_TAP_MERGE_NEVER,
	KNIT_TAP_MERGE_TRY,
	KNIT_TAP_MERGE_YES,
};

struct knit_tap_pair {
	/* hot; who serves the pair */
	struct knit_ring rx_q;
	struct knit_ring free_q;
	struct knit_ring alloc_q;
	struct knit_ring tx_q;
	int fd;
	bool bound;
	bool readable;	    /* the kernel has frames: epoll said so, and no EAGAIN since */
	bool dead;	    /* the net_device was removed */
	uint32_t starved;   /* buffers that alloc_q must have before it goes on; 0: not starved */
	uint32_t last_segs; /* buffers the last frame needed */
	uint32_t big_run;   /* not 0: the next frame is thought to be a big one */
	uint32_t expected;  /* frames that one read of many is thought to find */
	uint32_t user_doorbell;
	uint32_t region; /* hint */
	enum knit_tap_merging merge_udp;
	enum knit_tap_merging merge_tcp;
	struct knit_tap_iface *iface;
	struct knit_tap_thread *thread;	 /* control plane: wo. NULL of an owner's */
	struct knit_server *server;	 /* shared: whose turn it is */
	bool only_thread;		 /* the owner serves nothing: server is not looked at */
	bool spoilt;			 /* indexes that no ring can have; until the next owner */
	bool given;			 /* as server->tx_given, but one's own */
	struct knit_engine_stats *stats; /* who serves: wo. Thread: own_stats; owner: shared */
	struct knit_engine_stats own_stats;
	uint8_t *bounce; /* KNIT_TAP_READS of them */
	uint16_t index;
	struct knit_tap_held held;
	uint32_t n_got;
	uint32_t next_got; /* those before it are complete */
	struct knit_tap_got got[KNIT_TAP_READS];
} KNIT_ALIGNED;

/* Watch thread: per interface. */
struct knit_tap_watch {
	uint64_t netns; /* knit_nl_netns of where it was seen last; 0: nowhere yet */
	int nsid;	/* number of that namespace where the watch is; KNIT_TAP_NSID_NONE */
	struct knit_ring req_q;
	struct knit_ring resp_q;
	struct knit_reqstate reqstate;
	struct knit_engine_req_stats stats;
	struct knit_iface_state *shm; /* written here, never read */
	uint64_t handler_stamp;	      /* of the owner word when it was last looked at */
	uint32_t min_mtu;
	uint32_t max_mtu;
	struct knit_nl_link link; /* as the kernel told it last */
	bool over_uc;		  /* more addresses than the list holds: asks for all of them */
	bool over_mc;
	const char *observer;	/* why datagrams are not merged at present; NULL: they are */
	bool sync;		/* the net_device may have changed: read it */
	bool blind;		/* it can't be read where it is; that was logged */
	bool deleted;		/* the net_device was deleted */
	int carrier_now;	/* as the kernel has it */
	uint64_t link_now;	/* as link_wanted */
	uint32_t active_now;	/* queues that the kernel uses, a bit each */
	uint32_t active_wanted; /* any thread, atomic: pairs with a live owner */
	uint64_t link_wanted;	/* any thread, atomic: speed << 1 | full duplex */
};

struct knit_tap_iface {
	struct rte_kni *kni;
	struct knit_tap_iface *next; /* watch's list */
	char name[IFNAMSIZ];
	uint32_t ifindex;
	uint32_t features;
	uint32_t ring_size;
	uint16_t n_pairs;
	uint16_t max_segs;
	bool kernel_uso;      /* the kernel takes UDP GSO */
	bool merge_datagrams; /* as configured */
	bool gro;	      /* watch thread: wo, atomic. TCP segments may be merged */
	/*
	 * Watch thread: wo, atomic. Datagrams to this address, the interface's own as six bytes of
	 * a word in memory, may be merged; 0: none.
	 */
	uint64_t merge_to;
	struct knit_tap_watch watch;
	struct knit_tap_pair pair[];
};

/*
 * tap_dev.c. Opens the fds of pair[].fd; logs. If netns is not -1 the net_device is made in the
 * caller's namespace, under a temporary name, and then moved to netns.
 */
int knit_tap_dev_open(struct knit_tap_iface *t, int netns);
void knit_tap_dev_close(struct knit_tap_iface *t);
int knit_tap_dev_available(bool log);

/*
 * tap_where.c. The net_device as found by its file; valid while act runs, which keeps its namespace
 * alive.
 */
struct knit_tap_place {
	struct knit_nl nl;
	struct knit_nl_link link;
	int netns; /* fd */
};

/*
 * Runs act in the namespace where the net_device is now; runs it again if the net_device moved
 * meanwhile and act returned -EAGAIN. Returns what act returned, or: -ENODEV the net_device or its
 * namespace has ended, -EAGAIN it moves all the time, -EPERM its namespace can't be entered. Takes
 * RTNL; any thread, not logged.
 */
int knit_tap_there(const struct knit_tap_iface *t,
		   int (*act)(struct knit_tap_place *place, void *arg), void *arg);
int knit_tap_link(const struct knit_tap_iface *t, struct knit_nl_link *link);
int knit_tap_set_mtu(const struct knit_tap_iface *t, uint32_t mtu);

/* tap_dev.c. Watch thread; these take RTNL. 0 or a negative errno, not logged. */
int knit_tap_set_mac(const struct knit_tap_iface *t, const uint8_t *mac);
int knit_tap_dev_carrier(const struct knit_tap_iface *t, bool on);
int knit_tap_dev_queue(const struct knit_tap_iface *t, uint16_t pair, bool attach);
int knit_tap_dev_speed(const struct knit_tap_place *place, uint32_t speed, bool full_duplex);

/*
 * Moderation, see tap_thread.c: above one frame in KNIT_TAP_BUSY_US a reader does not wait for
 * events. The pause before it looks again follows what the last one brought.
 */
#define KNIT_TAP_BUSY_US 10

static inline uint32_t knit_tap_pause_next(uint32_t us, uint64_t frames, uint32_t min, uint32_t max)
{
	const uint32_t fast_us = 4, slow_us = 8;

	if (frames * fast_us >= us && us < max)
		return us * 2;
	if (frames * slow_us < us && us > min)
		return us / 2;
	return us;
}

/*
 * tap_pair.c. init: p, which is zero, becomes the view that the engine's thread or an owner has of
 * the pair; 0 or -ENOMEM. The rest: engine thread; _rx_begin and _rx_end also an owner, as `who`,
 * enum knit_server_name. begin: true: the queue is the caller's until end. waits: frames that the
 * thread must serve. holds: frames that were read wait for buffers. must_switch: who reads the
 * device is to change, and can. bind: 0 or a negative errno.
 */
int knit_tap_pair_init(struct knit_tap_iface *t, struct knit_tap_pair *p, uint16_t index);
bool knit_tap_rx_begin(struct knit_tap_pair *p, uint32_t who);
void knit_tap_rx_end(struct knit_tap_pair *p);
bool knit_tap_rx_waits(struct knit_tap_pair *p);
bool knit_tap_tx_must_switch(const struct knit_tap_pair *p);
bool knit_tap_tx_holds(const struct knit_tap_pair *p);
void knit_tap_tx_switch(struct knit_tap_pair *p);
int knit_tap_pair_bind(struct knit_tap_pair *p, uint32_t user_doorbell);
void knit_tap_pair_unbind(struct knit_tap_pair *p);

/* tap_rx.c, tap_tx.c. Engine thread, or an owner. True: there may be more to do. */
struct knit_tap_scratch;
bool knit_tap_rx(struct knit_tap_pair *p, struct knit_tap_scratch *s, struct knit_tap_io *io,
		 const struct knit_region_table *mem);
bool knit_tap_tx(struct knit_tap_pair *p, struct knit_tap_io *io,
		 const struct knit_region_table *mem);
void knit_tap_tx_forget(struct knit_tap_pair *p); /* unbound: drops what is held */
bool knit_tap_tx_arm(struct knit_tap_pair *p);	  /* starved; as knit_ring_arm_data, flags stay */
void knit_tap_tx_disarm(struct knit_tap_pair *p);
struct knit_tap_scratch *knit_tap_scratch_new(void);

/*
 * tap_thread.c. Control plane. add: a thread serves the pair from now on: one of its own with
 * conf->thread_per_pair, else the one that all others share.
 */
int knit_tap_thread_add(struct knit_tap_pair *p, const struct knit_iface_conf *conf);
void knit_tap_thread_remove(struct knit_tap_pair *p);
int knit_tap_thread_bind(struct knit_tap_pair *p, uint32_t user_doorbell);
void knit_tap_thread_unbind(struct knit_tap_pair *p); /* in force on return; waits for it */
uint64_t knit_tap_thread_wakeups(const struct knit_tap_thread *thread);
uint32_t knit_tap_thread_doorbell(const struct knit_tap_thread *thread);

/* Starts a thread with all signals blocked that may run on every CPU of the process's cpuset. */
int knit_tap_spawn(pthread_t *thread, const char *name, void *(*run)(void *), void *arg);

/* tap_watch.c. Control plane. */
int knit_tap_watch_add(struct knit_tap_iface *t, const struct knit_iface_conf *conf);
void knit_tap_watch_remove(struct knit_tap_iface *t);
void knit_tap_watch_ring(void);

/*
 * tap_observe.c. Watch thread. Finds out whether anything would see merged frames, and stores the
 * result in gro and merge_to. It does not find ipvlan devices in other namespaces, filters of other
 * kinds than tc, nftables and iptables, and what was added since the last search. Frames to other
 * addresses than the interface's own (macvlan devices, wherever they are) and tagged frames (VLANs)
 * are never merged.
 */
void knit_tap_observe(struct knit_tap_iface *t, const struct knit_tap_place *place);
/* Stores merge_to, for the engine's thread and for owners. */
void knit_tap_merge_to(struct knit_tap_iface *t, uint64_t address);

/* tap_req.c. Watch thread. */
void knit_tap_req_bind(struct knit_tap_iface *t);
/* The net_device as it is at first: all of it counts as accepted. */
void knit_tap_req_first(struct knit_tap_iface *t, const struct knit_nl_link *link);
void knit_tap_req_link(struct knit_tap_iface *t, const struct knit_nl_link *link);
void knit_tap_req_addrs(struct knit_tap_iface *t, const struct knit_nl_addrs *addrs);
void knit_tap_req_run(struct knit_tap_iface *t);  /* takes answers, sends requests */
void knit_tap_req_tick(struct knit_tap_iface *t); /* once a second; before run */

#endif
