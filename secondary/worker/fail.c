// SPDX-License-Identifier: BSD-3-Clause
#include "fail.h"

#include "worker.h"

#include <stdarg.h>
#include <stdio.h>

int knit_worker_fail(const struct knit_worker *w, int code, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "knit-worker %u: %s\n", w->id, text);
	return code;
}
