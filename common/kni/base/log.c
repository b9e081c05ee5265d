// SPDX-License-Identifier: BSD-3-Clause
#include "log.h"

#include <stdarg.h>
#include <stdio.h>

RTE_LOG_REGISTER(knit_log_main, knit.main, INFO)
RTE_LOG_REGISTER(knit_log_kni, knit.kni, INFO)
RTE_LOG_REGISTER(knit_log_kmod, knit.kmod, INFO)
RTE_LOG_REGISTER(knit_log_tap, knit.tap, INFO)
RTE_LOG_REGISTER(knit_log_port, knit.port, INFO)
RTE_LOG_REGISTER(knit_log_req, knit.req, INFO)
RTE_LOG_REGISTER(knit_log_worker, knit.worker, INFO)

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
