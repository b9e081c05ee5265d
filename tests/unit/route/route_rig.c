// SPDX-License-Identifier: BSD-3-Clause
#include "route_rig.h"

#include "route/store.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct knit_route_conf rig_conf = {
	.routes4 = 1000,
	.routes6 = 1000,
	.neighbours = 64,
	.vrfs = 3,
};

void (*rig_stored)(void *arg);
void *rig_stored_arg;

/* Replaces what store.h has. */
void knit_route_stored(void)
{
	if (rig_stored)
		rig_stored(rig_stored_arg);
}

static uint64_t no_start(void *arg)
{
	return 0;
}

static bool no_reader(void *arg, uint64_t token)
{
	return true;
}

const struct knit_route_grace rig_grace = { .start = no_start, .passed = no_reader };

struct knit_route_block *rig_block(const struct knit_route_conf *conf)
{
	size_t bytes = knit_route_bytes(conf);
	struct knit_route_block *block;

	ck_assert_uint_gt(bytes, 0);
	block = aligned_alloc(64, bytes);
	ck_assert_ptr_nonnull(block);
	memset(block, 0, bytes);
	ck_assert_int_eq(knit_route_format(block, conf), 0);
	return block;
}

void rig_open(struct rig *rig, const struct knit_route_conf *conf, uint64_t seed)
{
	memset(rig, 0, sizeof(*rig));
	rig->conf = *conf;
	rig->random.state = seed;
	rig->block = rig_block(conf);
	rig->writer = knit_route_open(rig->block, &rig_grace);
	ck_assert_ptr_nonnull(rig->writer);
}

void rig_open_live(struct rig *rig, const struct knit_route_conf *conf, uint64_t seed)
{
	rig_open(rig, conf, seed);
	rig_publish(rig->writer);
}

void rig_close(struct rig *rig)
{
	rig_stored = NULL;
	knit_route_close(rig->writer);
	free(rig->block);
}

void rig_publish(struct knit_route_writer *w)
{
	ck_assert_int_eq(knit_route_publish(w), 0);
}

const struct knit_route_half *rig_half(const struct rig *rig)
{
	return knit_route_live(rig->block);
}

struct knit_route_stats rig_stats(const struct rig *rig)
{
	struct knit_route_stats stats;

	knit_route_stats(rig->writer, &stats);
	return stats;
}

void rig_mask(uint8_t *address, enum knit_route_family family, unsigned int len, bool ones)
{
	unsigned int bits = family == KNIT_ROUTE_4 ? 32 : 128, i;

	for (i = len; i < bits; i++) {
		address[i / 8] &= ~(0x80 >> (i % 8));
		if (ones)
			address[i / 8] |= 0x80 >> (i % 8);
	}
}

struct knit_route_prefix rig_prefix(struct rig *rig, enum knit_route_family family)
{
	unsigned int bits = family == KNIT_ROUTE_4 ? 32 : 128, i;
	struct knit_route_prefix p = { .family = family, .vrf = rig_random(rig, rig->conf.vrfs) };

	/* all zeroes and all ones more often than anything in between */
	for (i = 0; i < bits / 8; i++)
		p.address[i] = rig_random(rig, 3) ? rig_random(rig, 2) * 255 : rig_random(rig, 256);
	if (rig_random(rig, 4))
		p.address[0] = 10;
	p.len = rig_random(rig, 8) ? rig_random(rig, bits + 1) : bits * rig_random(rig, 2);
	rig_mask(p.address, family, p.len, false);
	return p;
}

struct knit_route rig_route(const char *prefix, uint32_t verdict)
{
	struct knit_route r = { .verdict = verdict };
	char text[64];
	char *slash;

	snprintf(text, sizeof(text), "%s", prefix);
	slash = strchr(text, '/');
	*slash = '\0';
	r.prefix.len = atoi(slash + 1);
	r.prefix.family = strchr(text, ':') ? KNIT_ROUTE_6 : KNIT_ROUTE_4;
	ck_assert_int_eq(inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, r.prefix.address),
			 1);
	return r;
}

uint32_t rig_lookup(const struct knit_route_half *half, uint32_t vrf, enum knit_route_family family,
		    const uint8_t *address)
{
	uint32_t verdict = UINT32_MAX, address4;

	if (family == KNIT_ROUTE_4) {
		memcpy(&address4, address, sizeof(address4));
		knit_route_lookup4(half, vrf, &address4, &verdict, 1);
	} else {
		knit_route_lookup6(half, vrf, (const uint8_t(*)[16])address, &verdict, 1);
	}
	return verdict;
}

void oracle_close(struct oracle *o)
{
	free(o->route);
	memset(o, 0, sizeof(*o));
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned int len)
{
	return memcmp(a, b, len / 8) == 0 &&
	       (len % 8 == 0 || (a[len / 8] ^ b[len / 8]) >> (8 - len % 8) == 0);
}

struct knit_route *oracle_find(const struct oracle *o, const struct knit_route_prefix *p)
{
	size_t i;

	for (i = 0; i < o->routes; i++)
		if (memcmp(&o->route[i].prefix, p, sizeof(*p)) == 0)
			return &o->route[i];
	return NULL;
}

void oracle_set(struct oracle *o, const struct knit_route *route)
{
	struct knit_route *was = oracle_find(o, &route->prefix);

	if (was) {
		*was = *route;
		return;
	}
	if (o->routes == o->size) {
		o->size = o->size ? 2 * o->size : 64;
		o->route = realloc(o->route, o->size * sizeof(*o->route));
		ck_assert_ptr_nonnull(o->route);
	}
	o->route[o->routes++] = *route;
}

void oracle_remove(struct oracle *o, const struct knit_route_prefix *p)
{
	*oracle_find(o, p) = o->route[o->routes - 1];
	o->routes--;
}

const struct knit_route *oracle_match(const struct oracle *o, uint32_t vrf,
				      enum knit_route_family family, const uint8_t *address)
{
	const struct knit_route *best = NULL, *r;
	size_t i;

	for (i = 0; i < o->routes; i++) {
		r = &o->route[i];
		if (r->prefix.vrf == vrf && r->prefix.family == family &&
		    (!best || r->prefix.len >= best->prefix.len) &&
		    same_bits(r->prefix.address, address, r->prefix.len))
			best = r;
	}
	return best;
}

uint32_t oracle_lookup(const struct oracle *o, uint32_t vrf, enum knit_route_family family,
		       const uint8_t *address)
{
	const struct knit_route *r = oracle_match(o, vrf, family, address);

	return r ? r->verdict : 0;
}

void oracle_tell(const struct oracle *o, struct knit_route_writer *w)
{
	size_t i;

	for (i = 0; i < o->routes; i++)
		ck_assert_int_eq(knit_route_add(w, &o->route[i]), 0);
}
