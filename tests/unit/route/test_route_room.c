// SPDX-License-Identifier: BSD-3-Clause
#include "history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * No room: what does not fit is left to the kernel and counted, and nothing else is wrong. Memory:
 * what comes and goes takes as much as the first time.
 */
#ifdef __SANITIZE_ADDRESS__
#define STEPS 3000
#else
#define STEPS 4000
#endif
#define SECONDS 180

static const struct knit_route_conf tight = {
	.routes4 = 1,
	.routes6 = 1,
	.neighbours = 64,
	.vrfs = 3,
};

/* The grace periods of a test that says when readers are through. */
static bool open_for_all = true;
static uint64_t tokens, last_passed;

static uint64_t start(void *arg)
{
	return ++tokens;
}

static bool passed(void *arg, uint64_t token)
{
	if (open_for_all)
		last_passed = tokens;
	return token <= last_passed;
}

static const struct knit_route_grace grace = { .start = start, .passed = passed };

static void open_graced(struct history *h, const struct knit_route_conf *conf, uint64_t seed)
{
	history_open(h, conf, seed, 100, false);
	knit_route_close(h->rig.writer);
	h->rig.writer = knit_route_open(h->rig.block, &grace);
	rig_publish(h->rig.writer);
}

/* At the probes, the table says what the oracle says, or leaves it to the kernel. */
static unsigned int check_or_kernel(const struct history *h)
{
	unsigned int i, left = 0;
	const struct probe *p;
	uint32_t is, should;

	for (i = 0; i < h->probes; i++) {
		p = &h->probe[i];
		is = rig_lookup(rig_half(&h->rig), p->vrf, p->family, p->address);
		should = oracle_lookup(&h->oracle, p->vrf, p->family, p->address);
		ck_assert(is == should || is == 0);
		left += is != should;
	}
	return left;
}

static void apply(struct history *h, const struct change *c)
{
	int ret = c->remove ? knit_route_remove(h->rig.writer, &c->route.prefix)
			    : knit_route_set(h->rig.writer, &c->route);

	ck_assert(ret == 0 || ret == -ENOSPC);
	history_tell_oracle(h, c);
}

/* So few that they fit. */
static void leave_few(struct history *h)
{
	struct change c = { .remove = true };

	while (h->oracle.routes > 20) {
		c.route = h->oracle.route[0];
		apply(h, &c);
		history_probe(h, &c.route.prefix);
		check_or_kernel(h);
	}
}

/* Up and down around what fits; then fewer routes than that. */
static void pressure(struct history *h, size_t most)
{
	unsigned int left = 0, repaired = 0, i;
	struct change c;

	h->most = most;
	for (i = 0; i < STEPS; i++) {
		c = history_next(h);
		apply(h, &c);
		history_probe(h, &c.route.prefix);
		left += check_or_kernel(h);
		if (i % 64 == 0) {
			repaired += rig_stats(&h->rig).punted[0] + rig_stats(&h->rig).punted[1];
			repaired -= knit_route_retry(h->rig.writer);
			left += check_or_kernel(h);
		}
	}
	ck_assert_uint_gt(left, 0);
	ck_assert_uint_gt(repaired, 0);
	ck_assert_uint_gt(rig_stats(&h->rig).exhausted[KNIT_ROOM_4], 0);
	ck_assert_uint_gt(rig_stats(&h->rig).exhausted[KNIT_ROOM_6], 0);
	leave_few(h);
	ck_assert_uint_eq(knit_route_retry(h->rig.writer), 0);
	history_check_all(h);
}

START_TEST(too_many_routes)
{
	struct history h;

	history_open(&h, &tight, 41, 100, true);
	pressure(&h, 1500);
	pressure(&h, 700);
	history_close(&h);
}
END_TEST

/* The same with readers that are through only now and then. */
START_TEST(readers_that_linger)
{
	struct history h;
	struct change c;
	unsigned int i;

	open_graced(&h, &tight, 42);
	for (i = 0; i < STEPS; i++) {
		open_for_all = i % 3000 > 2500;
		c = history_next(&h);
		apply(&h, &c);
		history_probe(&h, &c.route.prefix);
		check_or_kernel(&h);
		if (i % 100 == 0)
			knit_route_retry(h.rig.writer);
	}
	ck_assert_uint_gt(rig_stats(&h.rig).exhausted[0] + rig_stats(&h.rig).exhausted[1], 0);
	open_for_all = true;
	leave_few(&h);
	ck_assert_uint_eq(knit_route_retry(h.rig.writer), 0);
	history_check_all(&h);
	history_close(&h);
}
END_TEST

/* A dump that does not fit is published all the same. */
START_TEST(dump_too_large)
{
	struct history h;
	struct change c;

	history_open(&h, &tight, 43, 4000, false);
	while (h.oracle.routes < 2000) {
		c = history_next(&h);
		c.remove = false;
		apply(&h, &c);
	}
	rig_publish(h.rig.writer);
	ck_assert_uint_gt(rig_stats(&h.rig).punted[KNIT_ROUTE_4], 0);
	ck_assert_uint_gt(rig_stats(&h.rig).punted[KNIT_ROUTE_6], 0);
	history_probe(&h, &h.oracle.route[0].prefix);
	check_or_kernel(&h);
	leave_few(&h);
	ck_assert_uint_eq(knit_route_retry(h.rig.writer), 0);
	history_check_all(&h);
	history_close(&h);
}
END_TEST

static struct knit_route short_route(unsigned int n)
{
	struct knit_route r = { .prefix = { .len = 9, .vrf = 2 },
				.verdict = KNIT_ROUTE_VERDICT(KNIT_ROUTE_HOP, n % 64) };

	r.prefix.address[0] = n / 2;
	r.prefix.address[1] = n % 2 ? 0x80 : 0;
	return r;
}

static void check_short_routes(struct history *h, unsigned int n)
{
	struct knit_route r;

	while (n--) {
		r = short_route(n);
		history_probe(h, &r.prefix);
		check_or_kernel(h);
	}
}

/* Cells are what may take the last unit. Without one the whole VRF is left to the kernel. */
START_TEST(no_cell)
{
	struct change c = { .route = short_route(0) };
	struct history h;
	unsigned int i;

	history_open(&h, &tight, 44, 100000, true);
	apply(&h, &c);
	do {
		c = history_next(&h);
		c.route.prefix.vrf = 1;
		c.remove = false;
		apply(&h, &c);
		knit_route_poll(h.rig.writer);
	} while (rig_stats(&h.rig).used[KNIT_ROUTE_4] + 150 <
		 rig_half(&h.rig)->units[KNIT_ROUTE_4]);
	c = (struct change){ 0 };
	for (i = 1; i < 512; i++) {
		ck_assert_uint_eq(rig_lookup(rig_half(&h.rig), 2, KNIT_ROUTE_4,
					     short_route(i - 1).prefix.address),
				  short_route(i - 1).verdict);
		c.route = short_route(i);
		apply(&h, &c);
		if (!rig_lookup(rig_half(&h.rig), 2, KNIT_ROUTE_4, short_route(1).prefix.address))
			break;
	}
	ck_assert_uint_lt(i, 512);
	check_short_routes(&h, i + 1);
	ck_assert_uint_gt(knit_route_retry(h.rig.writer), 0);
	for (i = h.oracle.routes; i-- > 0;) {
		c = (struct change){ .remove = true, .route = h.oracle.route[i] };
		if (c.route.prefix.vrf == 1)
			apply(&h, &c);
	}
	ck_assert_uint_eq(knit_route_retry(h.rig.writer), 0);
	history_check_all(&h);
	history_close(&h);
}
END_TEST

START_TEST(no_adjacency)
{
	struct knit_adjacency a = { .output = 1 };
	uint32_t verdict;
	struct history h;
	unsigned int i;
	int ret;

	open_graced(&h, &tight, 45);
	open_for_all = false;
	for (i = 0; i < 1000; i++) {
		a.mtu = i;
		ret = knit_route_hop_set(h.rig.writer, 3, &a);
		verdict = knit_route_resolve(rig_half(&h.rig),
					     KNIT_ROUTE_VERDICT(KNIT_ROUTE_HOP, 3), 0);
		if (ret)
			break;
		ck_assert_uint_eq(knit_route_adjacency(rig_half(&h.rig), verdict)->mtu, i);
	}
	ck_assert_int_eq(ret, -ENOSPC);
	ck_assert_uint_ge(i, 64);
	ck_assert_uint_eq(verdict, 0);
	ck_assert_uint_eq(rig_stats(&h.rig).punted_hops, 1);
	ck_assert_uint_eq(knit_route_retry(h.rig.writer), 1);
	open_for_all = true;
	ck_assert_uint_eq(knit_route_retry(h.rig.writer), 0);
	verdict = knit_route_resolve(rig_half(&h.rig), KNIT_ROUTE_VERDICT(KNIT_ROUTE_HOP, 3), 0);
	ck_assert_uint_eq(knit_route_adjacency(rig_half(&h.rig), verdict)->mtu, i);
	ck_assert_uint_eq(rig_stats(&h.rig).exhausted[KNIT_ROOM_ADJACENCIES], 2);
	history_close(&h);
}
END_TEST

START_TEST(no_buckets)
{
	struct knit_route_member m = { .hop = 2, .weight = 1 };
	uint32_t verdict = KNIT_ROUTE_VERDICT(KNIT_ROUTE_DROP, 7), i;
	struct rig rig;

	rig_open_live(&rig, &tight, 46);
	ck_assert_int_eq(knit_route_hop_clear(rig.writer, 2, verdict), 0);
	for (i = 0; i < 64; i++) {
		if (knit_route_group_set(rig.writer, i, &m, 1, KNIT_ROUTE_BUCKETS))
			break;
		ck_assert_uint_eq(knit_route_resolve(rig_half(&rig),
						     KNIT_ROUTE_VERDICT(KNIT_ROUTE_GROUP, i), 9),
				  verdict);
	}
	ck_assert_uint_lt(i, 64);
	ck_assert_uint_eq(
		knit_route_resolve(rig_half(&rig), KNIT_ROUTE_VERDICT(KNIT_ROUTE_GROUP, i), 9), 0);
	ck_assert_uint_eq(rig_stats(&rig).punted_groups, 1);
	ck_assert_int_eq(knit_route_group_clear(rig.writer, 0, verdict), 0);
	ck_assert_uint_eq(knit_route_retry(rig.writer), 0);
	ck_assert_uint_eq(
		knit_route_resolve(rig_half(&rig), KNIT_ROUTE_VERDICT(KNIT_ROUTE_GROUP, i), 9),
		verdict);
	rig_close(&rig);
}
END_TEST

/* The default number of buckets for each group, and each neighbour reached. */
START_TEST(all_neighbours)
{
	struct knit_route_member m[4] = { { 1, 1 }, { 2, 1 }, { 3, 2 }, { 4, 1 } };
	struct knit_adjacency a = { .output = 1 };
	uint32_t i, round;
	struct rig rig;

	rig_open_live(&rig, &tight, 47);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 64; i++) {
			ck_assert_int_eq(knit_route_hop_set(rig.writer, i, &a), 0);
			ck_assert_int_eq(
				knit_route_group_set(rig.writer, i, m, 2 + (i + round) % 3, 0), 0);
		}
	}
	rig_close(&rig);
}
END_TEST

static void come_and_go(struct history *h, const struct knit_route *all, size_t n)
{
	struct change c = { 0 };
	size_t i;

	for (i = 0; i < n; i++) {
		c.route = all[i];
		ck_assert_int_eq(knit_route_set(h->rig.writer, &c.route), 0);
	}
	for (i = 0; i < n; i++)
		ck_assert(knit_route_remove(h->rig.writer, &all[(i * 7) % n].prefix) == 0);
	knit_route_poll(h->rig.writer);
}

START_TEST(memory_stays)
{
	struct knit_route_stats first, stats;
	size_t private[3], bytes, n = 3001; /* no multiple of 7 */
	struct history h;
	struct change c;
	int round;

	open_graced(&h, &(struct knit_route_conf){ 60000, 60000, 64, 3 }, 48);
	h.most = 10 * n;
	first = rig_stats(&h.rig);
	while (h.oracle.routes < n) {
		c = history_next(&h);
		if (!c.remove)
			history_tell_oracle(&h, &c);
	}
	for (round = 0; round < 30; round++) {
		come_and_go(&h, h.oracle.route, n);
		knit_route_poll(h.rig.writer);
		stats = rig_stats(&h.rig);
		ck_assert_uint_eq(stats.used[0], first.used[0]);
		ck_assert_uint_eq(stats.used[1], first.used[1]);
		ck_assert_uint_eq(stats.waiting[0] + stats.waiting[1], 0);
		bytes = knit_route_private(h.rig.writer);
		if (round < 3)
		private[round] = bytes;
		else ck_assert_uint_eq(bytes, private[2]);
	}
	history_close(&h);
}
END_TEST

/* The block ends where it says. */
START_TEST(bytes)
{
	struct knit_route_conf conf = rig_conf;
	size_t size = knit_route_bytes(&conf);
	struct knit_route_writer *w;
	struct knit_route_block *block;
	uint8_t *canary;
	struct history h;
	struct change c;
	int i;

	ck_assert_uint_eq(size % 64, 0);
	block = aligned_alloc(64, size + 64);
	memset(block, 0, size);
	canary = (uint8_t *)block + size;
	memset(canary, 0xa5, 64);
	ck_assert_int_eq(knit_route_format(block, &conf), 0);
	ck_assert(knit_route_valid(block, size));
	ck_assert(!knit_route_valid(block, size - 1));
	history_open(&h, &conf, 49, 10000, false);
	rig_close(&h.rig);
	h.rig.block = block;
	h.rig.writer = knit_route_open(block, &rig_grace);
	for (i = 0; i < 2; i++) {
		w = knit_route_open(block, &rig_grace);
		knit_route_close(h.rig.writer);
		h.rig.writer = w;
		oracle_tell(&h.oracle, w);
		rig_publish(w);
		while (!rig_stats(&h.rig).exhausted[0] || !rig_stats(&h.rig).exhausted[1]) {
			c = history_next(&h);
			if (i == 0)
				c.remove = false;
			apply(&h, &c);
			if (i == 1 && h.oracle.routes > 100)
				break;
		}
	}
	for (i = 0; i < 64; i++)
		ck_assert_uint_eq(canary[i], 0xa5);
	block->version++;
	ck_assert(!knit_route_valid(block, size));
	block->version--;
	history_close(&h);
}
END_TEST

START_TEST(sizes)
{
	struct knit_route_conf conf = { 1000000, 200000, 1024, 1 };
	size_t one_vrf = knit_route_bytes(&conf);

	/* two halves */
	ck_assert_uint_le(one_vrf / 2, 32 << 20);
	conf.vrfs = 1001;
	ck_assert_uint_le((knit_route_bytes(&conf) - one_vrf) / 2 / 1000, 64 << 10);
	conf.routes4 = 0;
	ck_assert_uint_eq(knit_route_bytes(&conf), 0);
	conf.routes4 = KNIT_ROUTE_MAX_ROUTES + 1;
	ck_assert_uint_eq(knit_route_bytes(&conf), 0);
	conf.routes4 = 1;
	conf.vrfs = KNIT_ROUTE_MAX_VRFS + 1;
	ck_assert_uint_eq(knit_route_bytes(&conf), 0);
	conf.vrfs = 1;
	conf.neighbours = 0;
	ck_assert_uint_eq(knit_route_bytes(&conf), 0);
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

KNIT_SUITE(route_room)
{
	knit_add_test(s, "too many routes", too_many_routes, SECONDS);
	knit_add_test(s, "readers that linger", readers_that_linger, SECONDS);
	knit_add_test(s, "dump too large", dump_too_large, SECONDS);
	knit_add_test(s, "no cell", no_cell, SECONDS);
	knit_add_test(s, "no adjacency", no_adjacency, 0);
	knit_add_test(s, "no buckets", no_buckets, 0);
	knit_add_test(s, "all neighbours", all_neighbours, 0);
	knit_add_test(s, "memory stays", memory_stays, SECONDS);
	knit_add_test(s, "bytes", bytes, SECONDS);
	knit_add_test(s, "sizes", sizes, 0);
}
