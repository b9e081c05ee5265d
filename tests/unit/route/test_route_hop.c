// SPDX-License-Identifier: BSD-3-Clause
#include "route_rig.h"

#include <errno.h>
#include <string.h>

/* Neighbours and multipath groups */

static unsigned int stores;

static void stored(void *arg)
{
	stores++;
}

static uint32_t hop(uint32_t n)
{
	return KNIT_ROUTE_VERDICT(KNIT_ROUTE_HOP, n);
}

static uint32_t group(uint32_t n)
{
	return KNIT_ROUTE_VERDICT(KNIT_ROUTE_GROUP, n);
}

static struct knit_adjacency adjacency(uint16_t n)
{
	struct knit_adjacency a = { .output = n, .mtu = 1500, .rewrite_size = 12 };

	memset(a.rewrite, n, sizeof(a.rewrite));
	return a;
}

static uint32_t resolved(const struct rig *rig, uint32_t verdict, uint32_t hash)
{
	return knit_route_resolve(rig_half(rig), verdict, hash);
}

/* The output that a verdict leads to. */
static uint32_t output(const struct rig *rig, uint32_t verdict, uint32_t hash)
{
	verdict = resolved(rig, verdict, hash);
	ck_assert_int_eq(knit_route_kind(verdict), KNIT_ROUTE_ADJACENCY);
	return knit_route_adjacency(rig_half(rig), verdict)->output;
}

/* Whoever uses it goes another way after one store. */
START_TEST(neighbour)
{
	uint32_t drop = KNIT_ROUTE_VERDICT(KNIT_ROUTE_DROP, 3);
	struct knit_adjacency a = adjacency(70);
	struct rig rig;

	rig_open_live(&rig, &rig_conf, 31);
	rig_stored = stored;
	ck_assert_uint_eq(resolved(&rig, hop(5), 0), 0);
	ck_assert_int_eq(knit_route_hop_set(rig.writer, 5, &a), 0);
	ck_assert_uint_eq(stores, 1);
	ck_assert_uint_eq(output(&rig, hop(5), 0), 70);
	ck_assert_mem_eq(knit_route_adjacency(rig_half(&rig), resolved(&rig, hop(5), 0)), &a,
			 sizeof(a));
	a = adjacency(71);
	ck_assert_int_eq(knit_route_hop_set(rig.writer, 5, &a), 0);
	ck_assert_uint_eq(stores, 2);
	ck_assert_uint_eq(output(&rig, hop(5), 0), 71);
	ck_assert_int_eq(knit_route_hop_clear(rig.writer, 5, drop), 0);
	ck_assert_uint_eq(stores, 3);
	ck_assert_uint_eq(resolved(&rig, hop(5), 0), drop);
	ck_assert_int_eq(knit_route_hop_set(rig.writer, 64, &a), -ERANGE);
	ck_assert_int_eq(knit_route_hop_clear(rig.writer, 64, 0), -ERANGE);
	ck_assert_int_eq(knit_route_hop_clear(rig.writer, 5, hop(4)), -EINVAL);
	a.rewrite_size = KNIT_ROUTE_REWRITE + 1;
	ck_assert_int_eq(knit_route_hop_set(rig.writer, 5, &a), -EINVAL);
	ck_assert_uint_eq(resolved(&rig, drop, 0), drop);
	rig_close(&rig);
}
END_TEST

/* Told before the table is published */
START_TEST(told_before)
{
	struct knit_route_member m[] = { { 1, 1 }, { 2, 1 } };
	struct knit_adjacency a = adjacency(9);
	struct rig rig;
	unsigned int i, seen = 0;

	rig_open(&rig, &rig_conf, 32);
	ck_assert_int_eq(knit_route_hop_set(rig.writer, 1, &a), 0);
	ck_assert_int_eq(
		knit_route_hop_clear(rig.writer, 3, KNIT_ROUTE_VERDICT(KNIT_ROUTE_DROP, 1)), 0);
	ck_assert_int_eq(knit_route_group_set(rig.writer, 7, m, 2, 0), 0);
	rig_publish(rig.writer);
	ck_assert_uint_eq(output(&rig, hop(1), 0), 9);
	ck_assert_uint_eq(resolved(&rig, hop(2), 0), 0);
	ck_assert_uint_eq(resolved(&rig, hop(3), 0), KNIT_ROUTE_VERDICT(KNIT_ROUTE_DROP, 1));
	for (i = 0; i < 64; i++)
		seen += resolved(&rig, group(7), i) != 0;
	ck_assert_uint_eq(seen, 32);
	ck_assert_uint_eq(resolved(&rig, group(8), 5), 0);
	rig_close(&rig);
}
END_TEST

struct buckets {
	uint32_t of[KNIT_ROUTE_BUCKETS];
	unsigned int count[64]; /* by hop */
};

static void look(const struct rig *rig, unsigned int n, struct buckets *b)
{
	unsigned int i;

	memset(b, 0, sizeof(*b));
	for (i = 0; i < n; i++) {
		b->of[i] = output(rig, group(0), i);
		ck_assert_uint_lt(b->of[i], 64);
		b->count[b->of[i]]++;
	}
}

static void open_neighbours(struct rig *rig, uint64_t seed)
{
	struct knit_adjacency a;
	uint16_t i;

	rig_open_live(rig, &rig_conf, seed);
	for (i = 0; i < 64; i++) {
		a = adjacency(i);
		ck_assert_int_eq(knit_route_hop_set(rig->writer, i, &a), 0);
	}
}

START_TEST(weights)
{
	struct knit_route_member m[] = { { 1, 1 }, { 2, 2 }, { 3, 5 } };
	struct buckets b;
	struct rig rig;

	open_neighbours(&rig, 33);
	ck_assert_int_eq(knit_route_group_set(rig.writer, 0, m, 3, 1024), 0);
	look(&rig, 1024, &b);
	ck_assert_uint_eq(b.count[1], 128);
	ck_assert_uint_eq(b.count[2], 256);
	ck_assert_uint_eq(b.count[3], 640);
	m[2].weight = 1;
	ck_assert_int_eq(knit_route_group_set(rig.writer, 0, m, 3, 0), 0);
	look(&rig, 64, &b);
	ck_assert_uint_eq(b.count[1], 16);
	ck_assert_uint_eq(b.count[2], 32);
	ck_assert_uint_eq(b.count[3], 16);
	rig_close(&rig);
}
END_TEST

/* A random group; the members in random order. */
static unsigned int members(struct rig *rig, struct knit_route_member *m)
{
	unsigned int n = 0, i, k;
	struct knit_route_member swap;

	for (i = 0; i < 64; i++)
		if (rig_random(rig, 6) == 0)
			m[n++] = (struct knit_route_member){ i, 1 + rig_random(rig, 4) };
	if (!n)
		m[n++] = (struct knit_route_member){ 5, 1 };
	for (i = n - 1; i > 0; i--) {
		k = rig_random(rig, i + 1);
		swap = m[i];
		m[i] = m[k];
		m[k] = swap;
	}
	return n;
}

static void check_shares(const struct knit_route_member *m, unsigned int n, unsigned int buckets,
			 const struct buckets *b)
{
	unsigned int i, total = 0, sum = 0;
	double share;

	for (i = 0; i < n; i++)
		total += m[i].weight;
	for (i = 0; i < n; i++) {
		share = (double)m[i].weight * buckets / total;
		ck_assert(b->count[m[i].hop] > share - 1 && b->count[m[i].hop] < share + 1);
		sum += b->count[m[i].hop];
	}
	ck_assert_uint_eq(sum, buckets);
}

/* Flows of members that stay do not move when others leave. */
START_TEST(leave)
{
	struct knit_route_member m[64];
	struct buckets before, after;
	struct rig rig;
	unsigned int n, round, gone, i;

	open_neighbours(&rig, 34);
	for (round = 0; round < 100; round++) {
		n = members(&rig, m);
		ck_assert_int_eq(knit_route_group_clear(rig.writer, 0, 0), 0);
		ck_assert_int_eq(knit_route_group_set(rig.writer, 0, m, n, 256), 0);
		look(&rig, 256, &before);
		check_shares(m, n, 256, &before);
		while (n > 1) {
			gone = m[--n].hop;
			stores = 0;
			rig_stored = stored;
			ck_assert_int_eq(knit_route_group_set(rig.writer, 0, m, n, 256), 0);
			ck_assert_uint_eq(stores, 1);
			look(&rig, 256, &after);
			for (i = 0; i < 256; i++) {
				if (before.of[i] != gone)
					ck_assert_uint_eq(after.of[i], before.of[i]);
				ck_assert_uint_ne(after.of[i], gone);
			}
			before = after;
		}
	}
	rig_close(&rig);
}
END_TEST

/* A new member takes its share, and nothing moves between the others. */
START_TEST(join)
{
	struct knit_route_member m[64];
	struct buckets before, after;
	unsigned int n, all, round, i, moved;
	struct rig rig;

	open_neighbours(&rig, 35);
	for (round = 0; round < 100; round++) {
		all = members(&rig, m);
		ck_assert_int_eq(knit_route_group_clear(rig.writer, 0, 0), 0);
		ck_assert_int_eq(knit_route_group_set(rig.writer, 0, m, 1, 256), 0);
		for (n = 2; n <= all; n++) {
			look(&rig, 256, &before);
			ck_assert_int_eq(knit_route_group_set(rig.writer, 0, m, n, 256), 0);
			look(&rig, 256, &after);
			check_shares(m, n, 256, &after);
			for (i = moved = 0; i < 256; i++)
				moved += after.of[i] != before.of[i];
			ck_assert_uint_ge(moved, after.count[m[n - 1].hop]);
			/* and what rounding moves */
			ck_assert_uint_le(moved, after.count[m[n - 1].hop] + n);
		}
	}
	rig_close(&rig);
}
END_TEST

START_TEST(group_errors)
{
	struct knit_route_member m[KNIT_ROUTE_MEMBERS + 1] = { { 1, 1 }, { 2, 1 } };
	struct rig rig;

	open_neighbours(&rig, 36);
	ck_assert_int_eq(knit_route_group_set(rig.writer, 64, m, 2, 0), -ERANGE);
	ck_assert_int_eq(knit_route_group_clear(rig.writer, 64, 0), -ERANGE);
	ck_assert_int_eq(knit_route_group_clear(rig.writer, 0, group(1)), -EINVAL);
	ck_assert_int_eq(knit_route_group_set(rig.writer, 0, m, 0, 0), -EINVAL);
	ck_assert_int_eq(knit_route_group_set(rig.writer, 0, m, KNIT_ROUTE_MEMBERS + 1, 0),
			 -EINVAL);
	ck_assert_int_eq(knit_route_group_set(rig.writer, 0, m, 2, 1), -EINVAL);
	ck_assert_int_eq(knit_route_group_set(rig.writer, 0, m, 2, 3), -EINVAL);
	ck_assert_int_eq(knit_route_group_set(rig.writer, 0, m, 2, 2 * KNIT_ROUTE_BUCKETS),
			 -EINVAL);
	m[1].hop = 1;
	ck_assert_int_eq(knit_route_group_set(rig.writer, 0, m, 2, 0), -EINVAL);
	m[1].hop = 64;
	ck_assert_int_eq(knit_route_group_set(rig.writer, 0, m, 2, 0), -EINVAL);
	m[1] = (struct knit_route_member){ 2, 0 };
	ck_assert_int_eq(knit_route_group_set(rig.writer, 0, m, 2, 0), -EINVAL);
	m[1].weight = 65536;
	ck_assert_int_eq(knit_route_group_set(rig.writer, 0, m, 2, 0), -EINVAL);
	ck_assert_uint_eq(resolved(&rig, group(0), 3), 0);
	rig_close(&rig);
}
END_TEST

KNIT_SUITE(route_hop)
{
	knit_add_test(s, "neighbour", neighbour, 0);
	knit_add_test(s, "told before", told_before, 0);
	knit_add_test(s, "weights", weights, 0);
	knit_add_test(s, "leave", leave, 30);
	knit_add_test(s, "join", join, 30);
	knit_add_test(s, "group errors", group_errors, 0);
}
