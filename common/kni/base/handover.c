// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_kni
#include "handover.h"
#include "log.h"

#include <rte_common.h>

#include <errno.h>
#include <stdlib.h>

static const char *const names[] = {
	[KNIT_HANDOVER_AUTO] = "auto",
	[KNIT_HANDOVER_INLINE] = "inline",
	[KNIT_HANDOVER_THREAD] = "thread",
};

const char *knit_handover_name(uint32_t mode)
{
	return mode < RTE_DIM(names) ? names[mode] : "?";
}

int knit_handover_parse(const char *text)
{
	size_t i;

	for (i = 0; i < RTE_DIM(names); i++)
		if (strcmp(names[i], text) == 0)
			return i;
	return -EINVAL;
}

int knit_handover_wanted(void)
{
	const char *text = getenv("KNIT_HANDOVER");
	int mode;

	if (text == NULL || text[0] == '\0')
		return KNIT_HANDOVER_AUTO;
	mode = knit_handover_parse(text);
	if (mode < 0)
		log_err("KNIT_HANDOVER=%s: unknown; auto, inline or thread is allowed", text);
	return mode;
}
