// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_kni
#include "handover.h"
#include "log.h"

#include <rte_common.h>

#include <errno.h>
#include <stdlib.h>

int knit_handover_wanted(void)
{
	static const char *const names[] = {
		[KNIT_HANDOVER_AUTO] = "auto",
		[KNIT_HANDOVER_INLINE] = "inline",
		[KNIT_HANDOVER_THREAD] = "thread",
	};
	const char *text = getenv("KNIT_HANDOVER");
	size_t i;

	if (text == NULL || text[0] == '\0')
		return KNIT_HANDOVER_AUTO;
	for (i = 0; i < RTE_DIM(names); i++)
		if (strcmp(names[i], text) == 0)
			return i;
	log_err("KNIT_HANDOVER=%s: unknown; auto, inline or thread is allowed", text);
	return -EINVAL;
}
