// SPDX-License-Identifier: GPL-2.0
#include "kni.h"

#include <linux/ethtool.h>
#include <linux/module.h>

/* RTNL held for all here. */

/* "q4294967295_" goes before each: 19 characters are left. */
static const char pair_names[][ETH_GSTRING_LEN - 12] = {
#define X(name, text) #name,
	KNIT_KMOD_PAIR_STATS(X) KNIT_KMOD_HANDOVER_STATS(X)
#undef X
};

static const char req_names[][ETH_GSTRING_LEN] = {
#define X(name, text) #name,
	KNIT_KMOD_REQ_STATS(X)
#undef X
};

static void get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	strscpy(info->driver, KBUILD_MODNAME, sizeof(info->driver));
	strscpy(info->version, THIS_MODULE->version ?: "", sizeof(info->version));
	strscpy(info->bus_info, "/dev/" KNIT_DEV_NAME, sizeof(info->bus_info));
}

static int get_link_ksettings(struct net_device *dev, struct ethtool_link_ksettings *settings)
{
	const struct kni_iface *i = kni_iface_of(dev);

	ethtool_link_ksettings_zero_link_mode(settings, supported);
	ethtool_link_ksettings_zero_link_mode(settings, advertising);
	settings->base.port = PORT_OTHER;
	settings->base.autoneg = AUTONEG_DISABLE;
	settings->base.speed = SPEED_UNKNOWN;
	settings->base.duplex = DUPLEX_UNKNOWN;
	if (netif_carrier_ok(dev)) {
		settings->base.speed = READ_ONCE(i->speed);
		settings->base.duplex = READ_ONCE(i->duplex);
	}
	return 0;
}

static int get_sset_count(struct net_device *dev, int set)
{
	if (set != ETH_SS_STATS)
		return -EOPNOTSUPP;
	return ARRAY_SIZE(pair_names) * kni_iface_of(dev)->n_pairs + ARRAY_SIZE(req_names);
}

static void get_strings(struct net_device *dev, u32 set, u8 *to)
{
	const struct kni_iface *i = kni_iface_of(dev);
	unsigned int k;
	u32 pair;

	if (set != ETH_SS_STATS)
		return;
	for (pair = 0; pair < i->n_pairs; pair++) {
		for (k = 0; k < ARRAY_SIZE(pair_names); k++) {
			snprintf(to, ETH_GSTRING_LEN, "q%u_%.19s", pair, pair_names[k]);
			to += ETH_GSTRING_LEN;
		}
	}
	memcpy(to, req_names, sizeof(req_names));
}

static void get_stats(struct net_device *dev, struct ethtool_stats *stats, u64 *to)
{
	struct kni_iface *i = kni_iface_of(dev);
	struct knit_ioc_stats s = {};
	u32 pair;

#define X(name, text) *to++ = s.name;
	for (pair = 0; pair < i->n_pairs; pair++) {
		s.pair = pair;
		kni_stats(i, &s);
		KNIT_KMOD_PAIR_STATS(X)
		KNIT_KMOD_HANDOVER_STATS(X)
	}
	KNIT_KMOD_REQ_STATS(X)
#undef X
}

static void KNI_GET_RINGPARAM(get_ringparam)
{
	const struct kni_iface *i = kni_iface_of(dev);

	ring->rx_max_pending = i->ring_size;
	ring->tx_max_pending = i->ring_size;
	ring->rx_pending = i->ring_size;
	ring->tx_pending = i->ring_size;
}

static void get_channels(struct net_device *dev, struct ethtool_channels *channels)
{
	const struct kni_iface *i = kni_iface_of(dev);

	channels->max_combined = i->n_pairs;
	channels->combined_count = i->n_pairs;
}

const struct ethtool_ops kni_ethtool_ops = {
	.get_drvinfo = get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_link_ksettings = get_link_ksettings,
	.get_sset_count = get_sset_count,
	.get_strings = get_strings,
	.get_ethtool_stats = get_stats,
	.get_ringparam = get_ringparam,
	.get_channels = get_channels,
	.get_ts_info = ethtool_op_get_ts_info,
};
