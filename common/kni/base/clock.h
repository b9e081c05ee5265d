/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_CLOCK_H
#define KNIT_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds of the monotonic clock, for deadlines. */
static inline int64_t knit_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif
