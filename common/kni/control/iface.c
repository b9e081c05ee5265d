// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_kni
#include "iface.h"
#include "kni/base/doorbell.h"
#include "kni/base/log.h"
#include "kni/base/owner.h"
#include "kni/engine/engine.h"
#include "kni/engine/select.h"
#include "pair.h"

#include <rte_cycles.h>
#include <rte_memzone.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TABLE_MZ "knit_ifaces"

/* All interfaces of the DPDK group. Only the creator of an interface writes its entry. */
struct table {
	struct rte_kni *kni[KNIT_MAX_IFACES];
};

static struct table *iface_table(bool create)
{
	static struct table *cached;
	const struct rte_memzone *mz;

	if (cached)
		return cached;
	mz = rte_memzone_lookup(TABLE_MZ);
	if (mz == NULL && create)
		mz = rte_memzone_reserve(TABLE_MZ, sizeof(*cached), SOCKET_ID_ANY, 0);
	if (mz)
		cached = mz->addr;
	return cached;
}

struct rte_kni *knit_iface_at(unsigned int index)
{
	struct table *t = iface_table(false);

	if (t == NULL || index >= KNIT_MAX_IFACES)
		return NULL;
	return __atomic_load_n(&t->kni[index], __ATOMIC_ACQUIRE);
}

struct rte_kni *knit_iface_find(const char *name)
{
	struct rte_kni *kni;
	unsigned int i;

	for (i = 0; i < KNIT_MAX_IFACES; i++) {
		kni = knit_iface_at(i);
		if (kni && strncmp(kni->name, name, sizeof(kni->name)) == 0)
			return kni;
	}
	return NULL;
}

/* The private memzone: struct rte_kni, then per pair and end the two arrays of its cookies. */
static size_t cookies_bytes(uint32_t ring_size)
{
	return ring_size * (sizeof(struct rte_mbuf *) + sizeof(uint16_t));
}

static size_t private_bytes(uint32_t ring_size, uint16_t n_pairs)
{
	return sizeof(struct rte_kni) + (size_t)n_pairs * 2 * cookies_bytes(ring_size);
}

size_t knit_iface_memory(uint32_t ring_size, uint16_t n_pairs)
{
	return RTE_ALIGN_CEIL(knit_shm_bytes(ring_size, n_pairs), RTE_CACHE_LINE_SIZE) +
	       RTE_ALIGN_CEIL(private_bytes(ring_size, n_pairs), RTE_CACHE_LINE_SIZE);
}

static void cookies_reset(struct knit_cookies *s)
{
	uint32_t i;

	memset(s->mbuf, 0, s->size * sizeof(s->mbuf[0]));
	for (i = 0; i < s->size; i++)
		s->free_cookie[i] = s->size - 1 - i;
	s->n_free = s->size;
}

static char *cookies_bind(struct knit_cookies *s, uint32_t size, char *mem)
{
	s->size = size;
	s->mbuf = (struct rte_mbuf **)mem;
	s->free_cookie = (uint16_t *)(s->mbuf + size);
	cookies_reset(s);
	return mem + cookies_bytes(size);
}

static void queue_bind(struct rte_kni *kni, uint16_t pair, enum knit_queue q, struct knit_ring *r)
{
	size_t off = knit_shm_queue_off(kni->ring_size, pair, q);

	knit_ring_bind(r, (char *)kni->shm + off, kni->ring_size, sizeof(struct knit_desc));
	knit_ring_reset(r);
}

static void rings_bind(struct rte_kni *kni)
{
	char *mem = (char *)(kni + 1);
	char *shm = (char *)kni->shm;
	struct knit_pair *p;
	uint16_t i;

	for (i = 0; i < kni->n_pairs; i++) {
		p = &kni->pair[i];
		queue_bind(kni, i, KNIT_RX_Q, &p->rx.rx_q);
		queue_bind(kni, i, KNIT_FREE_Q, &p->rx.free_q);
		queue_bind(kni, i, KNIT_ALLOC_Q, &p->tx.alloc_q);
		queue_bind(kni, i, KNIT_TX_Q, &p->tx.tx_q);
		mem = cookies_bind(&p->rx.cookies, kni->ring_size, mem);
		mem = cookies_bind(&p->tx.cookies, kni->ring_size, mem);
		p->user_doorbell = KNIT_DOORBELL_NONE;
		p->engine_doorbell = KNIT_DOORBELL_NONE;
	}
	knit_ring_bind(&kni->req_q, shm + knit_shm_req_off(), KNIT_REQ_RING,
		       sizeof(struct knit_req));
	knit_ring_bind(&kni->resp_q, shm + knit_shm_resp_off(), KNIT_REQ_RING,
		       sizeof(struct knit_req));
	knit_ring_reset(&kni->req_q);
	knit_ring_reset(&kni->resp_q);
}

static void iface_init(struct rte_kni *kni, const struct knit_iface_conf *conf)
{
	snprintf(kni->name, sizeof(kni->name), "%s", conf->name);
	kni->generation = rte_rdtsc();
	kni->port_id = conf->port_id;
	kni->n_pairs = conf->n_pairs;
	kni->features = conf->features;
	kni->handover = conf->handover;
	kni->io_uring = conf->io_uring;
	kni->max_segs = conf->features & KNIT_FEAT_SG ? KNIT_DESC_MAX_SEGS : 1;
	kni->ring_size = conf->ring_size;
	kni->creator_pid = getpid();
	kni->legacy = conf->legacy;
	kni->async = conf->async;
	kni->carrier = conf->carrier;
	kni->handler_doorbell = KNIT_DOORBELL_NONE;
	kni->control_doorbell = KNIT_DOORBELL_NONE;
	kni->shm->magic = KNIT_MAGIC;
	kni->shm->version = KNIT_ABI_VERSION;
	kni->shm->size = knit_shm_bytes(conf->ring_size, conf->n_pairs);
	kni->shm->ring_size = conf->ring_size;
	kni->shm->n_pairs = conf->n_pairs;
	rings_bind(kni);
}

static const struct rte_memzone *memzone_reserve(const char *prefix, const char *name, size_t bytes)
{
	char mz_name[RTE_MEMZONE_NAMESIZE];
	const struct rte_memzone *mz;

	snprintf(mz_name, sizeof(mz_name), "%s_%s", prefix, name);
	mz = rte_memzone_reserve_aligned(mz_name, bytes, SOCKET_ID_ANY, 0, RTE_CACHE_LINE_SIZE);
	if (mz == NULL)
		log_err("%s: memzone %s of %zu bytes: %s", name, mz_name, bytes,
			rte_strerror(rte_errno));
	else
		memset(mz->addr, 0, bytes);
	return mz;
}

/* Makes the handle visible. The compare-and-swap settles it if two processes create at once. */
static int iface_publish(struct table *t, struct rte_kni *kni)
{
	struct rte_kni *none;
	uint16_t i;

	for (i = 0; i < KNIT_MAX_IFACES; i++) {
		none = NULL;
		kni->index = i;
		if (__atomic_compare_exchange_n(&t->kni[i], &none, kni, false, __ATOMIC_ACQ_REL,
						__ATOMIC_RELAXED))
			return 0;
	}
	log_err("%s: there are already %d interfaces", kni->name, KNIT_MAX_IFACES);
	return -ENOSPC;
}

static bool conf_ok(const struct knit_iface_conf *conf)
{
	if (conf->name[0] == '\0' || strnlen(conf->name, RTE_KNI_NAMESIZE) == RTE_KNI_NAMESIZE) {
		log_err("interface name empty or longer than %d characters", RTE_KNI_NAMESIZE - 1);
		return false;
	}
	if (conf->n_pairs == 0 || conf->n_pairs > KNIT_MAX_PAIRS) {
		log_err("%s: %u queue pairs: 1 to %d are allowed", conf->name, conf->n_pairs,
			KNIT_MAX_PAIRS);
		return false;
	}
	if (!knit_ring_size_ok(conf->ring_size)) {
		log_err("%s: queue size %u: a power of two from %d to %d is allowed", conf->name,
			conf->ring_size, KNIT_RING_MIN, KNIT_RING_MAX);
		return false;
	}
	if (conf->features & KNIT_FEAT_SG && conf->ring_size < KNIT_RING_MIN_SG) {
		log_err("%s: queue size %u: frames of several segments need at least %d",
			conf->name, conf->ring_size, KNIT_RING_MIN_SG);
		return false;
	}
	return true;
}

/* Of the engine that was found, which "auto" leaves open. */
static int check_big_tcp(const struct knit_iface_conf *conf, const struct knit_engine_ops *engine)
{
	if (!(conf->features & KNIT_FEAT_BIG_TCP) || engine->kind == KNIT_ENGINE_KMOD)
		return 0;
	log_err("%s: frames of TCP longer than 64 KiB need the kernel module, not engine %s",
		conf->name, engine->name);
	return -EOPNOTSUPP;
}

struct rte_kni *knit_iface_create(const struct knit_iface_conf *conf)
{
	const struct rte_memzone *mz = NULL, *shm_mz = NULL;
	const struct knit_engine_ops *engine;
	struct rte_kni *kni = NULL;
	struct table *t;
	int ret;

	rte_errno = EINVAL;
	if (!conf_ok(conf))
		return NULL;
	t = iface_table(true);
	engine = knit_engine_get(conf->engine);
	if (t == NULL || engine == NULL || knit_doorbell_init() < 0)
		return NULL;
	if (knit_iface_find(conf->name)) {
		log_err("%s: there is already an interface of that name", conf->name);
		rte_errno = EEXIST;
		return NULL;
	}
	ret = check_big_tcp(conf, engine);
	if (ret < 0)
		goto err_free;
	mz = memzone_reserve("knit_kni", conf->name, private_bytes(conf->ring_size, conf->n_pairs));
	shm_mz = memzone_reserve("knit_shm", conf->name,
				 knit_shm_bytes(conf->ring_size, conf->n_pairs));
	ret = -ENOMEM;
	if (mz == NULL || shm_mz == NULL)
		goto err_free;
	kni = mz->addr;
	kni->mz = mz;
	kni->shm_mz = shm_mz;
	kni->shm = shm_mz->addr;
	kni->engine = engine;
	kni->engine_kind = engine->kind;
	iface_init(kni, conf);
	ret = engine->create(kni, conf);
	if (ret < 0)
		goto err_free;
	ret = iface_publish(t, kni);
	if (ret < 0)
		goto err_destroy;
	return kni;

err_destroy:
	engine->destroy(kni);
err_free:
	rte_memzone_free(shm_mz);
	rte_memzone_free(mz);
	rte_errno = -ret;
	return NULL;
}

void knit_iface_destroy(struct rte_kni *kni)
{
	const struct rte_memzone *mz = kni->mz, *shm_mz = kni->shm_mz;
	uint16_t i;

	__atomic_store_n(&iface_table(false)->kni[kni->index], NULL, __ATOMIC_RELEASE);
	kni->engine->destroy(kni);
	for (i = 0; i < kni->n_pairs; i++)
		knit_pair_drain(kni, i);
	memset(kni, 0, sizeof(*kni));
	rte_memzone_free(shm_mz);
	rte_memzone_free(mz);
}
