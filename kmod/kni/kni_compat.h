/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KNI_COMPAT_H
#define KNI_COMPAT_H

#include <linux/etherdevice.h>
#include <linux/eventfd.h>
#include <linux/mm.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/skbuff.h>
#include <linux/u64_stats_sync.h>
#ifdef KNI_HAS_GRO_FLUSH_INLINE
#include <net/gro.h>
#endif

/*
 * Everything that differs between kernels, 5.10 to the newest. What this one has is told by
 * KNI_HAS_*, see Kbuild; nothing but kni_merge.h asks for the version. What a kernel lacks is
 * written here as the newest ones have it.
 */
#ifndef CONFIG_64BIT
#error "rte_kni needs a 64-bit kernel"
#endif

#if defined(KNI_HAS_VHOST_TASK) && defined(KNI_HAS_VHOST_TASK_KILL)
#define KNI_OF_CREATOR
#include <linux/sched/signal.h>
#include <linux/sched/vhost_task.h>
#endif

/* Since 5.12 */
#ifndef NETIF_F_GRO_UDP_FWD
#define NETIF_F_GRO_UDP_FWD 0
#endif

/* Does something look at frames before the stack does: tc, BPF or netfilter at the ingress? */
static inline bool kni_has_ingress(const struct net_device *dev)
{
	bool has = false;

#ifdef CONFIG_NETFILTER_INGRESS
	has |= rcu_access_pointer(dev->nf_hooks_ingress) != NULL;
#endif
#ifdef CONFIG_NET_XGRESS
	has |= rcu_access_pointer(dev->tcx_ingress) != NULL;
#elif defined(CONFIG_NET_CLS_ACT)
	has |= rcu_access_pointer(dev->miniq_ingress) != NULL;
#endif
	return has;
}

/*
 * A thread of the current process, for vhost_task_start: charged to its cgroups, within its CPUs.
 * It calls once(arg) again and again, until it is stopped or the process is killed. NULL: this
 * kernel has none; ERR_PTR. That of Linux 6.4 to 6.9 is not taken: it goes on in a killed process
 * while another one has the file, and until it ends nobody can collect that process.
 */
#ifdef KNI_OF_CREATOR
static inline void kni_no_care(void *arg)
{
}

static inline struct vhost_task *kni_vhost_task(bool (*once)(void *), void *arg, const char *name)
{
	struct vhost_task *t = vhost_task_create(once, kni_no_care, arg, name);

	/* With a signal pending no thread is made; older ones don't say so. */
	return t ?: ERR_PTR(signal_pending(current) ? -ERESTARTNOINTR : -ENOMEM);
}
#else
struct vhost_task;

static inline struct vhost_task *kni_vhost_task(bool (*once)(void *), void *arg, const char *name)
{
	return NULL;
}

static inline void vhost_task_start(struct vhost_task *t)
{
}

static inline void vhost_task_stop(struct vhost_task *t)
{
}
#endif

/* -EINTR: a fatal signal came first. Newer kernels do not export it. */
static inline int kni_rtnl_lock(void)
{
#ifdef KNI_HAS_RTNL_LOCK_KILLABLE
	return rtnl_lock_killable();
#else
	rtnl_lock();
	return 0;
#endif
}

static inline void kni_eventfd_signal(struct eventfd_ctx *ctx)
{
#ifdef KNI_HAS_EVENTFD_NO_COUNT
	eventfd_signal(ctx);
#else
	eventfd_signal(ctx, 1);
#endif
}

/* Bottom halves off. data: size bytes of a page with a reference for it. */
static inline struct sk_buff *kni_build_skb(void *data, unsigned int size)
{
#ifdef KNI_HAS_NAPI_BUILD_SKB
	return napi_build_skb(data, size);
#else
	return build_skb(data, size);
#endif
}

/* On 64 bits both are plain loads and a compiler barrier. */
static inline unsigned int kni_stats_begin(const struct u64_stats_sync *sync)
{
	return u64_stats_fetch_begin(sync);
}

static inline bool kni_stats_retry(const struct u64_stats_sync *sync, unsigned int start)
{
	return u64_stats_fetch_retry(sync, start);
}

/* Enabled all its life. hidden: sockets can't find it, so nobody busy-polls it. */
static inline void kni_napi_add(struct net_device *dev, struct napi_struct *napi,
				int (*poll)(struct napi_struct *, int), bool hidden)
{
	if (hidden)
		set_bit(NAPI_STATE_NO_BUSY_POLL, &napi->state);
#ifdef KNI_HAS_NAPI_ADD_WEIGHT
	netif_napi_add_weight(dev, napi, poll, NAPI_POLL_WEIGHT);
#else
	netif_napi_add(dev, napi, poll, NAPI_POLL_WEIGHT);
#endif
	napi_enable(napi);
}

/*
 * Before the net_device is registered: its NAPIs get threads, or sysfs decides again. -EOPNOTSUPP:
 * this kernel has none.
 */
#if defined(KNI_HAS_NETIF_THREADED_ENABLE)
#define KNI_THREADED 1
static inline int kni_napi_set_threaded(struct net_device *dev)
{
	netif_threaded_enable(dev);
	return 0;
}
#elif defined(KNI_HAS_DEV_SET_THREADED)
#define KNI_THREADED 1
static inline int kni_napi_set_threaded(struct net_device *dev)
{
	return dev_set_threaded(dev, true);
}
#else
#define KNI_THREADED 0
static inline int kni_napi_set_threaded(struct net_device *dev)
{
	return -EOPNOTSUPP;
}
#endif

static inline struct task_struct *kni_napi_thread(const struct napi_struct *napi)
{
#if KNI_THREADED
	return napi->thread;
#else
	return NULL;
#endif
}

static inline bool kni_napi_is_threaded(const struct napi_struct *napi)
{
#if KNI_THREADED
	return test_bit(NAPI_STATE_THREADED, &napi->state);
#else
	return false;
#endif
}

/* Idempotent. A grace period later it may be freed. */
static inline void kni_napi_del(struct napi_struct *napi)
{
	if (!test_bit(NAPI_STATE_LISTED, &napi->state))
		return;
	napi_disable(napi);
	__netif_napi_del(napi);
}

static inline void kni_hw_addr_set(struct net_device *dev, const u8 *addr)
{
#ifdef KNI_HAS_HW_ADDR_SET
	eth_hw_addr_set(dev, addr);
#else
	ether_addr_copy(dev->dev_addr, addr);
#endif
}

/* RTNL held. */
static inline int kni_set_mac(struct net_device *dev, const u8 *addr)
{
#ifdef KNI_HAS_MAC_STORAGE
	struct sockaddr_storage ss = { .ss_family = dev->type };

	memcpy(ss.__data, addr, ETH_ALEN);
	return dev_set_mac_address(dev, &ss, NULL);
#else
	struct sockaddr sa = { .sa_family = dev->type };

	memcpy(sa.sa_data, addr, ETH_ALEN);
	return dev_set_mac_address(dev, &sa, NULL);
#endif
}

#ifdef KNI_HAS_KERNEL_RINGPARAM
#define KNI_GET_RINGPARAM(name)                                      \
	name(struct net_device *dev, struct ethtool_ringparam *ring, \
	     struct kernel_ethtool_ringparam *kernel_ring, struct netlink_ext_ack *extack)
#else
#define KNI_GET_RINGPARAM(name) name(struct net_device *dev, struct ethtool_ringparam *ring)
#endif

static inline void kni_set_tso_max(struct net_device *dev, unsigned int bytes, u16 segments)
{
#ifdef KNI_HAS_TSO_MAX
	netif_set_tso_max_size(dev, bytes);
	netif_set_tso_max_segs(dev, segments);
#else
	netif_set_gso_max_size(dev, bytes);
	dev->gso_max_segs = segments;
#endif
}

/*
 * Does the stack have frames of TCP that are longer than 64 KiB? Since 5.19 of IPv6, since 6.3 of
 * IPv4; which ones are sent is the stack's to know.
 */
#if defined(KNI_HAS_TSO_MAX) && defined(GSO_LEGACY_MAX_SIZE)
#define KNI_FEAT_BIG_TCP KNIT_FEAT_BIG_TCP
#else
#define KNI_FEAT_BIG_TCP 0
#endif

/* May a page be pinned for long and written: anonymous, shmem or hugetlb, not a file system's. */
static inline bool kni_page_is_memory(struct page *page)
{
#ifdef KNI_HAS_FOLIO_HUGETLB
	struct folio *folio = page_folio(page);

	return folio_test_anon(folio) || folio_test_swapbacked(folio) || folio_test_hugetlb(folio);
#else
	struct page *head = compound_head(page);

	return PageAnon(head) || PageSwapBacked(head) || PageHuge(head);
#endif
}

/* Is it the first page of a hugetlb page of that size? */
static inline bool kni_page_is_huge(struct page *page, unsigned long size)
{
#ifdef KNI_HAS_FOLIO_HUGETLB
	struct folio *folio = page_folio(page);

	return folio_test_hugetlb(folio) && folio_size(folio) == size &&
	       folio_page(folio, 0) == page;
#else
	return PageHuge(page) && page == compound_head(page) && page_size(page) == size;
#endif
}

#endif
