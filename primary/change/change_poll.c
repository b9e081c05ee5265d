// SPDX-License-Identifier: BSD-3-Clause
#include "change_poll.h"

#include <rte_cycles.h>

bool change_is_late(const struct change *c, unsigned int ms)
{
	return rte_get_timer_cycles() - c->since > rte_get_timer_hz() / 1000 * ms;
}

void change_end(struct change *c, int ret, const char *why, enum change_stage good,
		enum change_stage bad)
{
	if (ret < 0)
		change_fail(c, bad, ret, "%s", why);
	else
		change_next(c, good);
}

bool change_poll(struct primary *p)
{
	static void (*const stages[])(struct primary *, struct change *) = {
		[CHANGE_CHECK] = change_check,	 [CHANGE_BUILD] = change_build,
		[CHANGE_SWITCH] = change_switch, [CHANGE_FOLLOW] = change_follow,
		[CHANGE_CLEAN] = change_clean,
	};
	enum change_stage stage = change_stage();
	struct change *c = change_in(stage);

	if (c == NULL || stage >= RTE_DIM(stages) || stages[stage] == NULL)
		return false;
	stages[stage](p, c);
	return change_stage() == stage;
}
