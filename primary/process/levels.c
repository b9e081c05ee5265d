// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "levels.h"

#include "channel.h"
#include "kni/base/log.h"
#include "primary.h"
#include "registry.h"
#include "system/rundir/rundir.h"
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

static bool tell_all(struct primary *p)
{
	struct rte_mp_msg msg = { .len_param = 0 };
	static bool said;

	strcpy(msg.name, KNIT_LEVELS_ACTION);
	channel_clear(p);
	if (rte_mp_sendmsg(&msg) == 0)
		return true;
	if (!said)
		log_warn("log levels: not all processes were told, trying again: %s",
			 rte_strerror(rte_errno));
	said = true;
	return false;
}

/*
 * The send waits for a lock that a process has for a moment while it attaches; one that stands
 * still there would keep it. So nobody attaches meanwhile. Whoever comes later reads the levels
 * itself.
 */
void levels_poll(struct primary *p)
{
	static uint32_t told;
	uint32_t changes = __atomic_load_n(&p->topo->log_changes, __ATOMIC_ACQUIRE);

	if (changes == told)
		return;
	/* Nobody else comes in until the next try; the one who is there may finish. */
	if (registry_block_attach(p) < 0)
		return;
	if (tell_all(p))
		told = changes;
	knit_rundir_unblock_attach();
}
