// SPDX-License-Identifier: BSD-3-Clause
#include "change_poll.h"

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
