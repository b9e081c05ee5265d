// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_kni
#include "engine.h"
#include "log.h"

#include <rte_common.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* In the order in which "auto" tries them. */
static const struct knit_engine_ops *const engines[] = {
	&knit_tap_engine,
};

static const struct knit_engine_ops *first_available(void)
{
	size_t i;

	for (i = 0; i < RTE_DIM(engines); i++)
		if (engines[i]->available(false) == 0)
			return engines[i];
	/* None: let the last one, which needs least, say what it misses. */
	rte_errno = -engines[RTE_DIM(engines) - 1]->available(true);
	return NULL;
}

const struct knit_engine_ops *knit_engine_get(const char *name)
{
	size_t i;
	int ret;

	if (name == NULL || strcmp(name, "auto") == 0)
		name = getenv("KNIT_ENGINE");
	if (name == NULL || name[0] == '\0' || strcmp(name, "auto") == 0)
		return first_available();
	for (i = 0; i < RTE_DIM(engines); i++) {
		if (strcmp(engines[i]->name, name))
			continue;
		ret = engines[i]->available(true);
		rte_errno = -ret;
		return ret == 0 ? engines[i] : NULL;
	}
	log_err("engine \"%s\": unknown; auto or tap is allowed", name);
	rte_errno = EINVAL;
	return NULL;
}
