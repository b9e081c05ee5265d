// SPDX-License-Identifier: GPL-2.0
#include "kni.h"

#include "abi/knit_link.h"

#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/netdevice.h>
#include <net/netlink.h>
#include <net/rtnetlink.h>

/* RTNL held for all ndo_* here but get_stats64 and set_rx_mode. */

static int kni_net_open(struct net_device *dev)
{
	int ret = kni_req_up(kni_iface_of(dev));

	if (ret)
		return ret;
	netif_tx_start_all_queues(dev);
	return 0;
}

static int kni_net_stop(struct net_device *dev)
{
	netif_tx_stop_all_queues(dev);
	kni_req_down(kni_iface_of(dev));
	return 0;
}

static void kni_net_uninit(struct net_device *dev)
{
	kni_release_uninit(kni_iface_of(dev));
}

static int kni_net_change_mtu(struct net_device *dev, int mtu)
{
	int ret = kni_req_mtu(kni_iface_of(dev), mtu);

	if (ret)
		return ret;
	WRITE_ONCE(dev->mtu, mtu);
	return 0;
}

static int kni_net_set_mac(struct net_device *dev, void *addr)
{
	const struct sockaddr *sa = addr;
	int ret;

	ret = eth_prepare_mac_addr_change(dev, addr);
	if (ret)
		return ret;
	ret = kni_req_mac(kni_iface_of(dev), sa->sa_data);
	if (ret)
		return ret;
	eth_commit_mac_addr_change(dev, addr);
	return 0;
}

/* netif_addr_lock held. */
static void kni_net_set_rx_mode(struct net_device *dev)
{
	kni_req_rx_mode(kni_iface_of(dev));
}

/* Also called while the interface is down, when set_rx_mode is not. */
static void kni_net_change_rx_flags(struct net_device *dev, int flags)
{
	kni_req_rx_mode(kni_iface_of(dev));
}

static int kni_net_change_carrier(struct net_device *dev, bool on)
{
	kni_req_carrier(kni_iface_of(dev), on);
	return 0;
}

/* Lists that GRO makes can leave by a tunnel: see kni_merge_may. */
static netdev_features_t kni_net_fix_features(struct net_device *dev, netdev_features_t features)
{
	features &= ~NETIF_F_GRO_FRAGLIST;
	return kni_merge_may(dev) ? features : features & ~NETIF_F_LRO;
}

static u64 sum_of(const u64_stats_t *rejects)
{
	unsigned int r;
	u64 sum = 0;

	for (r = 0; r < KNIT_REJECT_COUNT; r++)
		sum += u64_stats_read(&rejects[r]);
	return sum;
}

static void add_rx(const struct kni_rx_stats *s, struct rtnl_link_stats64 *out)
{
	u64 packets, bytes, dropped, errors;
	unsigned int start;

	do {
		start = kni_stats_begin(&s->sync);
		packets = u64_stats_read(&s->packets);
		bytes = u64_stats_read(&s->bytes);
		dropped = u64_stats_read(&s->down) + u64_stats_read(&s->no_memory);
		errors = sum_of(s->rejects);
	} while (kni_stats_retry(&s->sync, start));
	out->rx_packets += packets;
	out->rx_bytes += bytes;
	out->rx_dropped += dropped;
	out->rx_errors += errors;
}

static void add_tx(const struct kni_tx_stats *s, struct rtnl_link_stats64 *out)
{
	u64 packets, bytes, dropped, errors;
	unsigned int start;

	do {
		start = kni_stats_begin(&s->sync);
		packets = u64_stats_read(&s->packets);
		bytes = u64_stats_read(&s->bytes);
		dropped = u64_stats_read(&s->no_worker) + u64_stats_read(&s->too_long) +
			  u64_stats_read(&s->bad_frame);
		errors = sum_of(s->rejects);
	} while (kni_stats_retry(&s->sync, start));
	out->tx_packets += packets;
	out->tx_bytes += bytes;
	out->tx_dropped += dropped;
	out->tx_errors += errors;
}

/* May be called without RTNL, but not after ndo_uninit. */
static void kni_net_get_stats64(struct net_device *dev, struct rtnl_link_stats64 *out)
{
	const struct kni_iface *i = kni_iface_of(dev);
	u32 pair;

	for (pair = 0; pair < i->n_pairs; pair++) {
		add_rx(&i->pair[pair].rx, out);
		add_tx(&i->pair[pair].tx, out);
	}
}

const struct net_device_ops kni_net_ops = {
	.ndo_uninit = kni_net_uninit,
	.ndo_open = kni_net_open,
	.ndo_stop = kni_net_stop,
	.ndo_start_xmit = kni_tx,
	.ndo_select_queue = kni_tx_select,
	.ndo_features_check = kni_tx_features,
	.ndo_change_rx_flags = kni_net_change_rx_flags,
	.ndo_set_rx_mode = kni_net_set_rx_mode,
	.ndo_set_mac_address = kni_net_set_mac,
	.ndo_validate_addr = eth_validate_addr,
	.ndo_change_mtu = kni_net_change_mtu,
	.ndo_change_carrier = kni_net_change_carrier,
	.ndo_fix_features = kni_net_fix_features,
	.ndo_get_stats64 = kni_net_get_stats64,
};

static size_t kni_link_get_size(const struct net_device *dev)
{
	return nla_total_size_64bit(sizeof(u64)) +
	       (KNIT_LINK_ATTRS - KNIT_LINK_PAIRS) * nla_total_size(sizeof(u32));
}

static int kni_link_fill(struct sk_buff *skb, const struct net_device *dev)
{
	const struct kni_iface *i = kni_iface_of(dev);
	u32 mode = i->flags & KNIT_CREATE_ASYNC ? KNIT_LINK_ASYNC : KNIT_LINK_SYNC;

	if (nla_put_u64_64bit(skb, KNIT_LINK_ID, i->id, KNIT_LINK_UNSPEC) ||
	    nla_put_u32(skb, KNIT_LINK_PAIRS, i->n_pairs) ||
	    nla_put_u32(skb, KNIT_LINK_ACTIVE, READ_ONCE(i->active)) ||
	    nla_put_u32(skb, KNIT_LINK_FEATURES, i->features) ||
	    nla_put_u32(skb, KNIT_LINK_MODE, mode) ||
	    nla_put_u32(skb, KNIT_LINK_HANDLER, READ_ONCE(i->attached)) ||
	    nla_put_u32(skb, KNIT_LINK_REFUSED, READ_ONCE(i->reqstate.link_refused)))
		return -EMSGSIZE;
	return 0;
}

/*
 * Without setup and dellink interfaces are neither made nor removed by `ip link`: only by their
 * creator, or with their namespace.
 */
static struct rtnl_link_ops kni_link_ops __read_mostly = {
	.kind = KNIT_LINK_KIND,
	.get_size = kni_link_get_size,
	.fill_info = kni_link_fill,
};

void kni_net_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &kni_net_ops;
	dev->ethtool_ops = &kni_ethtool_ops;
	dev->rtnl_link_ops = &kni_link_ops;
	dev->priv_flags |= IFF_LIVE_ADDR_CHANGE | IFF_UNICAST_FLT;
}

void kni_net_features(struct net_device *dev, u32 features)
{
	netdev_features_t offered = NETIF_F_RXCSUM | NETIF_F_RXHASH;
	netdev_features_t to_port = NETIF_F_HIGHDMA;

	if (features & KNIT_FEAT_SG)
		to_port |= NETIF_F_SG;
	if (features & KNIT_FEAT_CSUM)
		to_port |= NETIF_F_HW_CSUM;
	if (features & KNIT_FEAT_TSO)
		to_port |= NETIF_F_TSO | NETIF_F_TSO6 | NETIF_F_TSO_ECN;
	if (features & KNIT_FEAT_USO)
		to_port |= NETIF_F_GSO_UDP_L4;
	if (features & KNIT_FEAT_VLAN)
		offered |= NETIF_F_HW_VLAN_CTAG_TX;
	dev->hw_features = to_port | offered | KNI_F_MERGE;
	dev->features |= to_port | offered;
	/* not to be switched off: user space has taken the tag out of the frame */
	if (features & KNIT_FEAT_VLAN)
		dev->features |= NETIF_F_HW_VLAN_CTAG_RX;
	dev->vlan_features = to_port;
	kni_set_tso_max(dev,
			features & KNIT_FEAT_BIG_TCP ? KNIT_BIG_GSO_MAX_BYTES : KNIT_GSO_MAX_BYTES,
			KNIT_GSO_MAX_SEGS);
}

/* RTNL held. What a net_device above one of ours does sends ours no event of its own. */
static int on_event(struct notifier_block *nb, unsigned long event, void *info)
{
	struct net_device *dev = netdev_notifier_info_to_dev(info), *lower;
	struct list_head *iter;

	if (event == NETDEV_CHANGEUPPER && dev->rtnl_link_ops == &kni_link_ops)
		kni_req_rx_mode(kni_iface_of(dev));
	if (event == NETDEV_CHANGEADDR)
		netdev_for_each_lower_dev(dev, lower, iter)
			if (lower->rtnl_link_ops == &kni_link_ops)
				kni_req_rx_mode(kni_iface_of(lower));
	return NOTIFY_DONE;
}

static struct notifier_block notifier = { .notifier_call = on_event };

int kni_net_register(void)
{
	int err = rtnl_link_register(&kni_link_ops);

	if (err)
		return err;
	err = register_netdevice_notifier(&notifier);
	if (err)
		rtnl_link_unregister(&kni_link_ops);
	return err;
}

void kni_net_unregister(void)
{
	unregister_netdevice_notifier(&notifier);
	rtnl_link_unregister(&kni_link_ops);
}
