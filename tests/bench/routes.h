/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_BENCH_ROUTES_H
#define KNIT_BENCH_ROUTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Routes like those of the Internet: lengths as they are there, and clustered as they are there. */
struct bench_route {
	uint8_t address[16];
	uint8_t len;
	bool six;
	uint32_t hop; /* below 200 */
};

/* Different ones, in random order; to be freed. The same ones in each run. */
struct bench_route *bench_routes(bool six, uint32_t n);

/* A random address in it. */
void bench_address(const struct bench_route *route, uint8_t *address);

uint64_t bench_random(void);

/* Zeroed, of pages as large as they come. */
void *bench_memory(size_t bytes);
void bench_free(void *memory);

static inline uint32_t bench_host4(const uint8_t *a)
{
	return (uint32_t)a[0] << 24 | a[1] << 16 | a[2] << 8 | a[3];
}

static inline uint64_t bench_sum32(const uint32_t *value, unsigned int n)
{
	uint64_t sum = 0;

	while (n--)
		sum += *value++;
	return sum;
}

static inline uint64_t bench_sum64(const uint64_t *value, unsigned int n)
{
	uint64_t sum = 0;

	while (n--)
		sum += *value++;
	return sum;
}

#endif
