// SPDX-License-Identifier: BSD-3-Clause
#include "log.h"

#include <stdarg.h>
#include <stdio.h>

#define X(name) RTE_LOG_REGISTER(knit_log_##name, knit.name, INFO)
KNIT_LOG_TABLE(X)
#undef X

const struct knit_log_type knit_log_types[KNIT_LOG_TYPES] = {
#define X(name) { "knit." #name, &knit_log_##name },
	KNIT_LOG_TABLE(X)
#undef X
};

void knit_log(uint32_t level, int type, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	rte_log(level, type, "%s\n", line);
}

int knit_errno_log(int type, int err, const char *what)
{
	if (err < 0)
		err = -err;
	knit_log(RTE_LOG_ERR, type, "%s: %s", what, rte_strerror(err));
	return -err;
}
