// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_kmod
#include "kmod.h"
#include "kni/base/doorbell.h"
#include "kni/base/log.h"
#include "kni/base/netlink.h"
#include "kni/base/netns.h"
#include "kni/engine/engine.h"
#include "kni/kick.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* What the creator must know to undo it, wherever shared memory says otherwise. */
struct kmod_iface {
	int fd; /* the creating file */
	uint64_t id;
	uint32_t packet_doorbell;
	uint32_t request_doorbell;
	uint16_t n_pairs;
};

static struct kmod_iface *kmod_of(const struct rte_kni *kni)
{
	return kni->engine_data;
}

static int kmod_available(bool log)
{
	struct knit_kmod_why why;
	int fd = knit_kmod_open(NULL, &why);

	if (fd < 0) {
		if (log)
			log_err("kmod engine: %s; remedy: %s", why.what, why.remedy);
		return fd;
	}
	close(fd);
	return 0;
}

static int doorbells_new(struct kmod_iface *k)
{
	int64_t packet, request;

	packet = knit_doorbell_new();
	if (packet < 0)
		return packet;
	request = knit_doorbell_new();
	if (request < 0) {
		knit_doorbell_free(packet);
		return request;
	}
	k->packet_doorbell = packet;
	k->request_doorbell = request;
	return 0;
}

static void doorbells_free(const struct kmod_iface *k)
{
	knit_doorbell_free(k->packet_doorbell);
	knit_doorbell_free(k->request_doorbell);
}

static uint32_t create_flags(const struct knit_iface_conf *conf)
{
	uint32_t flags = 0;

	if (conf->async)
		flags |= KNIT_CREATE_ASYNC;
	if (conf->carrier && !conf->legacy) /* the module's parameter says */
		flags |= KNIT_CREATE_CARRIER;
	if (conf->force_bind)
		flags |= KNIT_CREATE_BIND;
	if (conf->legacy)
		flags |= KNIT_CREATE_ATTACHED;
	return flags;
}

static int kmod_call_create(const struct kmod_iface *k, struct rte_kni *kni,
			    const struct knit_iface_conf *conf, struct knit_ioc_create *c)
{
	int ret, netns;

	ret = knit_netns_open(conf->netns, &netns);
	if (ret < 0)
		return ret;
	*c = (struct knit_ioc_create){
		.flags = create_flags(conf),
		.shm = (uintptr_t)kni->shm,
		.ring_size = conf->ring_size,
		.n_pairs = conf->n_pairs,
		.features = conf->features,
		.netns_fd = netns,
		.mtu = conf->mtu,
		.min_mtu = conf->min_mtu,
		.max_mtu = conf->max_mtu,
		.core_id = conf->force_bind ? conf->core_id : 0,
		.packet_doorbell_fd = knit_doorbell_open(k->packet_doorbell),
		.request_doorbell_fd = knit_doorbell_open(k->request_doorbell),
	};
	memcpy(c->name, conf->name, sizeof(c->name) - 1);
	memcpy(c->mac, conf->mac, sizeof(c->mac));
	ret = knit_kmod_call(k->fd, KNIT_IOC_CREATE, c);
	if (ret == -ENXIO)
		log_err("%s: make interface: CPU %u, to bind its thread to, is not online",
			conf->name, conf->core_id);
	else if (ret < 0)
		log_err("%s: make interface: %s", conf->name,
			knit_kmod_meaning(KNIT_IOC_CREATE, ret));
	if (netns >= 0)
		close(netns);
	return ret;
}

/* As ethtool -K NAME lro on: the module's switch, off by default. */
static int set_lro(const char *name)
{
	struct ethtool_value value = { .cmd = ETHTOOL_GFLAGS };
	struct ifreq ifr = { .ifr_data = (void *)&value };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret = 0;

	if (fd < 0)
		return -errno;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (ioctl(fd, SIOCETHTOOL, &ifr) < 0)
		ret = -errno;
	value.cmd = ETHTOOL_SFLAGS;
	value.data |= ETH_FLAG_LRO;
	if (ret == 0 && ioctl(fd, SIOCETHTOOL, &ifr) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* An interface that does not merge works all the same. */
static void merge_datagrams(const struct knit_iface_conf *conf)
{
	int saved, ret = knit_netns_enter(conf->netns, &saved);

	if (ret < 0)
		return;
	ret = set_lro(conf->name);
	if (ret < 0)
		log_warn("%s: datagrams are not merged: ethtool -K %s lro on: %s", conf->name,
			 conf->name, strerror(-ret));
	knit_netns_leave(&saved);
}

/* Without it the stack goes on with 64 KiB, and all else works. */
static void let_grow(const struct knit_iface_conf *conf, uint32_t ifindex)
{
	int saved, ret = knit_netns_enter(conf->netns, &saved);
	struct knit_nl nl;

	if (ret < 0)
		return;
	ret = knit_nl_open(&nl, false);
	if (ret == 0) {
		ret = knit_nl_link_gso_max_size(&nl, ifindex, KNIT_BIG_GSO_MAX_BYTES);
		knit_nl_close(&nl);
	}
	if (ret < 0)
		log_warn("%s: TCP is not handed over in frames longer than 64 KiB: ip link set %s "
			 "gso_max_size %d: %s",
			 conf->name, conf->name, KNIT_BIG_GSO_MAX_BYTES, strerror(-ret));
	knit_netns_leave(&saved);
}

static int check_features(const struct knit_iface_conf *conf, const struct knit_ioc_info *info)
{
	if (!(conf->features & KNIT_FEAT_BIG_TCP & ~info->features))
		return 0;
	log_err("%s: frames of TCP longer than 64 KiB need Linux 5.19 or newer, and the module of "
		"this knit",
		conf->name);
	return -EOPNOTSUPP;
}

static void kmod_publish(struct rte_kni *kni, const struct kmod_iface *k, uint32_t ifindex)
{
	uint16_t i;

	kni->kmod_id = k->id;
	kni->ifindex = ifindex;
	for (i = 0; i < k->n_pairs; i++)
		kni->pair[i].engine_doorbell = k->packet_doorbell;
	kni->control_doorbell = k->request_doorbell;
}

static int kmod_create(struct rte_kni *kni, const struct knit_iface_conf *conf)
{
	struct kmod_iface *k = calloc(1, sizeof(*k));
	struct knit_ioc_create c;
	struct knit_ioc_info info;
	int ret;

	if (k == NULL)
		return errno_log(ENOMEM, "memory for an interface");
	ret = knit_kmod_mem_get(&info);
	if (ret < 0)
		goto err_free;
	k->fd = ret;
	k->n_pairs = conf->n_pairs;
	ret = check_features(conf, &info);
	if (ret < 0)
		goto err_put;
	ret = doorbells_new(k);
	if (ret < 0)
		goto err_put;
	ret = kmod_call_create(k, kni, conf, &c);
	if (ret < 0)
		goto err_doorbells;
	k->id = c.id;
	kni->engine_data = k;
	kmod_publish(kni, k, c.ifindex);
	if (conf->merge_datagrams)
		merge_datagrams(conf);
	if (conf->features & KNIT_FEAT_BIG_TCP)
		let_grow(conf, c.ifindex);
	if (info.flags & KNIT_INFO_LOOPBACK)
		log_notice("%s: the module was loaded with lo_mode: it sends back what it gets",
			   conf->name);
	return 0;

err_doorbells:
	doorbells_free(k);
err_put:
	knit_kmod_mem_put();
err_free:
	free(k);
	return ret;
}

static void kmod_destroy(struct rte_kni *kni)
{
	struct kmod_iface *k = kmod_of(kni);
	struct knit_ioc_id id = { .id = k->id };
	uint16_t i;
	int ret;

	for (i = 0; i < k->n_pairs; i++)
		knit_kick_clear(kni->index, i);
	ret = knit_kmod_call(k->fd, KNIT_IOC_RELEASE, &id);
	if (ret < 0)
		log_err("%s: release: %s", kni->name, knit_kmod_meaning(KNIT_IOC_RELEASE, ret));
	kni->engine_data = NULL;
	doorbells_free(k);
	knit_kmod_mem_put();
	free(k);
}

static struct knit_ioc_attach pair_of(const struct kmod_iface *k, uint16_t pair)
{
	return (struct knit_ioc_attach){
		.id = k->id,
		.role = KNIT_ATTACH_PAIR,
		.pair = pair,
		.doorbell_fd = -1,
	};
}

/*
 * A worker attaches its pairs itself (kmod_attach.c), with a file that the end of its process
 * closes. Only for an application of rte_kni.h, which may do the bursts in any of its processes,
 * the creator attaches them here.
 */
static int kmod_bind(struct rte_kni *kni, uint16_t pair)
{
	struct kmod_iface *k = kmod_of(kni);
	struct knit_ioc_attach a = pair_of(k, pair);
	int ret;

	if (!kni->legacy)
		return 0;
	ret = knit_kmod_call(k->fd, KNIT_IOC_ATTACH, &a);
	if (ret < 0)
		log_err("%s: attach queue pair %u: %s", kni->name, pair,
			knit_kmod_meaning(KNIT_IOC_ATTACH, ret));
	else
		knit_kmod_kick_open(kni, pair, k->fd);
	return ret;
}

/* Whichever process attached it. The pair may be free by now: then that process has ended. */
static void kmod_unbind(struct rte_kni *kni, uint16_t pair)
{
	struct kmod_iface *k = kmod_of(kni);
	struct knit_ioc_attach a = pair_of(k, pair);
	int ret;

	knit_kick_clear(kni->index, pair);
	ret = knit_kmod_call(k->fd, KNIT_IOC_DETACH, &a);
	if (ret < 0)
		log_err("%s: detach queue pair %u: %s", kni->name, pair,
			knit_kmod_meaning(KNIT_IOC_DETACH, ret));
}

static int kmod_set_link(struct rte_kni *kni, bool up, uint32_t speed, bool full_duplex)
{
	const struct kmod_iface *k = kmod_of(kni);
	struct knit_ioc_link l = {
		.flags = (up ? KNIT_LINK_UP : 0) | (full_duplex ? KNIT_LINK_FULL_DUPLEX : 0),
		.id = k->id,
		.speed = speed ? speed : UINT32_MAX,
	};
	int ret;

	ret = knit_kmod_call(k->fd, KNIT_IOC_SET_LINK, &l);
	if (ret < 0)
		log_err("%s: set link: %s", kni->name, knit_kmod_meaning(KNIT_IOC_SET_LINK, ret));
	return ret;
}

static int read_stats(const struct rte_kni *kni, uint16_t pair, struct knit_ioc_stats *s)
{
	const struct kmod_iface *k = kmod_of(kni);

	*s = (struct knit_ioc_stats){ .pair = pair, .id = k->id };
	return knit_kmod_call(k->fd, KNIT_IOC_STATS, s);
}

static void kmod_stats(const struct rte_kni *kni, uint16_t pair, struct knit_engine_stats *out)
{
	struct knit_ioc_stats s;

	memset(out, 0, sizeof(*out));
	if (read_stats(kni, pair, &s) < 0)
		return;
	out->rx_packets = s.rx_packets;
	out->rx_bytes = s.rx_bytes;
	out->rx_writes = s.rx_packets; /* the stack merges them later */
	out->tx_packets = s.tx_packets;
	out->tx_bytes = s.tx_bytes;
	out->tx_stops = s.tx_stops;
	out->tx_wakes = s.tx_wakes;
	out->wakeups = s.wakeups;
	out->free_full = s.free_full;
	out->kicks = s.kicks;
	out->kicks_over = s.kicks_over;
	out->drops[KNIT_ENGINE_DROP_RX_DOWN] = s.rx_down;
	out->drops[KNIT_ENGINE_DROP_RX_NO_MEMORY] = s.rx_no_memory;
	out->drops[KNIT_ENGINE_DROP_TX_NO_WORKER] = s.tx_no_worker;
	out->drops[KNIT_ENGINE_DROP_TX_TOO_LONG] = s.tx_too_long;
	out->drops[KNIT_ENGINE_DROP_TX_BAD_FRAME] = s.tx_bad_frame;
#define X(id, name, text) out->rejects[KNIT_REJECT_##id] = s.name;
	KNIT_REJECT_TABLE(X)
#undef X
}

static void kmod_req_stats(const struct rte_kni *kni, struct knit_engine_req_stats *out)
{
	struct knit_ioc_stats s;

	memset(out, 0, sizeof(*out));
	if (read_stats(kni, 0, &s) < 0)
		return;
	out->async = s.req_async;
	out->sync = s.req_sync;
	out->answered = s.req_answered;
	out->refused = s.req_refused;
	out->timeout = s.req_timeout;
	out->killed = s.req_killed;
	out->detached = s.req_detached;
	out->cancelled = s.req_cancelled;
	out->reverted = s.req_reverted;
	out->late = s.req_late;
	out->duplicate = s.req_duplicate;
	out->unknown = s.req_unknown;
	out->bad_index = s.req_bad_index;
	out->rxlist_over = s.rxlist_over;
}

const struct knit_engine_ops knit_kmod_engine = {
	.name = "kmod",
	.kind = KNIT_ENGINE_KMOD,
	.available = kmod_available,
	.create = kmod_create,
	.destroy = kmod_destroy,
	.bind = kmod_bind,
	.unbind = kmod_unbind,
	.open_role = knit_kmod_open_role,
	.set_link = kmod_set_link,
	.stats = kmod_stats,
	.req_stats = kmod_req_stats,
};
