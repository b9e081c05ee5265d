// SPDX-License-Identifier: BSD-3-Clause
#include "history.h"

#include <errno.h>
#include <string.h>

/*
 * Random histories: after each change the table says what a slow oracle says. The sanitizers make
 * it some five times dearer.
 */
#ifdef __SANITIZE_ADDRESS__
#define STEPS 2000
#else
#define STEPS 5000
#endif
#define SECONDS 180

static const struct knit_route_conf one_vrf = {
	.routes4 = 60000,
	.routes6 = 60000,
	.neighbours = 64,
	.vrfs = 1,
};

static void live_history(const struct knit_route_conf *conf, uint64_t seed, size_t most)
{
	struct history h;
	struct change c;
	int i;

	history_open(&h, conf, seed, most, true);
	for (i = 0; i < STEPS; i++) {
		c = history_next(&h);
		history_apply(&h, &c);
		history_probe(&h, &c.route.prefix);
		history_check(&h, rig_half(&h.rig));
		if (i % (STEPS / 4) == 0)
			history_check_all(&h);
	}
	history_check_all(&h);
	while (h.oracle.routes) {
		c = (struct change){ .remove = true,
				     .route = h.oracle.route[rig_random(&h.rig, h.oracle.routes)] };
		history_apply(&h, &c);
		history_probe(&h, &c.route.prefix);
		history_check(&h, rig_half(&h.rig));
	}
	history_close(&h);
}

START_TEST(few_routes)
{
	live_history(&rig_conf, 1, 8);
	live_history(&rig_conf, 2, 30);
}
END_TEST

START_TEST(many_routes)
{
	live_history(&rig_conf, 3, 200);
}
END_TEST

/* The direct table grows to 14 bits, and stays so. */
START_TEST(larger_direct_table)
{
	live_history(&one_vrf, 4, 2000);
}
END_TEST

/* What a dump tells before anything is published */
START_TEST(built_at_once)
{
	struct history h;
	struct change c;
	int round, i;

	for (round = 0; round < 20; round++) {
		history_open(&h, round % 2 ? &one_vrf : &rig_conf, 100 + round, 50 * round + 1,
			     false);
		for (i = 0; i < 100 * round; i++) {
			c = history_next(&h);
			history_apply(&h, &c);
		}
		ck_assert_ptr_null(rig_half(&h.rig));
		rig_publish(h.rig.writer);
		history_check_all(&h);
		history_close(&h);
	}
}
END_TEST

static struct knit_route random_route(struct rig *rig, unsigned int least, unsigned int most)
{
	struct knit_route r = { .prefix.family = KNIT_ROUTE_4 };
	uint32_t bits = knit_random_next(&rig->random);

	memcpy(r.prefix.address, &bits, sizeof(bits));
	r.prefix.len = least + rig_random(rig, most - least + 1);
	rig_mask(r.prefix.address, KNIT_ROUTE_4, r.prefix.len, false);
	r.verdict = KNIT_ROUTE_VERDICT(KNIT_ROUTE_HOP, rig_random(rig, 64));
	return r;
}

/* 19 bits, on the way through 9 and 14. The RIB is what it is compared with. */
START_TEST(largest_direct_table)
{
	struct knit_route_conf conf = one_vrf;
	struct knit_route r, is;
	struct rig rig;
	uint32_t verdict;
	int i;

	rig_open_live(&rig, &conf, 5);
	for (i = 0; i < 40000; i++) {
		r = random_route(&rig, 8, 26);
		ck_assert_int_eq(knit_route_set(rig.writer, &r), 0);
	}
	ck_assert_uint_eq((uint32_t)((const struct knit_route_vrf *)((const char *)rig_half(&rig) +
								     rig_half(&rig)->vrf))
				  ->root[KNIT_ROUTE_4],
			  19);
	for (i = 0; i < 200000; i++) {
		r = random_route(&rig, 32, 32);
		verdict = 0;
		if (knit_route_match(rig.writer, 0, KNIT_ROUTE_4, r.prefix.address, &is) == 0)
			verdict = is.verdict;
		ck_assert_uint_eq(rig_lookup(rig_half(&rig), 0, KNIT_ROUTE_4, r.prefix.address),
				  verdict);
	}
	ck_assert_uint_eq(rig_stats(&rig).punted[0], 0);
	rig_close(&rig);
}
END_TEST

/* Bursts of all lengths say what single lookups say. */
START_TEST(bursts)
{
	uint32_t address4[70], verdict[71];
	uint8_t address6[70][16];
	struct knit_route_prefix p;
	struct history h;
	struct change c;
	int n, i;

	history_open(&h, &rig_conf, 6, 200, true);
	for (i = 0; i < 400; i++) {
		c = history_next(&h);
		history_apply(&h, &c);
	}
	for (n = 0; n < 70; n++) {
		for (i = 0; i < n; i++) {
			p = rig_prefix(&h.rig, KNIT_ROUTE_6);
			memcpy(address6[i], p.address, 16);
			p = rig_prefix(&h.rig, KNIT_ROUTE_4);
			memcpy(&address4[i], p.address, 4);
		}
		verdict[n] = 12345;
		knit_route_lookup4(rig_half(&h.rig), 1, address4, verdict, n);
		for (i = 0; i < n; i++)
			ck_assert_uint_eq(verdict[i], oracle_lookup(&h.oracle, 1, KNIT_ROUTE_4,
								    (uint8_t *)&address4[i]));
		knit_route_lookup6(rig_half(&h.rig), 1, address6, verdict, n);
		for (i = 0; i < n; i++)
			ck_assert_uint_eq(verdict[i],
					  oracle_lookup(&h.oracle, 1, KNIT_ROUTE_6, address6[i]));
		ck_assert_uint_eq(verdict[n], 12345);
	}
	history_close(&h);
}
END_TEST

START_TEST(errors)
{
	uint32_t hop = KNIT_ROUTE_VERDICT(KNIT_ROUTE_HOP, 1);
	struct knit_route r = rig_route("10.1.0.0/16", hop), out;
	struct rig rig;

	rig_open_live(&rig, &rig_conf, 7);
	ck_assert_int_eq(knit_route_remove(rig.writer, &r.prefix), -ENOENT);
	ck_assert_int_eq(knit_route_get(rig.writer, &r.prefix, &out), -ENOENT);
	ck_assert_int_eq(knit_route_add(rig.writer, &r), 0);
	ck_assert_int_eq(knit_route_add(rig.writer, &r), -EEXIST);
	r.tag = 5;
	ck_assert_int_eq(knit_route_set(rig.writer, &r), 0);
	ck_assert_int_eq(knit_route_get(rig.writer, &r.prefix, &out), 0);
	ck_assert_uint_eq(out.tag, 5);
	ck_assert_int_eq(knit_route_match(rig.writer, 3, KNIT_ROUTE_4, r.prefix.address, &out),
			 -ERANGE);
	ck_assert_int_eq(knit_route_match(rig.writer, 2, KNIT_ROUTE_4, r.prefix.address, &out),
			 -ENOENT);

	r.verdict = KNIT_ROUTE_VERDICT(KNIT_ROUTE_HOP, 64);
	ck_assert_int_eq(knit_route_set(rig.writer, &r), -EINVAL);
	r.verdict = KNIT_ROUTE_VERDICT(KNIT_ROUTE_GROUP, 64);
	ck_assert_int_eq(knit_route_set(rig.writer, &r), -EINVAL);
	r.verdict = KNIT_ROUTE_VERDICT(KNIT_ROUTE_DROP, 16);
	ck_assert_int_eq(knit_route_set(rig.writer, &r), -EINVAL);
	r.verdict = KNIT_ROUTE_VERDICT(KNIT_ROUTE_ADJACENCY, 0);
	ck_assert_int_eq(knit_route_set(rig.writer, &r), -EINVAL);
	r.verdict = hop;
	r.prefix.vrf = 3;
	ck_assert_int_eq(knit_route_set(rig.writer, &r), -ERANGE);
	r.prefix.vrf = 0;
	r.prefix.len = 15;
	ck_assert_int_eq(knit_route_set(rig.writer, &r), -EINVAL);
	r.prefix.len = 33;
	ck_assert_int_eq(knit_route_set(rig.writer, &r), -EINVAL);
	r.prefix.family = KNIT_ROUTE_FAMILIES;
	ck_assert_int_eq(knit_route_set(rig.writer, &r), -EINVAL);
	r = rig_route("2001:db8::1/127", hop);
	ck_assert_int_eq(knit_route_set(rig.writer, &r), -EINVAL);
	r.prefix.len = 129;
	ck_assert_int_eq(knit_route_set(rig.writer, &r), -EINVAL);
	ck_assert_int_eq(knit_route_publish(rig.writer), -EALREADY);
	rig_close(&rig);
}
END_TEST

/* Lookups in a VRF that is not there, or has nothing, say "to the kernel". */
START_TEST(no_vrf)
{
	uint8_t address[16] = { 10, 1 };
	struct rig rig;

	rig_open_live(&rig, &rig_conf, 8);
	ck_assert_uint_eq(rig_lookup(rig_half(&rig), 0, KNIT_ROUTE_4, address), 0);
	ck_assert_uint_eq(rig_lookup(rig_half(&rig), 0, KNIT_ROUTE_6, address), 0);
	ck_assert_uint_eq(rig_lookup(rig_half(&rig), 3, KNIT_ROUTE_4, address), 0);
	ck_assert_uint_eq(rig_lookup(rig_half(&rig), UINT32_MAX, KNIT_ROUTE_6, address), 0);
	rig_close(&rig);
}
END_TEST

KNIT_SUITE(route_oracle)
{
	knit_add_test(s, "few routes", few_routes, SECONDS);
	knit_add_test(s, "many routes", many_routes, SECONDS);
	knit_add_test(s, "larger direct table", larger_direct_table, SECONDS);
	knit_add_test(s, "largest direct table", largest_direct_table, SECONDS);
	knit_add_test(s, "built at once", built_at_once, SECONDS);
	knit_add_test(s, "bursts", bursts, SECONDS);
	knit_add_test(s, "errors", errors, 0);
	knit_add_test(s, "no vrf", no_vrf, 0);
}
