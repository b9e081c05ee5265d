// SPDX-License-Identifier: BSD-3-Clause
#include "routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HOPS 200

static uint64_t state = 1;

/* splitmix64 */
uint64_t bench_random(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* A size that the kernel can tell again from. */
struct memory {
	size_t bytes;
	char pad[4096 - sizeof(size_t)];
};

void *bench_memory(size_t bytes)
{
	struct memory *m = mmap(NULL, bytes + (4 << 20), PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (m == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	madvise(m, bytes + (4 << 20), MADV_HUGEPAGE);
	m->bytes = bytes + (4 << 20);
	return m + 1;
}

void bench_free(void *memory)
{
	struct memory *m = (struct memory *)memory - 1;

	munmap(m, m->bytes);
}

/*
 * Parts in a thousand of each length, rounded, of what BGP collectors see in 2024 and 2025: IPv4
 * routes are /24 for three fifths; IPv6 routes are /48 for less than a half.
 */
struct share {
	uint8_t len;
	uint16_t parts;
};

static const struct share shares4[] = {
	{ 24, 605 }, { 23, 103 }, { 22, 112 }, { 21, 52 }, { 20, 45 }, { 19, 26 }, { 18, 14 },
	{ 17, 8 },   { 16, 14 },  { 15, 2 },   { 14, 1 },  { 13, 1 },  { 12, 1 },  { 25, 2 },
	{ 26, 2 },   { 27, 1 },	  { 28, 1 },   { 29, 2 },  { 30, 2 },  { 32, 5 },  { 8, 1 },
};
static const struct share shares6[] = {
	{ 48, 460 }, { 32, 115 }, { 44, 90 }, { 40, 90 }, { 36, 60 }, { 29, 30 },
	{ 46, 40 },  { 47, 35 },  { 33, 20 }, { 34, 15 }, { 38, 10 }, { 42, 15 },
	{ 45, 8 },   { 28, 4 },	  { 35, 5 },  { 24, 1 },  { 20, 1 },  { 64, 1 },
};

static unsigned int random_len(const struct share *share, size_t n)
{
	unsigned int total = 0, at;
	size_t i;

	for (i = 0; i < n; i++)
		total += share[i].parts;
	at = bench_random() % total;
	for (i = 0; at >= share[i].parts; i++)
		at -= share[i].parts;
	return share[i].len;
}

static void set_bits(uint8_t *address, unsigned int from, unsigned int end, uint64_t bits)
{
	unsigned int i;

	for (i = from; i < end; i++, bits >>= 1) {
		address[i / 8] &= ~(0x80 >> (i % 8));
		address[i / 8] |= (bits & 1) << (7 - i % 8);
	}
}

/*
 * Of three routes, two are inside or beside one that is there: allocations are cut into pieces that
 * are neighbours. Others start somewhere new: in unicast space, or in what registries give out.
 */
static void random_address(const struct bench_route *route, uint32_t n, struct bench_route *r)
{
	static const uint16_t registries[] = { 0x2001, 0x2400, 0x2404, 0x2405, 0x2406, 0x2407,
					       0x2408, 0x2600, 0x2602, 0x2603, 0x2604, 0x2605,
					       0x2606, 0x2607, 0x2620, 0x2800, 0x2803, 0x2804,
					       0x2806, 0x2a00, 0x2a01, 0x2a02, 0x2a03, 0x2a04,
					       0x2a05, 0x2a06, 0x2a07, 0x2a09, 0x2a0a, 0x2a0b,
					       0x2a0c, 0x2a0d, 0x2a0e, 0x2a0f, 0x2a10, 0x2c0f };
	unsigned int bits = r->six ? 128 : 32, keep;
	uint16_t start;

	memset(r->address, 0, sizeof(r->address));
	set_bits(r->address, 0, bits, bench_random());
	if (bits > 64)
		set_bits(r->address, 64, bits, bench_random());
	if (r->six) {
		start = registries[bench_random() % (sizeof(registries) / sizeof(*registries))];
		r->address[0] = start >> 8;
		r->address[1] = start;
	} else {
		r->address[0] = 1 + bench_random() % 223;
	}
	if (n && bench_random() % 3) {
		keep = r->len - 1 - bench_random() % (r->six ? 12 : 6);
		if (keep > r->len)
			keep = 0;
		for (unsigned int i = 0; i < keep; i++) {
			const uint8_t *like = route[n - 1].address;

			r->address[i / 8] &= ~(0x80 >> (i % 8));
			r->address[i / 8] |= like[i / 8] & (0x80 >> (i % 8));
		}
	}
	set_bits(r->address, r->len, bits, 0);
}

/* Open addressing: has it been there? */
static bool add_new(uint32_t *seen, uint32_t size, const struct bench_route *route, uint32_t n)
{
	const struct bench_route *r = &route[n];
	uint64_t hash = r->len, part;
	uint32_t at;

	for (int i = 0; i < 2; i++) {
		memcpy(&part, r->address + 8 * i, 8);
		hash = (hash ^ part) * 0x9e3779b97f4a7c15;
		hash ^= hash >> 29;
	}
	for (at = hash & (size - 1); seen[at]; at = (at + 1) & (size - 1)) {
		const struct bench_route *other = &route[seen[at] - 1];

		if (other->len == r->len && memcmp(other->address, r->address, 16) == 0)
			return false;
	}
	seen[at] = n + 1;
	return true;
}

struct bench_route *bench_routes(bool six, uint32_t n)
{
	struct bench_route *route = calloc(n, sizeof(*route)), swap;
	uint32_t size = 1024, i, k, *seen;

	state = 1 + six;
	while (size < 2 * n)
		size *= 2;
	seen = calloc(size, sizeof(*seen));
	for (i = 0; i < n;) {
		route[i].six = six;
		route[i].len = six ? random_len(shares6, sizeof(shares6) / sizeof(*shares6))
				   : random_len(shares4, sizeof(shares4) / sizeof(*shares4));
		route[i].hop = bench_random() % HOPS;
		random_address(route, i, &route[i]);
		i += add_new(seen, size, route, i);
	}
	free(seen);
	for (i = n - 1; i > 0; i--) {
		k = bench_random() % (i + 1);
		swap = route[i];
		route[i] = route[k];
		route[k] = swap;
	}
	return route;
}

void bench_address(const struct bench_route *route, uint8_t *address)
{
	memcpy(address, route->address, 16);
	set_bits(address, route->len, route->six ? 128 : 32, bench_random());
}
