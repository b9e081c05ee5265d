// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_kni
#include "select.h"

#include "kni/base/log.h"

#include <rte_common.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* In the order in which "auto" tries them. */
static const struct knit_engine_ops *const engines[] = {
	&knit_kmod_engine,
	&knit_tap_engine,
};

static const struct knit_engine_ops *first_available(void)
{
	size_t i;
	int ret;

	for (i = 0; i < RTE_DIM(engines); i++) {
		ret = engines[i]->available(false);
		if (ret == 0)
			return engines[i];
		/* There, and of no use: somebody will want to know. */
		if (ret != -ENOENT && i + 1 < RTE_DIM(engines))
			engines[i]->available(true);
	}
	/* None: let the last one, which needs least, say what it misses. */
	rte_errno = -engines[RTE_DIM(engines) - 1]->available(true);
	return NULL;
}

const char *knit_engine_wanted(const char *name)
{
	if (name == NULL || strcmp(name, "auto") == 0)
		name = getenv("KNIT_ENGINE");
	return name == NULL || name[0] == '\0' ? "auto" : name;
}

const struct knit_engine_ops *knit_engine_get(const char *name)
{
	size_t i;
	int ret;

	name = knit_engine_wanted(name);
	if (strcmp(name, "auto") == 0)
		return first_available();
	for (i = 0; i < RTE_DIM(engines); i++) {
		if (strcmp(engines[i]->name, name) != 0)
			continue;
		ret = engines[i]->available(true);
		rte_errno = -ret;
		return ret == 0 ? engines[i] : NULL;
	}
	log_err("engine \"%s\": unknown; auto, kmod or tap is allowed", name);
	rte_errno = EINVAL;
	return NULL;
}
