/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KNI_COMPAT_H
#define KNI_COMPAT_H

#include <linux/etherdevice.h>
#include <linux/eventfd.h>
#include <linux/mm.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/u64_stats_sync.h>
#include <linux/version.h>

/*
 * Everything that differs between kernels, 5.10 to the newest; no other file asks for the version.
 * What a kernel lacks is written here as the newest ones have it, under a name of our own where
 * older ones may have got it in a stable update.
 */
#define KNI_SINCE(major, minor) (LINUX_VERSION_CODE >= KERNEL_VERSION(major, minor, 0))

#ifndef CONFIG_64BIT
#error "rte_kni needs a 64-bit kernel"
#endif

#if KNI_SINCE(5, 17)
#include <net/gro.h>
#endif

#ifdef KNI_HAS_VHOST_TASK
#include <linux/sched/signal.h>
#include <linux/sched/vhost_task.h>
#endif

/* Since 5.12 */
#ifndef NETIF_F_GRO_UDP_FWD
#define NETIF_F_GRO_UDP_FWD 0
#endif

/*
 * The switch of kni_merge.h. Up to these versions the stack takes the truesize of all others from
 * the first datagram of a list when it cuts it; from them on the first one keeps its own. A kernel
 * that says it is older may be a distribution's that has the change, too: it can't be told. (Still
 * older ones could crash when somebody had pulled a part of a list to the front.)
 */
#define KNI_STABLE(major, minor, patch)                               \
	(LINUX_VERSION_CODE >= KERNEL_VERSION(major, minor, patch) && \
	 LINUX_VERSION_CODE < KERNEL_VERSION(major, minor + 1, 0))
#if KNI_SINCE(6, 19) || KNI_STABLE(6, 18, 6) || KNI_STABLE(6, 12, 66) || KNI_STABLE(6, 6, 121) || \
	KNI_STABLE(6, 1, 161)
#define KNI_F_MERGE NETIF_F_LRO
#else
#define KNI_F_MERGE 0
#endif

/* Does something look at frames before the stack does: tc, BPF or netfilter at the ingress? */
static inline bool kni_has_ingress(const struct net_device *dev)
{
	bool has = false;

#ifdef CONFIG_NETFILTER_INGRESS
	has |= rcu_access_pointer(dev->nf_hooks_ingress) != NULL;
#endif
#if KNI_SINCE(6, 6)
#ifdef CONFIG_NET_XGRESS
	has |= rcu_access_pointer(dev->tcx_ingress) != NULL;
#endif
#elif defined(CONFIG_NET_CLS_ACT)
	has |= rcu_access_pointer(dev->miniq_ingress) != NULL;
#endif
	return has;
}

/*
 * A thread of the current process, for vhost_task_start: charged to its cgroups, within its CPUs.
 * It calls once(arg) again and again, until it is stopped; from Linux 6.10 on also until the
 * process is killed. NULL: this kernel has none; ERR_PTR.
 */
#ifdef KNI_HAS_VHOST_TASK
static inline void kni_no_care(void *arg)
{
}

static inline struct vhost_task *kni_vhost_task(bool (*once)(void *), void *arg, const char *name)
{
	struct vhost_task *t;

#ifdef KNI_HAS_VHOST_TASK_KILL
	t = vhost_task_create(once, kni_no_care, arg, name);
#else
	t = vhost_task_create(once, arg, name);
#endif
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
#if KNI_SINCE(6, 13)
	rtnl_lock();
	return 0;
#else
	return rtnl_lock_killable();
#endif
}

static inline void kni_eventfd_signal(struct eventfd_ctx *ctx)
{
#if KNI_SINCE(6, 8)
	eventfd_signal(ctx);
#else
	eventfd_signal(ctx, 1);
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

/*
 * Enabled, though nothing ever schedules it: the core waits for one that is disabled when threaded
 * mode is switched off. Sockets can't find it, so nobody polls it.
 */
static inline void kni_napi_add(struct net_device *dev, struct napi_struct *napi,
				int (*poll)(struct napi_struct *, int))
{
	set_bit(NAPI_STATE_NO_BUSY_POLL, &napi->state);
#if KNI_SINCE(6, 1)
	netif_napi_add(dev, napi, poll);
#else
	netif_napi_add(dev, napi, poll, NAPI_POLL_WEIGHT);
#endif
	napi_enable(napi);
}

/* Idempotent. A grace period later it may be freed. */
static inline void kni_napi_del(struct napi_struct *napi)
{
	if (!test_bit(NAPI_STATE_LISTED, &napi->state))
		return;
	napi_disable(napi);
	__netif_napi_del(napi);
}

/*
 * Hands over what napi_gro_receive merged or batched. The flush of the batch is not exported, but
 * it is netif_receive_skb_list of the list.
 */
static inline void kni_gro_flush(struct napi_struct *napi)
{
	LIST_HEAD(batch);

	napi_gro_flush(napi, false);
#if KNI_SINCE(6, 15)
	list_splice_init(&napi->gro.rx_list, &batch);
	napi->gro.rx_count = 0;
#else
	list_splice_init(&napi->rx_list, &batch);
	napi->rx_count = 0;
#endif
	netif_receive_skb_list(&batch);
}

static inline void kni_hw_addr_set(struct net_device *dev, const u8 *addr)
{
#if KNI_SINCE(5, 17)
	eth_hw_addr_set(dev, addr);
#else
	ether_addr_copy(dev->dev_addr, addr);
#endif
}

/* RTNL held. */
static inline int kni_set_mac(struct net_device *dev, const u8 *addr)
{
#if KNI_SINCE(6, 16)
	struct sockaddr_storage ss = { .ss_family = dev->type };

	memcpy(ss.__data, addr, ETH_ALEN);
	return dev_set_mac_address(dev, &ss, NULL);
#else
	struct sockaddr sa = { .sa_family = dev->type };

	memcpy(sa.sa_data, addr, ETH_ALEN);
	return dev_set_mac_address(dev, &sa, NULL);
#endif
}

#if KNI_SINCE(5, 17)
#define KNI_GET_RINGPARAM(name)                                      \
	name(struct net_device *dev, struct ethtool_ringparam *ring, \
	     struct kernel_ethtool_ringparam *kernel_ring, struct netlink_ext_ack *extack)
#else
#define KNI_GET_RINGPARAM(name) name(struct net_device *dev, struct ethtool_ringparam *ring)
#endif

static inline void kni_set_tso_max(struct net_device *dev, unsigned int bytes, u16 segments)
{
#if KNI_SINCE(5, 19)
	netif_set_tso_max_size(dev, bytes);
	netif_set_tso_max_segs(dev, segments);
#else
	netif_set_gso_max_size(dev, bytes);
	dev->gso_max_segs = segments;
#endif
}

/* May a page be pinned for long and written: anonymous, shmem or hugetlb, not a file system's. */
static inline bool kni_page_is_memory(struct page *page)
{
#if KNI_SINCE(5, 17)
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
#if KNI_SINCE(5, 17)
	struct folio *folio = page_folio(page);

	return folio_test_hugetlb(folio) && folio_size(folio) == size &&
	       folio_page(folio, 0) == page;
#else
	return PageHuge(page) && page == compound_head(page) && page_size(page) == size;
#endif
}

#endif
