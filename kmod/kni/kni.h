/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KNI_H
#define KNI_H

#include "abi/knit_ioctl.h"
#include "kni_compat.h"
#include "kni_region.h"
#include "kni_want.h"

#include <linux/eventfd.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/rcupdate.h>
#include <linux/u64_stats_sync.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

/*
 * rte_kni: the kernel side of knit's interfaces.
 *
 *   kni_main.c      parameters, load and unload
 *   kni_file.c      /dev/kni: open, close, the calls
 *   kni_iface.c     interfaces: create, release, find; attach and detach
 *   kni_mem.c       pins memory; kni_region.c (pure) turns an address into a pointer
 *   kni_thread.c    packet threads: sleep, wake, visit pairs
 *   kni_bell.c      eventfds: the kernel's ear and its finger
 *   kni_frame.c     (pure) descriptors -> a checked frame; buffers for a frame
 *   kni_rx.c        rx_q -> the stack         kni_lo.c  loopback modes
 *   kni_tx.c        the stack -> tx_q
 *   kni_req.c       requests: asks, posts, answers; kni_want.c (pure) what is to be posted
 *   kni_net.c       net_device_ops, features, rtnl_link_ops
 *   kni_ethtool.c   ethtool_ops
 *   kni_trace.h     tracepoints
 *
 * Objects
 *   kni_file    one per open("/dev/kni"). Lives until its last close.
 *   kni_mem     the memory of a creating file. Counted: its file and every interface hold one.
 *   kni_thread  a packet thread. Of a file (single) or of an interface (multiple).
 *   kni_iface   an interface. Counted: its file's list, its net_device, every attach, each ioctl
 *               that looked it up. Ends life in two steps: kni_iface_stop (nothing touches
 *               user memory any more; the net_device is unregistered) and the last put.
 *   kni_attach  a role of a file on an interface.
 *
 * Who stops an interface: RELEASE, the last close of the creating file, or the end of its network
 * namespace (the core unregisters the net_device: ndo_uninit). Whoever comes first does it, the
 * others find it done.
 *
 * Locks, in the order in which they are taken:
 *   kni_file.lock          lists and memory of one file; ioctls of one file are serial
 *   RTNL                   taken by create, stop; held by all ndo_* control calls
 *   kni_iface.lock         attaches, handler; never held while waiting for user space
 *   kni_thread.lock        its list of interfaces; held by the thread during one visit to all of
 *                          them (bounded work, never waits)
 *   kni_iface.req_lock     requests: the only producer of req_q, the only consumer of resp_q
 *   HARD_TX_LOCK           of a queue, by the core around ndo_start_xmit: tx_q, alloc_q
 * req_lock is never held while waiting for an answer. Under kni_thread.lock RTNL is never taken,
 * so ndo_* calls may take it.
 *
 * RCU. pair->live and mem->table are read under RCU by the packet thread (with bottom halves off)
 * and by ndo_start_xmit. "Nothing touches the memory any more" is: pointer cleared, then
 * synchronize_rcu(), which no user process can delay.
 *
 * What user space may write at any time: the shared block (rings, wanted) and every buffer. It is
 * read once into locals, checked, used; sizes come from the create call. What it can do to the
 * kernel is drop its own frames and wake its own thread.
 */

#define KNI_BATCH 64	   /* frames per visit of a pair */
#define KNI_PEEK 256	   /* descriptors per visit of a pair; more than a chain */
#define KNI_MIN_BUFFER 256 /* smallest buffer taken from alloc_q */
#define KNI_ASK_MS 3000	   /* KNI's; the sum of what user space may take is less */

enum kni_lo_mode {
	KNI_LO_NONE,
	KNI_LO_FIFO,	 /* rx_q -> tx_q, no skb */
	KNI_LO_FIFO_SKB, /* rx_q -> skb -> tx_q */
};

/* Module parameters, parsed; written at load only. */
struct kni_params {
	enum kni_lo_mode lo_mode;
	bool threads_multiple;
	bool carrier_on;
	bool bifurcated;
	unsigned int min_interval; /* us: how long a thread that was woken by load may doze */
	unsigned int max_interval;
};
extern struct kni_params kni_params;

/* Reject reasons and drops, one writer each: the packet thread, or the queue under HARD_TX_LOCK. */
struct kni_rx_stats {
	u64_stats_t packets, bytes, kernel, down, no_memory, free_full;
	u64_stats_t rejects[KNIT_REJECT_COUNT];
	struct u64_stats_sync sync;
};

struct kni_tx_stats {
	u64_stats_t packets, bytes, no_worker, too_long, bad_frame, stops, wakes;
	u64_stats_t rejects[KNIT_REJECT_COUNT];
	struct u64_stats_sync sync;
};

/* An eventfd that user space rings. kni_bell_listen .. kni_bell_close. */
struct kni_bell {
	struct file *file;
	wait_queue_head_t *head;
	wait_queue_entry_t wait;
	poll_table table;
	void (*rung)(struct kni_bell *bell); /* atomic context, interrupts off */
};

/* The private halves of a pair's rings; valid while pair->live is not NULL. */
struct kni_pair {
	/* packet thread */
	struct knit_ring rx_q ____cacheline_aligned;
	struct knit_ring free_q;
	u32 rx_hint; /* region of the last address */
	struct kni_rx_stats rx;
	struct napi_struct napi;

	/* ndo_start_xmit, under HARD_TX_LOCK; loopback: packet thread */
	struct knit_ring alloc_q ____cacheline_aligned;
	struct knit_ring tx_q;
	u32 tx_hint;
	u32 wanted; /* buffers that must be on offer before the queue is woken */
	struct kni_tx_stats tx;

	/*
	 * RCU. NULL: nobody serves the pair, none of its memory is touched. Written under
	 * kni_iface.lock.
	 */
	struct kni_attach __rcu *live ____cacheline_aligned;
	struct kni_iface *iface;
	u16 index;
};

/* A role of a file on an interface. Freed after a grace period. */
struct kni_attach {
	struct kni_file *file;
	struct kni_iface *iface; /* counted */
	struct list_head of_file;
	struct eventfd_ctx *bell; /* NULL: it polls */
	u32 role;		  /* KNIT_ROLE_* */
	u32 pair;
	struct rcu_head rcu;
};

struct kni_iface {
	u64 id;
	struct kref refs;
	struct net_device *dev; /* valid until gone; RTNL or kni_iface.lock to use */
	struct kni_file *owner; /* creating file; only under its lock */
	struct list_head of_file;
	struct kni_mem *mem; /* counted */
	struct kni_thread *thread;
	struct list_head of_thread;
	struct mutex lock;
	bool gone;    /* stopped; under lock */
	u32 flags;    /* KNIT_CREATE_* */
	u32 features; /* KNIT_FEAT_* */
	u32 ring_size;
	u32 n_pairs;
	u32 max_segs;
	unsigned long active; /* pairs with a live owner, a bit each; what select_queue obeys */

	/* The shared block as the kernel maps it; the pages are held by mem. */
	void *shm;
	struct kni_bell packet_bell;
	struct kni_bell request_bell;

	/* Requests: kni_req.c. */
	struct mutex req_lock;
	struct kni_attach *handler;	  /* under lock */
	struct eventfd_ctx *handler_bell; /* counted copy; under req_lock */
	struct work_struct req_work;
	wait_queue_head_t answer; /* asks wait here */
	struct kni_want want;	  /* under req_lock */
	struct knit_ring req_q;	  /* likewise */
	struct knit_ring resp_q;  /* likewise */

	/* Link as the port has it. */
	u32 speed;
	u8 duplex;

	struct kni_pair pair[];
};

struct kni_file {
	struct mutex lock;
	struct net *net;	   /* of the opener; counted */
	struct kni_mem *mem;	   /* NULL: not a creating file yet */
	struct kni_thread *thread; /* kthread_mode=single */
	struct list_head ifaces;
	struct list_head attaches;
};

static inline struct kni_iface *kni_iface_of(const struct net_device *dev)
{
	return *(struct kni_iface **)netdev_priv(dev);
}

/* kni_file.c */
int kni_file_register(void);
void kni_file_unregister(void);

/* kni_iface.c. Process context; may take RTNL unless said otherwise. */
int kni_iface_create(struct kni_file *f, struct knit_ioc_create *c); /* f->lock held */
void kni_iface_stop(struct kni_iface *i);			     /* idempotent */
void kni_iface_uninit(struct kni_iface *i); /* ndo_uninit: RTNL held; all but unregistering */
struct kni_iface *kni_iface_get(u64 id);    /* counted, or NULL */
void kni_iface_put(struct kni_iface *i);
bool kni_iface_may(const struct kni_iface *i); /* has the caller CAP_NET_ADMIN there? */
int kni_iface_attach(struct kni_file *f, const struct knit_ioc_attach *a); /* f->lock held */
int kni_iface_detach(struct kni_file *f, const struct knit_ioc_attach *a); /* f->lock held */
void kni_attach_end(struct kni_attach *a); /* its file's lock held; on return nothing is touched */
int kni_iface_link(struct kni_iface *i, struct knit_ioc_link *l);
void kni_iface_stats(struct kni_iface *i, u32 pair, struct knit_ioc_stats *out);

/* kni_mem.c */
struct kni_mem;
struct kni_mem *kni_mem_new(void); /* belongs to current->mm */
void kni_mem_get(struct kni_mem *m);
void kni_mem_put(struct kni_mem *m);
int kni_mem_add(struct kni_mem *m, const struct knit_ioc_mem *r);
int kni_mem_del(struct kni_mem *m, const struct knit_ioc_mem *r);
/* Maps [addr, addr + len) of added memory in one piece; it can't be deleted until unmapped. */
void *kni_mem_map(struct kni_mem *m, u64 addr, size_t len); /* ERR_PTR */
void kni_mem_unmap(struct kni_mem *m, void *shm, u64 addr, size_t len);
/* Packet path, under RCU. Never NULL. */
const struct kni_region_table *kni_mem_table(const struct kni_mem *m);

/* kni_thread.c */
struct kni_thread *kni_thread_new(const char *name, int cpu); /* cpu -1: any; ERR_PTR */
void kni_thread_free(struct kni_thread *t);		      /* stops it; has no interfaces */
void kni_thread_add(struct kni_thread *t, struct kni_iface *i);
void kni_thread_del(struct kni_thread *t, struct kni_iface *i); /* on return it is not visited */
void kni_thread_wake(struct kni_thread *t);			/* any context */
u64 kni_thread_wakeups(const struct kni_thread *t);

/* kni_bell.c */
int kni_bell_listen(struct kni_bell *b, int fd, void (*rung)(struct kni_bell *bell));
void kni_bell_close(struct kni_bell *b); /* on return rung is not running and not called again */
void kni_bell_ring(struct eventfd_ctx *ctx); /* NULL does nothing; any context */

/* kni_rx.c. Packet thread, bottom halves off, rcu_read_lock held. */
unsigned int kni_rx(struct kni_pair *p, const struct kni_attach *live); /* frames taken */
bool kni_rx_arm(struct kni_pair *p); /* true: sleep; flags are up */
void kni_rx_disarm(struct kni_pair *p);
unsigned int kni_lo(struct kni_pair *p, const struct kni_attach *live); /* in place of kni_rx */

/* kni_tx.c */
netdev_tx_t kni_tx(struct sk_buff *skb, struct net_device *dev); /* ndo_start_xmit */
u16 kni_tx_select(struct net_device *dev, struct sk_buff *skb, struct net_device *sb_dev);
void kni_tx_wake(struct kni_pair *p, const struct kni_attach *live); /* packet thread */
/* One skb to tx_q; HARD_TX_LOCK or loopback. 0, -EBUSY: no room now, or dropped and counted: 1. */
int kni_tx_put(struct kni_pair *p, const struct kni_attach *live, struct sk_buff *skb);

/* kni_req.c */
void kni_req_init(struct kni_iface *i);
void kni_req_end(struct kni_iface *i); /* no work runs or is queued afterwards */
int kni_req_ask(struct kni_iface *i, enum knit_req_kind kind, const void *value); /* RTNL */
void kni_req_changed(struct kni_iface *i); /* any context: look at the net_device and post */
void kni_req_handler(struct kni_iface *i,
		     struct eventfd_ctx *bell); /* new handler; NULL bell: polls */
void kni_req_no_handler(struct kni_iface *i);	/* pending asks end with -ENOTCONN */

/* kni_net.c, kni_ethtool.c */
extern const struct net_device_ops kni_net_ops;
extern const struct ethtool_ops kni_ethtool_ops;
extern struct rtnl_link_ops kni_link_ops;
void kni_net_setup(struct net_device *dev);		     /* alloc_netdev's setup */
void kni_net_features(struct net_device *dev, u32 features); /* KNIT_FEAT_* */

#endif
