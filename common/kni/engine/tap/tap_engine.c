// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_tap
#include "kni/base/handover.h"
#include "kni/base/log.h"
#include "kni/base/netns.h"
#include "tap.h"
#include "tap_owner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static struct knit_tap_iface *tap_of(const struct rte_kni *kni)
{
	return kni->engine_data;
}

static void tap_free(struct knit_tap_iface *t)
{
	uint16_t i;

	for (i = 0; i < t->n_pairs; i++)
		free(t->pair[i].bounce);
	free(t);
}

/* Sizes are taken here, once, and never again from memory that others write. */
static struct knit_tap_iface *tap_new(struct rte_kni *kni, const struct knit_iface_conf *conf)
{
	size_t bytes = sizeof(struct knit_tap_iface) + conf->n_pairs * sizeof(struct knit_tap_pair);
	struct knit_tap_iface *t = aligned_alloc(KNIT_CACHE_LINE, RTE_ALIGN_CEIL(bytes, 64));
	uint16_t i;

	if (t == NULL)
		return NULL;
	memset(t, 0, bytes);
	t->kni = kni;
	t->n_pairs = conf->n_pairs;
	t->ring_size = conf->ring_size;
	t->features = conf->features;
	t->max_segs = conf->features & KNIT_FEAT_SG ? KNIT_DESC_MAX_SEGS : 1;
	memcpy(t->name, conf->name, sizeof(t->name));
	t->name[sizeof(t->name) - 1] = '\0';
	for (i = 0; i < t->n_pairs; i++) {
		if (knit_tap_pair_init(t, &t->pair[i], i) < 0) {
			tap_free(t);
			return NULL;
		}
	}
	return t;
}

static void pairs_merge(struct knit_tap_iface *t)
{
	uint16_t i;

	for (i = 0; i < t->n_pairs; i++)
		t->pair[i].merge_udp =
			t->merge_datagrams ? KNIT_TAP_MERGE_TRY : KNIT_TAP_MERGE_NEVER;
}

static int tap_open(struct knit_tap_iface *t, const struct knit_iface_conf *conf)
{
	int ret, netns;

	ret = knit_netns_open(conf->netns, &netns);
	if (ret < 0)
		return ret;
	ret = knit_tap_dev_open(t, netns);
	if (ret == 0) {
		t->merge_datagrams = conf->merge_datagrams && t->kernel_uso;
		pairs_merge(t);
		t->gro = true;
		t->kni->merge_tcp = 1;
		ret = knit_tap_watch_add(t, conf);
		if (ret < 0)
			knit_tap_dev_close(t);
	}
	if (netns >= 0)
		close(netns);
	return ret;
}

static void tap_close(struct knit_tap_iface *t)
{
	knit_tap_watch_remove(t);
	knit_tap_dev_close(t);
}

static void pairs_leave_threads(struct knit_tap_iface *t)
{
	uint16_t i;

	for (i = 0; i < t->n_pairs; i++)
		knit_tap_thread_remove(&t->pair[i]);
}

static int pairs_join_threads(struct knit_tap_iface *t, const struct knit_iface_conf *conf)
{
	int ret = 0;
	uint16_t i;

	for (i = 0; i < t->n_pairs && ret == 0; i++)
		ret = knit_tap_thread_add(&t->pair[i], conf);
	if (ret < 0)
		pairs_leave_threads(t);
	return ret;
}

/* The file of a pair's queue, for an owner that may serve it. The handler needs none. */
static int tap_open_role(struct rte_kni *kni, uint32_t role, uint32_t doorbell, bool take)
{
	struct knit_tap_iface *t = tap_of(kni);
	int fd;

	if (role >= t->n_pairs || t->pair[role].only_thread)
		return -EOPNOTSUPP;
	fd = fcntl(t->pair[role].fd, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

static int tap_create(struct rte_kni *kni, const struct knit_iface_conf *conf)
{
	struct knit_tap_iface *t = tap_new(kni, conf);
	uint16_t i;
	int ret;

	if (t == NULL)
		return errno_log(ENOMEM, "memory for a tap interface");
	ret = knit_region_init();
	if (ret < 0)
		goto err_free;
	ret = tap_open(t, conf);
	if (ret < 0)
		goto err_region;
	ret = pairs_join_threads(t, conf);
	if (ret < 0)
		goto err_close;
	kni->engine_data = t;
	kni->ifindex = t->ifindex;
	for (i = 0; i < t->n_pairs; i++)
		kni->pair[i].engine_doorbell = knit_tap_thread_doorbell(t->pair[i].thread);
	knit_tap_watch_ring();
	return 0;

err_close:
	tap_close(t);
err_region:
	knit_region_fini();
err_free:
	tap_free(t);
	return ret;
}

/*
 * First the engine threads let go of the pairs (nothing touches mbufs or rings any more), then the
 * watch thread of the requests and the net_device; only then the fds are closed and the memory is
 * freed.
 */
static void tap_destroy(struct rte_kni *kni)
{
	struct knit_tap_iface *t = tap_of(kni);
	uint16_t i;

	for (i = 0; i < t->n_pairs; i++)
		knit_tap_owner_close(kni, i);
	pairs_leave_threads(t);
	tap_close(t);
	knit_region_fini();
	kni->engine_data = NULL;
	tap_free(t);
}

static int tap_bind(struct rte_kni *kni, uint16_t pair)
{
	struct knit_tap_iface *t = tap_of(kni);
	uint32_t doorbell = kni->pair[pair].user_doorbell;
	int ret;

	if (pair >= t->n_pairs)
		return -EINVAL;
	ret = doorbell == KNIT_DOORBELL_NONE ? 0 : knit_doorbell_open(doorbell);
	if (ret < 0) {
		log_err("%s: pair %u: open the worker's doorbell: %s", t->name, pair,
			strerror(-ret));
		return ret;
	}
	ret = knit_tap_thread_bind(&t->pair[pair], doorbell);
	if (ret < 0)
		return ret;
	/* of an interface of rte_kni_alloc this process is the owner, too */
	if (kni->legacy && kni->handover != KNIT_HANDOVER_THREAD)
		knit_tap_owner_open(kni, pair, tap_open_role(kni, pair, KNIT_DOORBELL_NONE, false));
	__atomic_or_fetch(&t->watch.active_wanted, 1u << pair, __ATOMIC_ACQ_REL);
	knit_tap_watch_ring();
	return 0;
}

static void tap_unbind(struct rte_kni *kni, uint16_t pair)
{
	struct knit_tap_iface *t = tap_of(kni);

	if (pair >= t->n_pairs)
		return;
	knit_tap_owner_close(kni, pair);
	knit_tap_thread_unbind(&t->pair[pair]);
	__atomic_and_fetch(&t->watch.active_wanted, ~(1u << pair), __ATOMIC_ACQ_REL);
	knit_tap_watch_ring();
}

/* Only notes it: the caller may be a thread that answers the kernel, and these ioctls take RTNL. */
static int tap_set_link(struct rte_kni *kni, bool up, uint32_t speed, bool full_duplex)
{
	struct knit_tap_iface *t = tap_of(kni);
	uint64_t link = (uint64_t)speed << 1 | full_duplex;

	if (speed == UINT32_MAX)
		link = (uint64_t)UINT32_MAX << 1;
	__atomic_store_n(&kni->carrier, up, __ATOMIC_RELEASE);
	__atomic_store_n(&t->watch.link_wanted, link, __ATOMIC_RELEASE);
	knit_tap_watch_ring();
	return 0;
}

/* Both serve the pair, in turn. */
static void tap_stats(const struct rte_kni *kni, uint16_t pair, struct knit_engine_stats *out)
{
	const uint64_t *from = (const uint64_t *)&kni->pair[pair].by_owner;
	const struct knit_tap_iface *t = tap_of(kni);
	uint64_t *to = (uint64_t *)out;
	unsigned int i;

	*out = t->pair[pair].own_stats;
	for (i = 0; i < sizeof(*out) / sizeof(uint64_t); i++)
		to[i] += from[i];
	/* all pairs may have the same thread: its sleeps count once */
	if (pair == 0 || t->pair[pair].thread != t->pair[0].thread)
		out->wakeups = knit_tap_thread_wakeups(t->pair[pair].thread);
}

static void tap_req_stats(const struct rte_kni *kni, struct knit_engine_req_stats *out)
{
	*out = tap_of(kni)->watch.stats;
}

const struct knit_engine_ops knit_tap_engine = {
	.name = "tap",
	.kind = KNIT_ENGINE_TAP,
	.available = knit_tap_dev_available,
	.create = tap_create,
	.destroy = tap_destroy,
	.bind = tap_bind,
	.unbind = tap_unbind,
	.open_role = tap_open_role,
	.set_link = tap_set_link,
	.stats = tap_stats,
	.req_stats = tap_req_stats,
};
