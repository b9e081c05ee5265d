/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_WORKER_FAIL_H
#define KNIT_WORKER_FAIL_H

struct knit_worker;

/*
 * Prints "knit-worker ID: ..." on stderr and returns code, so that a caller can write
 * `return knit_worker_fail(w, KNIT_EXIT_..., ...)`.
 */
int knit_worker_fail(const struct knit_worker *w, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
