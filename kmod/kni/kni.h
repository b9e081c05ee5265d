/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KNI_H
#define KNI_H

#include "abi/knit_ioctl.h"
#include "datapath/kni_frame.h"
#include "datapath/kni_merge.h"
#include "datapath/kni_pages.h"
#include "datapath/kni_region.h"
#include "datapath/kni_turn.h"
#include "kni_compat.h"
#include "pure/reqstate.h"

#include <linux/eventfd.h>
#include <linux/irq_work.h>
#include <linux/jump_label.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/u64_stats_sync.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

/*
 * rte_kni: the kernel side of knit's interfaces.
 *
 *   kni_main.c      load and unload          kni_params.c  parameters
 *   kni_file.c      /dev/kni: open, close, the calls
 *   kni_create.c    an interface is made     kni_iface.c  found, queried
 *   kni_release.c   an interface is stopped
 *   kni_attach.c    attach and detach
 *   kni_mem.c       pins memory
 *   kni_thread.c    packet threads: sleep, wake, poll pairs
 *   kni_napi.c      the core's threads instead
 *   kni_doorbell.c      eventfds: the kernel's ear and its finger
 *   kni_req.c       requests and answers; reqstate (common/pure) what is to be requested
 *   kni_rxmode.c    promiscuous mode, allmulti and address lists as the net_device has them
 *   kni_net.c       net_device_ops, features, rtnl_link_ops
 *   kni_ethtool.c   ethtool_ops              kni_stats.c  counters
 * In datapath/
 *   kni_kick.c      a process serves its pair itself
 *   kni_turn.c      (pure) who serves a pair: packet thread, KICK or the core
 *   kni_poll.c      a pair's turn is its NAPI, which the core polls, too
 *   kni_region.c    (pure) turns an address into a pointer
 *   kni_frame.c     (pure) descriptors -> a checked frame; buffers for a frame
 *   kni_pages.c     (pure) memory of frames, used again
 *   kni_rx.c        rx_q -> the stack         kni_lo.c  loopback modes
 *   kni_merge.c     UDP datagrams in a row become one skb; kni_flow.c (pure) says which
 *   kni_tx.c        the stack -> tx_q
 *   kni_trace.h     tracepoints
 *
 * Objects
 *   kni_file    one per open("/dev/kni"). Lives until its last close.
 *   kni_mem     the memory of a creating file. A file outlives its interfaces, and so does it.
 *   kni_thread  a packet thread. Of a file (single) or of an interface (multiple); none with napi.
 *   kni_iface   an interface. Counted: its file's list, its net_device, every attach, each ioctl
 *               that looked it up. Ends life in three steps: it is quiet (nothing touches user
 *               memory any more), the net_device is unregistered, the last put.
 *   kni_attach  a role of a file on an interface.
 *
 * Who stops an interface: RELEASE, the last close of the creating file, or the end of its network
 * namespace (the core unregisters the net_device: ndo_uninit). Whoever comes first does it, the
 * others find it done. In the third case the owner keeps a dead handle until one of the others.
 *
 * Locks, in the order in which they are taken:
 *   kni_file.lock          interfaces and memory of one file; calls that change either are serial
 *   RTNL                   taken by create, stop; held by all ndo_* control calls
 *   kni_iface.lock         attaches, handler; never held while waiting for user space or RTNL
 *   kni_thread.lock        its list of interfaces; any context, never held during a poll
 *   kni_iface.req_lock     requests: the only producer of req_q, the only consumer of resp_q
 *   netif_addr_lock        by req_work, to read modes and lists
 *   kni_iface.req_gate     whether work may still be queued; any context
 *   HARD_TX_LOCK           of a queue, by the core around ndo_start_xmit: tx_q, alloc_q
 *   list_lock              (kni_attach.c) kni_file.attaches of all files; innermost
 * req_lock is never held while waiting for an answer.
 *
 * RCU. pair->live and mem->table are read under RCU by the packet thread and by KICK, both with
 * bottom halves off, and by ndo_start_xmit. "Nothing touches the memory any more" is: pointer
 * cleared, then synchronize_rcu(), which no user process can delay. An expedited one, which
 * interrupts all CPUs, only for files that are trusted, and under RTNL, as the core does at the end
 * of each net_device.
 *
 * What user space may write at any time: the shared block (rings, wanted) and every buffer. It is
 * read once into locals, checked, used; sizes come from the create call. What it can do to the
 * kernel is drop its own frames and wake its own thread.
 */

#define KNI_BATCH 64		     /* frames per poll of a pair */
#define KNI_BATCH_BYTES (256u << 10) /* likewise, and the rest of the last frame */
#define KNI_SYNC_MS 3000	     /* KNI's; the sum of what user space may take is less */
#define KNI_TICK_MS 1000	     /* asynchronous requests refused for the moment are repeated */

enum kni_lo_mode {
	KNI_LO_NONE,
	KNI_LO_FIFO,	 /* rx_q -> tx_q, no skb */
	KNI_LO_FIFO_SKB, /* rx_q -> skb -> tx_q */
};

enum kni_threads {
	KNI_THREADS_SINGLE,
	KNI_THREADS_MULTIPLE,
	KNI_THREADS_NAPI,
};

/* Module parameters, parsed; written at load only. */
struct kni_params {
	enum kni_lo_mode lo_mode;
	enum kni_threads threads;
	bool carrier_on;
	bool async;
	unsigned int min_interval; /* us: how long a thread that was woken by load may doze */
	unsigned int max_interval;
};
extern struct kni_params kni_params;
int kni_params_parse(void); /* at load */

/* Is there a loopback mode? It is for tests: the packet path has a branch that is patched out. */
DECLARE_STATIC_KEY_FALSE(kni_lo_key);
static inline bool kni_loopback(void)
{
	return static_branch_unlikely(&kni_lo_key);
}

/* Reject reasons and drops, one writer each: who took the turn, or the queue under HARD_TX_LOCK. */
struct kni_rx_stats {
	u64_stats_t packets, bytes, down, no_memory, free_full, kicks, kicks_over;
	u64_stats_t rejects[KNIT_REJECT_COUNT];
	struct u64_stats_sync sync;
};

struct kni_tx_stats {
	u64_stats_t packets, bytes, no_worker, too_long, bad_frame, stops, wakes;
	u64_stats_t rejects[KNIT_REJECT_COUNT];
	struct u64_stats_sync sync;
};

struct kni_req_stats {
	u64 async, sync, answered, refused, timeout, killed, detached, rxlist_over, reverted,
		cancelled;
};

/* An eventfd that user space rings. kni_doorbell_listen .. kni_doorbell_close. */
struct kni_doorbell {
	struct file *file;
	wait_queue_head_t *head;
	wait_queue_entry_t wait;
	poll_table table;
	void (*rung)(struct kni_doorbell *doorbell); /* atomic context, interrupts off */
};

/* The private halves of a pair's rings; valid while pair->live is not NULL. */
struct kni_pair {
	struct kni_turn turn ____cacheline_aligned;

	/* who took the turn */
	struct knit_ring rx_q;
	struct knit_ring free_q;
	u32 rx_hint;		/* region of the last address */
	void *netpoll;		/* kni_pair_take's, for kni_pair_give */
	struct kni_frame frame; /* scratch */
	struct kni_pages small; /* where short frames are copied to, and headers of long ones */
	struct kni_pages large; /* and the rest of these */
	struct kni_merge merge; /* scratch */
	struct kni_rx_stats rx;

	/* ndo_start_xmit, under HARD_TX_LOCK; loopback: who took the turn */
	struct knit_ring alloc_q ____cacheline_aligned;
	struct knit_ring tx_q;
	u32 pending_packets; /* taken into txbuf, not committed */
	u32 pending_bytes;
	u32 bad_index; /* of alloc_q and tx_q, as far as counted */
	struct kni_txbuf txbuf;
	struct kni_tx_stats tx;

	/*
	 * RCU. NULL: nobody serves the pair, none of its memory is touched. Written under
	 * kni_iface.lock.
	 */
	struct kni_attach __rcu *live ____cacheline_aligned;
	struct kni_iface *iface;
	u16 index;
	/*
	 * Buffers that must be on offer before a stopped queue goes on; 0: it is not waiting. Its
	 * writers are those of tx_q, but all that poll rx_q look at it, and it seldom changes.
	 */
	u32 wanted;
};

/*
 * A role of a file on an interface: pair->live or iface->handler, and in its file's list. Ended by
 * whoever finds it there under kni_iface.lock; freed after a grace period.
 */
struct kni_attach {
	struct kni_file *file;
	struct kni_iface *iface; /* counted */
	struct list_head of_file;
	struct eventfd_ctx *doorbell; /* NULL: it polls; of a handler kni_req.c has it */
};

struct kni_iface {
	u64 id;
	struct kref refs;
	struct net_device *dev; /* NULL after ndo_uninit; changes under RTNL and lock */
	struct kni_file *owner; /* creating file; NULL when stopped; changes under lock */
	struct list_head of_file;
	struct kni_mem *mem;	    /* of the creating file; until quiet */
	struct kni_thread *thread;  /* NULL: the core's threads serve it */
	struct list_head of_thread; /* those that are awake; under its lock, as the next one */
	bool has_thread;	    /* false before kni_thread_add and after kni_thread_del */
	unsigned int lazy;	    /* thread: rounds in a row that found nothing */
	/* The core's threads: kni_napi.c. */
	struct irq_work irq_work;
	atomic64_t scheduled; /* times they were to be woken */

	struct mutex lock;
	bool cut;     /* nothing can be attached any more; under lock */
	bool quiet;   /* nothing touches user memory any more, for ever; likewise */
	u32 flags;    /* KNIT_CREATE_* */
	u32 features; /* KNIT_FEAT_* */
	u32 ring_size;
	u32 n_pairs;
	u32 max_segs;
	unsigned long active; /* pairs with a live owner, a bit each; what select_queue obeys */

	/*
	 * The shared block, and where the kernel maps it; the pages are held by mem. Until quiet.
	 */
	void *shm;
	u64 shm_addr;
	size_t shm_len;
	struct kni_doorbell packet_doorbell;
	struct kni_doorbell request_doorbell;

	struct kni_attach *handler; /* under lock */

	/*
	 * Requests: kni_req.c. Under req_lock but for what is marked. A caller sleeps with RTNL
	 * held, so req_work, which takes answers and wakes it, never takes RTNL; what needs RTNL
	 * (putting a refused MTU or address back) is req_revert.
	 */
	struct mutex req_lock;
	struct eventfd_ctx *handler_doorbell; /* NULL: it polls */
	struct knit_reqstate reqstate;
	struct knit_iface_state next; /* scratch of req_work */
	struct knit_ring req_q;
	struct knit_ring resp_q;
	struct kni_req_stats req_stats;
	bool attached;		  /* somebody is the handler */
	bool trusted;		  /* the handler may be waited for; true while there is none */
	bool carrier;		  /* as the port, or sysfs, has it; shown unless up was refused */
	bool reverting;		  /* RTNL: the change that comes is req_revert's own */
	bool rx_over[2];	  /* more unicast, multicast addresses than are listed */
	wait_queue_head_t answer; /* any context: synchronous requests wait here */
	spinlock_t req_gate;	  /* any context: orders req_ended and the queueing of work */
	bool rx_changed;	  /* under req_gate: modes or lists are to be looked at */
	bool req_ended;		  /* under both: user memory is not touched any more */
	struct work_struct req_work;
	struct delayed_work req_tick;
	struct delayed_work req_revert;

	/* Link as the port has it; one writer at a time (lock), read without. */
	u32 speed;
	u8 duplex;

	struct kni_pair pair[];
};

struct kni_file {
	struct mutex lock;
	bool trusted;		   /* opened with CAP_NET_ADMIN in the initial user namespace */
	struct kni_mem *mem;	   /* NULL: not a creating file yet */
	struct kni_thread *thread; /* kthread_mode=single; while there are interfaces */
	struct list_head ifaces;
	struct list_head attaches; /* under list_lock */
};

static inline struct kni_iface *kni_iface_of(const struct net_device *dev)
{
	return *(struct kni_iface **)netdev_priv(dev);
}

/* kni_file.c */
int kni_file_register(void);
void kni_file_unregister(void);

/* kni_create.c. f->lock held. */
int kni_iface_create(struct kni_file *f, struct knit_ioc_create *c);

/* kni_iface.c. Process context. */
struct kni_iface *kni_iface_get(u64 id); /* counted, or NULL */
void kni_iface_put(struct kni_iface *i);
struct kni_iface *kni_iface_find(u64 id); /* or NULL; under RCU, any context */
bool kni_iface_may(struct kni_iface *i);  /* has the caller CAP_NET_ADMIN there? */
int kni_iface_link(struct kni_iface *i, struct knit_ioc_link *l);
/* For create, with f->lock held. */
int kni_iface_new_id(struct kni_iface *i);
void kni_iface_del_napis(struct kni_iface *i); /* idempotent; they are freed a grace period later */
void kni_iface_publish_id(struct kni_iface *i);
void kni_iface_free_id(struct kni_iface *i);

/* kni_attach.c. Never takes RTNL. */
int kni_attach_add(struct kni_file *f, struct kni_iface *i, const struct knit_ioc_attach *a);
int kni_attach_del(struct kni_file *f, struct kni_iface *i, const struct knit_ioc_attach *a);
void kni_attach_del_file(struct kni_file *f); /* all that f attached; last close */
/*
 * i->lock held. All that is attached to i goes to ended, for ever; freed a grace period later.
 */
void kni_attach_cut(struct kni_iface *i, struct list_head *ended);
void kni_attach_free(struct list_head *ended);

/* kni_stats.c. Process context. */
int kni_stats(struct kni_iface *i, struct knit_ioc_stats *s); /* of s->pair */

/* kni_release.c. Process context. */
int kni_release_id(struct kni_file *f, u64 id); /* f->lock held */
void kni_release_all(struct kni_file *f);	/* last close */
void kni_release_quiet(struct kni_iface *i);  /* nothing touches user memory any more; idempotent */
void kni_release_uninit(struct kni_iface *i); /* ndo_uninit: RTNL held; all but unregistering */

/*
 * kni_mem.c. Belongs to current->mm. The file's lock serialises all but map, unmap and table.
 * add may wait for user space (page faults), so nothing that holds more than the file's lock
 * waits for it.
 */
struct kni_mem;
struct kni_mem *kni_mem_new(void);    /* NULL: no memory */
void kni_mem_free(struct kni_mem *m); /* unpins all; nothing is mapped */
bool kni_mem_mine(const struct kni_mem *m);
int kni_mem_add(struct kni_mem *m, const struct knit_ioc_mem *r);
int kni_mem_del(struct kni_mem *m, const struct knit_ioc_mem *r);
/* Maps [addr, addr + len) of added memory in one piece; it can't be deleted until unmapped. */
void *kni_mem_map(struct kni_mem *m, u64 addr, size_t len); /* ERR_PTR */
void kni_mem_unmap(struct kni_mem *m, void *shm, u64 addr, size_t len);
/* Packet path, under RCU. Never NULL. */
const struct kni_region_table *kni_mem_table(const struct kni_mem *m);

/* kni_thread.c */
int kni_thread_start(void); /* at load: follows CPUs that go and come back */
void kni_thread_stop(void);
/*
 * i gets a packet thread, or shares that of f; f->lock held. cpu -1: any. Of a file that is not
 * trusted it runs at the current process' expense, as a thread of that where the kernel can do so.
 * put stops the thread with its last interface; f has forgotten i.
 */
int kni_thread_take(struct kni_file *f, struct kni_iface *i, int cpu);
void kni_thread_put(struct kni_file *f, struct kni_iface *i);
void kni_thread_add(struct kni_iface *i);
/*
 * No pair of i is live, nor was during a grace period, and its doorbell is closed: a poll that has
 * begun touches nothing, and nobody wakes it again.
 */
void kni_thread_del(struct kni_iface *i);
/*
 * Any context. i is polled soon, in both directions. Its flags are down from now on, so that user
 * space does not ring with every frame until then.
 */
void kni_thread_rung(struct kni_iface *i);
u64 kni_thread_wakeups(const struct kni_iface *i);

/*
 * kni_napi.c: kthread_mode=napi. start: its net_device is not registered yet. quiet: its doorbell
 * is closed and no pair of it is live. The threads end with their NAPIs.
 */
int kni_napi_start(struct kni_iface *i, int cpu); /* -1: any */
void kni_napi_quiet(struct kni_iface *i);
void kni_napi_rung(struct kni_iface *i); /* as kni_thread_rung; by a process with BH off */

/* kni_doorbell.c */
int kni_doorbell_listen(struct kni_doorbell *b, int fd,
			void (*rung)(struct kni_doorbell *doorbell));
void kni_doorbell_close(
	struct kni_doorbell *b); /* on return rung is not running and not called again */
void kni_doorbell_ring(struct eventfd_ctx *ctx); /* NULL does nothing; any context */

/*
 * kni_kick.c. Process context. A process that KICKs does what the packet thread would do, with its
 * bounds, in its own context and on its own account; what is left after one visit is the thread's.
 * All of it is one RCU section with bottom halves off, so a caller that is killed leaves when it is
 * through, and for detach, release and unloading it is what a poll of the thread is. Nothing is
 * held while the stack has the frames but the turn, which is only ever tried: a frame may come back
 * through any net_device, ours included.
 */
int kni_kick(struct kni_file *f, const struct knit_ioc_kick *k);

/*
 * kni_poll.c. The pair's turn (kni_turn.h), with bottom halves off. take, give: packet thread and
 * KICK; frames: those that were taken. True: the pair is to be armed.
 */
bool kni_pair_take(struct kni_pair *p);
bool kni_pair_give(struct kni_pair *p, unsigned int frames);
int kni_napi_poll(struct napi_struct *napi, int budget); /* the core's */

/* kni_rx.c. By who took the turn, bottom halves off, rcu_read_lock held. */
unsigned int kni_rx(struct kni_pair *p, const struct kni_attach *live, u32 most); /* frames taken */
/*
 * The last step before p->live is published: its rings are bound and claimed, the rest starts anew.
 * Nobody else looks at the pair but a kni_tx that found no owner, so HARD_TX_LOCK is held.
 */
void kni_pair_reset(struct kni_pair *p);
void kni_pair_init(struct kni_pair *p); /* once; its memory is zero */
void kni_pair_free(struct kni_pair *p); /* before the interface's memory goes */

/* kni_lo.c, likewise, in place of kni_rx. arm in place of kni_turn_arm: packet thread. */
unsigned int kni_lo(struct kni_pair *p, const struct kni_attach *live);
bool kni_lo_arm(struct kni_pair *p);
void kni_lo_disarm(struct kni_pair *p);

/*
 * kni_tx.c
 *
 * Stop and wake. Under HARD_TX_LOCK kni_tx stops the queue for want of p->wanted buffers, raises
 * alloc_q.need_data and tx_q.need_space, and looks again (E). User space, after it submitted to
 * the one or released the other, sees a flag (F) and rings or KICKs; kni_tx_wake is called, which
 * takes the same lock. A dead user leaves the queue stopped until detach wakes it.
 */
netdev_tx_t kni_tx(struct sk_buff *skb, struct net_device *dev); /* ndo_start_xmit */
u16 kni_tx_select(struct net_device *dev, struct sk_buff *skb, struct net_device *sb_dev);
netdev_features_t kni_tx_features(struct sk_buff *skb, struct net_device *dev,
				  netdev_features_t features); /* ndo_features_check */
void kni_tx_wake(struct kni_pair *p); /* bottom halves off, pair is live, taken or not */
/*
 * For the producer of tx_q: HARD_TX_LOCK, or who took the turn in a loopback mode. put: one skb,
 * which stays the caller's. 0, 1: dropped and counted, -EBUSY: no room now, p->wanted says how much
 * is. count and take are its halves, behind kni_txbuf_find and behind the copy. commit: user space
 * sees what was put.
 */
int kni_tx_put(struct kni_pair *p, struct sk_buff *skb);
void kni_tx_count(struct kni_pair *p, enum kni_fit fit);
void kni_tx_take(struct kni_pair *p, u32 len);
void kni_tx_commit(struct kni_pair *p, const struct kni_attach *live);
bool kni_tx_arm(struct kni_pair *p); /* false: p->wanted buffers are there; flags are down */
void kni_tx_disarm(struct kni_pair *p);

/* kni_req.c. Process context but for what is marked; takes req_lock, so not with it held. */
int kni_req_start(void); /* at load: its workqueue */
void kni_req_stop(void);
/*
 * shm, flags and the net_device's MTU and address are set, it is not registered yet. Sets the
 * carrier, and with KNIT_CREATE_ATTACHED the creator is the handler from now on.
 */
void kni_req_init(struct kni_iface *i);
/*
 * Synchronous requests end with -ENODEV, no work runs or is queued afterwards, user memory is not
 * touched any more. Idempotent, with or without RTNL. Call it before RTNL is taken to stop an
 * interface: a synchronous request may be holding it. The request doorbell is still open, or was
 * closed before.
 */
void kni_req_end(struct kni_iface *i);
void kni_req_rung(struct kni_doorbell *doorbell); /* request_doorbell's; any context */
/*
 * Another handler: requests on their way are cancelled, asynchronous ones are sent again. doorbell:
 * counted, kept on success; NULL: it polls. Not trusted: nobody waits for it. -EBADMSG: the ring
 * indexes contradict each other; -ENODEV: ended.
 */
int kni_req_handler(struct kni_iface *i, struct eventfd_ctx *doorbell, bool trusted);
/*
 * The handler detached: synchronous requests end with -ENOTCONN at once. With KNIT_CREATE_ATTACHED
 * the creator is the handler again.
 */
void kni_req_no_handler(struct kni_iface *i);
/* Carrier as the port has it. Returns whether there was one before. */
bool kni_req_carrier(struct kni_iface *i, bool on);
void kni_req_stats(struct kni_iface *i, struct knit_ioc_stats *out); /* its req_ counters */

/*
 * kni_rxmode.c. req_lock held: takes modes and address lists as the net_device has them at one
 * moment over into i->reqstate. True: they changed.
 */
bool kni_rxmode_sync(struct kni_iface *i);

/*
 * RTNL, from ndo_*. A synchronous request waits up to KNI_SYNC_MS. Requests are asynchronous with
 * KNIT_CREATE_ASYNC, and for a handler that is not trusted.
 */
int kni_req_up(struct kni_iface *i);
void kni_req_down(struct kni_iface *i);
int kni_req_mtu(struct kni_iface *i, u32 mtu);
int kni_req_mac(struct kni_iface *i, const u8 *mac);
void kni_req_rx_mode(struct kni_iface *i); /* any context: modes or lists changed */

/* kni_net.c, kni_ethtool.c */
extern const struct net_device_ops kni_net_ops;
extern const struct ethtool_ops kni_ethtool_ops;
/*
 * With the module: the kind of link, and what net_devices above an interface tell (kni_rxmode_sync
 * reads who they are).
 */
int kni_net_register(void);
void kni_net_unregister(void);
void kni_net_setup(struct net_device *dev);		     /* alloc_netdev's setup */
void kni_net_features(struct net_device *dev, u32 features); /* KNIT_FEAT_* */

#endif
