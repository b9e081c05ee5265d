// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "levels.h"

#include "channel.h"
#include "kni/base/log.h"
#include "primary.h"
#include "stalled.h"
#include "system/session/levels.h"

#include <rte_eal.h>

#include <fnmatch.h>
#include <string.h>

bool levels_match(unsigned int type, const char *pattern)
{
	const char *name = knit_log_types[type].name;

	return fnmatch(pattern, name, 0) == 0 || fnmatch(pattern, name + strlen("knit."), 0) == 0;
}

void levels_set(struct primary *p, unsigned int type, uint32_t level)
{
	__atomic_store_n(&p->topo->log_level[type], level, __ATOMIC_RELEASE);
	__atomic_fetch_add(&p->topo->log_changes, 1, __ATOMIC_RELEASE);
	knit_levels_apply(p->topo);
}

/* A secondary that does not get it is one that reads the levels when it attaches, or is dead. */
void levels_poll(struct primary *p)
{
	static uint32_t told;
	uint32_t changes = __atomic_load_n(&p->topo->log_changes, __ATOMIC_ACQUIRE);
	struct rte_mp_msg msg = { .len_param = 0 };

	if (changes == told)
		return;
	/*
	 * Later: the send waits for a lock that whoever is on its way in may have, and it reads the
	 * levels itself.
	 */
	if (stalled_signal(p, 0))
		return;
	told = changes;
	strcpy(msg.name, KNIT_LEVELS_ACTION);
	channel_clear(p);
	if (rte_mp_sendmsg(&msg) < 0)
		log_warn("log levels: not all processes were told: %s", rte_strerror(rte_errno));
}
