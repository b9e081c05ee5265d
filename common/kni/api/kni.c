// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_kni
#include "kni/base/doorbell.h"
#include "kni/base/log.h"
#include "kni/control/handler.h"
#include "kni/engine/engine.h"
#include "kni/engine/kmod/kmod.h"
#include "kni_ops.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#define LINK_WAIT_MS 3000 /* as long as KNI's module waited for a request */

/* Of this process, as KNI's was; forked children inherit it. */
static bool initialised;

static pthread_mutex_t life_lock = PTHREAD_MUTEX_INITIALIZER;

void knit_kni_lock(void)
{
	pthread_mutex_lock(&life_lock);
}

void knit_kni_unlock(void)
{
	pthread_mutex_unlock(&life_lock);
}

/* A handle may be anything: it is looked for, not looked into. */
static bool is_known(const struct rte_kni *kni)
{
	unsigned int i;

	for (i = 0; i < KNIT_MAX_IFACES; i++)
		if (kni && knit_iface_at(i) == kni)
			return true;
	return false;
}

int rte_kni_init(unsigned int max_kni_ifaces)
{
	initialised = true;
	return 0;
}

bool knit_kni_initialised(void)
{
	return initialised;
}

void rte_kni_close(void)
{
	initialised = false;
}

int rte_kni_release(struct rte_kni *kni)
{
	if (!is_known(kni))
		return -1;
	if (!knit_kni_is_creator(kni)) {
		log_err("%s: only process %u, which created it, can release it", kni->name,
			kni->creator_pid);
		return -1;
	}
	knit_handler_unclaim(kni);
	knit_kni_lock();
	knit_iface_destroy(kni);
	knit_kni_unlock();
	return 0;
}

struct rte_kni *rte_kni_get(const char *name)
{
	if (name == NULL || name[0] == '\0')
		return NULL;
	return knit_iface_find(name);
}

const char *rte_kni_get_name(const struct rte_kni *kni)
{
	return kni ? kni->name : NULL;
}

static bool is_up(const struct rte_kni *kni)
{
	const struct knit_wanted *wanted =
		(const void *)((const char *)kni->shm + knit_shm_wanted_off());

	return knit_load(&wanted->up) != 0;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * The tap engine's watch looks at the net_device and sets its carrier; it may have to wait for the
 * kernel's lock before.
 */
static int sync_link(struct rte_kni *kni, int64_t end)
{
	uint32_t asked = __atomic_add_fetch(&kni->link_asked, 1, __ATOMIC_ACQ_REL);
	const struct timespec pause = { .tv_nsec = 20000 };

	knit_bell_init();
	if (knit_bell_open(kni->control_bell) < 0)
		return -1;
	knit_bell_ring(kni->control_bell);
	while ((int32_t)(__atomic_load_n(&kni->link_done, __ATOMIC_ACQUIRE) - asked) < 0) {
		if (now_ms() > end)
			return -1;
		nanosleep(&pause, NULL);
	}
	return 0;
}

int rte_kni_update_link(struct rte_kni *kni, unsigned int linkup)
{
	uint32_t carrier = linkup != 0, before;
	int64_t end;

	if (kni && kni->engine_kind == KNIT_ENGINE_KMOD)
		return RTE_MAX(knit_kmod_update_link(kni, carrier), -1);
	end = now_ms() + LINK_WAIT_MS;
	if (kni == NULL || sync_link(kni, end) < 0 || !is_up(kni))
		return -1;
	before = __atomic_exchange_n(&kni->carrier, carrier, __ATOMIC_ACQ_REL) != 0;
	if (sync_link(kni, end) == 0)
		return (int)before;
	__atomic_store_n(&kni->carrier, before, __ATOMIC_RELEASE);
	return -1;
}
