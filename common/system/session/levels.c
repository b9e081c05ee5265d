// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "levels.h"

#include "kni/base/log.h"

#include <rte_eal.h>

static const struct knit_topo *topo;

void knit_levels_apply(const struct knit_topo *t)
{
	uint32_t level;
	unsigned int i;

	for (i = 0; i < KNIT_LOG_TYPES; i++) {
		level = __atomic_load_n(&t->log_level[i], __ATOMIC_ACQUIRE);
		if (level >= RTE_LOG_EMERG && level <= RTE_LOG_DEBUG)
			rte_log_set_level((uint32_t)*knit_log_types[i].type, level);
	}
}

/* EAL's message thread: the topology is there as long as that thread is. */
static int on_levels(const struct rte_mp_msg *msg, const void *peer)
{
	RTE_SET_USED(msg);
	RTE_SET_USED(peer);
	knit_levels_apply(topo);
	return 0;
}

int knit_levels_follow(const struct knit_topo *t)
{
	topo = t;
	if (rte_mp_action_register(KNIT_LEVELS_ACTION, on_levels) < 0)
		return errno_log(rte_errno, "rte_mp_action_register");
	knit_levels_apply(t);
	return 0;
}
