// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_kni
#include "kni/base/doorbell.h"
#include "kni/base/handover.h"
#include "kni/base/log.h"
#include "kni/control/handler.h"
#include "kni/control/pair.h"
#include "kni/datapath/datapath.h"
#include "kni/engine/engine.h"
#include "kni_ops.h"

#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <errno.h>
#include <stdlib.h>

#define DEFAULT_QUEUE 1024
#define DEFAULT_MTU 1500

KNIT_ASSERT(RTE_KNI_OFFLOAD_SG == KNIT_FEAT_SG, "one set of flags");
KNIT_ASSERT(RTE_KNI_OFFLOAD_CSUM == KNIT_FEAT_CSUM, "one set of flags");
KNIT_ASSERT(RTE_KNI_OFFLOAD_TSO == KNIT_FEAT_TSO, "one set of flags");
KNIT_ASSERT(RTE_KNI_OFFLOAD_USO == KNIT_FEAT_USO, "one set of flags");
KNIT_ASSERT(RTE_KNI_OFFLOAD_VLAN == KNIT_FEAT_VLAN, "one set of flags");
KNIT_ASSERT(RTE_KNI_OFFLOAD_BIG_TCP == KNIT_FEAT_BIG_TCP, "one set of flags");
KNIT_ASSERT(KNIT_BIG_BUFFER_MIN == 3026, "rte_kni.h says so");

static bool ext_ok(const struct rte_kni_ext_conf *ext)
{
	uint32_t segmenting = RTE_KNI_OFFLOAD_TSO | RTE_KNI_OFFLOAD_USO;
	uint32_t needed = RTE_KNI_OFFLOAD_SG | RTE_KNI_OFFLOAD_CSUM;

	if (ext->size != sizeof(*ext)) {
		log_err("rte_kni_ext_conf: size %u: %zu is expected", ext->size, sizeof(*ext));
		return false;
	}
	if (ext->async > 1 || ext->merge_datagrams > 1) {
		log_err("rte_kni_ext_conf: async %u, merge_datagrams %u: 0 and 1 are allowed",
			ext->async, ext->merge_datagrams);
		return false;
	}
	if (ext->offloads & ~KNIT_FEAT_KNOWN) {
		log_err("rte_kni_ext_conf: offloads %#x: bits of %#x are allowed", ext->offloads,
			KNIT_FEAT_KNOWN);
		return false;
	}
	if (ext->offloads & segmenting && (ext->offloads & needed) != needed) {
		log_err("rte_kni_ext_conf: offloads %#x: TSO and USO need SG and CSUM",
			ext->offloads);
		return false;
	}
	if (ext->offloads & RTE_KNI_OFFLOAD_BIG_TCP && !(ext->offloads & RTE_KNI_OFFLOAD_TSO)) {
		log_err("rte_kni_ext_conf: offloads %#x: BIG_TCP needs TSO", ext->offloads);
		return false;
	}
	return true;
}

/* Can the pool's mbufs be put on offer to the kernel? */
static bool pool_ok(const char *name, struct rte_mempool *pool, uint32_t offloads)
{
	uint16_t room;

	if (pool->private_data_size < sizeof(struct rte_pktmbuf_pool_private)) {
		log_err("%s: mempool %s does not hold packet mbufs", name, pool->name);
		return false;
	}
	room = rte_pktmbuf_data_room_size(pool);
	if (offloads & RTE_KNI_OFFLOAD_BIG_TCP &&
	    room < RTE_PKTMBUF_HEADROOM + KNIT_BIG_BUFFER_MIN) {
		log_err("%s: mbufs of mempool %s have room for %d bytes: BIG_TCP needs %d", name,
			pool->name, room - RTE_PKTMBUF_HEADROOM, KNIT_BIG_BUFFER_MIN);
		return false;
	}
	if (room < RTE_PKTMBUF_HEADROOM + RTE_ETHER_MAX_LEN - RTE_ETHER_CRC_LEN)
		log_warn("%s: mbufs of mempool %s have room for %d bytes: longer frames of the "
			 "kernel are dropped",
			 name, pool->name, room - RTE_PKTMBUF_HEADROOM);
	return true;
}

/* What the module takes as parameters, the tap engine takes from the environment. */
static bool env_is(const char *variable, const char *value)
{
	const char *found = getenv(variable);

	return found && strcmp(found, value) == 0;
}

/*
 * What KNI took is taken: ethdev's lower limit, which is below the kernel's; none, when the MTU is
 * the upper one; an MTU outside its limits.
 */
static void conf_set_mtu(const struct rte_kni_conf *conf, struct knit_iface_conf *c)
{
	const uint16_t least = RTE_ETHER_MIN_MTU;
	uint16_t min_mtu = RTE_MAX(conf->min_mtu, least);

	c->mtu = conf->mtu ? RTE_MAX(conf->mtu, least) : DEFAULT_MTU;
	c->min_mtu = RTE_MIN(min_mtu, c->mtu);
	c->max_mtu = RTE_MAX(conf->max_mtu, c->mtu);
	if ((conf->mtu && c->mtu != conf->mtu) || c->min_mtu < conf->min_mtu ||
	    (conf->max_mtu && c->max_mtu != conf->max_mtu))
		log_notice("%s: MTU %u in %u..%u was asked for: it is %u in %u..%u", c->name,
			   conf->mtu, conf->min_mtu, conf->max_mtu, c->mtu, c->min_mtu, c->max_mtu);
}

/* Too long a name, which need not end with a zero, is cut. */
static void set_name(const struct rte_kni_conf *conf, struct knit_iface_conf *c)
{
	memcpy(c->name, conf->name, sizeof(c->name) - 1);
	if (conf->name[sizeof(c->name) - 1] != '\0')
		log_warn("interface name \"%.*s\" is cut to %d characters: \"%s\"",
			 (int)sizeof(conf->name), conf->name, (int)sizeof(c->name) - 1, c->name);
}

static void to_iface_conf(const struct rte_kni_conf *conf, const struct rte_kni_ext_conf *ext,
			  uint32_t handover, struct knit_iface_conf *c)
{
	struct rte_ether_addr mac;

	memset(c, 0, sizeof(*c));
	set_name(conf, c);
	memcpy(&mac, conf->mac_addr, sizeof(mac));
	if (rte_is_valid_assigned_ether_addr(&mac))
		memcpy(c->mac, &mac, sizeof(c->mac));
	c->engine = ext->engine ? ext->engine : "auto";
	c->netns = ext->netns;
	conf_set_mtu(conf, c);
	c->n_pairs = ext->n_pairs ? ext->n_pairs : 1;
	c->ring_size = ext->queue_size ? ext->queue_size : DEFAULT_QUEUE;
	c->features = ext->offloads;
	c->core_id = conf->core_id;
	c->force_bind = conf->force_bind;
	c->thread_per_pair = env_is("KNIT_KTHREAD_MODE", "multiple");
	c->legacy = true;
	c->async = ext->async;
	c->merge_datagrams = ext->merge_datagrams;
	c->carrier = env_is("KNIT_CARRIER", "on");
	c->handover = handover;
	c->io_uring = !env_is("KNIT_IO_URING", "off");
}

/*
 * Both ends of every pair belong to the creator in name, which initialises them. Bursts of other
 * processes do not look at the owner.
 */
static int take_pairs(struct rte_kni *kni, struct rte_mempool *pool)
{
	uint16_t i;
	int ret;

	for (i = 0; i < kni->n_pairs; i++) {
		ret = knit_pair_claim(kni, i, pool, KNIT_DOORBELL_NONE);
		if (ret == 0)
			ret = kni->engine->bind(kni, i);
		if (ret < 0)
			return ret;
		knit_from_kernel(kni, i, NULL, 0);
	}
	return 0;
}

static struct rte_kni *iface_create(struct rte_mempool *pool, const struct knit_iface_conf *c,
				    const struct rte_kni_ops *ops)
{
	struct rte_kni *kni = knit_iface_create(c);
	int ret;

	if (kni == NULL)
		return NULL;
	ret = take_pairs(kni, pool);
	if (ret == 0)
		ret = knit_kni_take_handler(kni, ops);
	if (ret < 0) {
		knit_iface_destroy(kni);
		rte_errno = -ret;
		return NULL;
	}
	return kni;
}

struct rte_kni *rte_kni_alloc_ext(struct rte_mempool *pktmbuf_pool, const struct rte_kni_conf *conf,
				  struct rte_kni_ops *ops, const struct rte_kni_ext_conf *ext)
{
	int handover = knit_handover_wanted();
	struct knit_iface_conf c;
	struct rte_kni *kni;

	rte_errno = EINVAL;
	if (pktmbuf_pool == NULL || conf == NULL || ext == NULL || !ext_ok(ext) || handover < 0)
		return NULL;
	if (!knit_kni_initialised()) {
		log_err("rte_kni_alloc before rte_kni_init");
		return NULL;
	}
	to_iface_conf(conf, ext, handover, &c);
	c.port_id = ops ? ops->port_id : UINT16_MAX;
	if (!pool_ok(c.name, pktmbuf_pool, ext->offloads))
		return NULL;
	knit_kni_lock();
	kni = iface_create(pktmbuf_pool, &c, ops);
	knit_kni_unlock();
	return kni;
}

struct rte_kni *rte_kni_alloc(struct rte_mempool *pktmbuf_pool, const struct rte_kni_conf *conf,
			      struct rte_kni_ops *ops)
{
	struct rte_kni_ext_conf ext = { .size = sizeof(ext) };

	return rte_kni_alloc_ext(pktmbuf_pool, conf, ops, &ext);
}
