// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_kni
#include "kni/base/log.h"
#include "kni/control/handler.h"
#include "kni/engine/engine_call.h"
#include "kni_ops.h"

#include <pthread.h>
#include <unistd.h>

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

int rte_kni_update_link(struct rte_kni *kni, unsigned int linkup)
{
	return kni ? knit_engine_update_link(kni, linkup != 0) : -1;
}
