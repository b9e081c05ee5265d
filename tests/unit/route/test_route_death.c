// SPDX-License-Identifier: BSD-3-Clause
#include "history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * A writer that dies on any line has died after some store. After each one, readers are asked: all
 * must get what they got before the update, or all what they get after it. And a new writer builds
 * the other half there.
 */
#ifdef __SANITIZE_ADDRESS__
#define STEPS 100
#else
#define STEPS 300
#endif
#define SECONDS 180

struct death {
	struct history h;
	uint32_t before[96], after[96];
	unsigned int stores;   /* of this update */
	unsigned int switches; /* stores at which answers changed */
	bool is_after;
	unsigned int heirs;
};

static void ask(const struct history *h, uint32_t *answer)
{
	const struct probe *p;
	unsigned int i;

	for (i = 0; i < h->probes; i++) {
		p = &h->probe[i];
		answer[i] = oracle_lookup(&h->oracle, p->vrf, p->family, p->address);
	}
}

static void check_readers(struct death *d, const struct knit_route_half *half)
{
	unsigned int i, old = 0, new = 0;
	const struct probe *p;
	uint32_t verdict;

	for (i = 0; i < d->h.probes; i++) {
		p = &d->h.probe[i];
		verdict = rig_lookup(half, p->vrf, p->family, p->address);
		if (d->before[i] == d->after[i]) {
			ck_assert_uint_eq(verdict, d->before[i]);
			continue;
		}
		ck_assert(verdict == d->before[i] || verdict == d->after[i]);
		old += verdict == d->before[i];
		new += verdict == d->after[i];
	}
	ck_assert_msg(!old || !new, "%u answers are old, %u are new", old, new);
	if (new && !d->is_after)
		d->switches++;
	if (old)
		ck_assert_msg(!d->is_after, "answers changed back");
	d->is_after = new;
}

struct building {
	struct death *death;
	struct knit_route_block *block;
	const struct knit_route_half *live;
	uint32_t dumped[96];
	bool published;
};

/* While the other half is built, and it may be left unfinished at any store. */
static void building(void *arg)
{
	struct building *b = arg;
	const struct history *h = &b->death->h;
	const struct knit_route_half *half = knit_route_live(b->block);
	unsigned int i;
	bool is_old = half == b->live;
	uint32_t verdict;

	for (i = 0; i < h->probes; i++) {
		verdict =
			rig_lookup(half, h->probe[i].vrf, h->probe[i].family, h->probe[i].address);
		if (is_old)
			ck_assert(verdict == b->death->before[i] || verdict == b->death->after[i]);
		else
			ck_assert_uint_eq(verdict, b->dumped[i]);
	}
	b->published = !is_old;
}

/* In a copy, so that the writer that is at work can go on. */
static void inherit(struct death *d)
{
	const struct knit_route_block *block = d->h.rig.block;
	struct building b = { .death = d, .block = aligned_alloc(64, block->bytes) };
	struct knit_route_writer *heir;

	d->heirs++;
	ck_assert_ptr_nonnull(b.block);
	memcpy(b.block, block, block->bytes);
	b.live = knit_route_live(b.block);
	ask(&d->h, b.dumped);
	heir = knit_route_open(b.block, &rig_grace);
	ck_assert_ptr_nonnull(heir);
	oracle_tell(&d->h.oracle, heir);
	rig_stored = building;
	rig_stored_arg = &b;
	rig_publish(heir);
	ck_assert(b.published);
	rig_stored = NULL;
	history_check(&d->h, knit_route_live(b.block));
	knit_route_close(heir);
	free(b.block);
}

static void stored(void *arg)
{
	struct death *d = arg;

	d->stores++;
	check_readers(d, rig_half(&d->h.rig));
	/* All stores of short updates; of long ones the first, and then some. */
	if (d->stores < 4 || d->stores % 64 == 0)
		inherit(d);
	rig_stored = stored;
	rig_stored_arg = d;
}

static void one_update(struct death *d, unsigned int *most)
{
	struct change c = history_next(&d->h);

	history_probe(&d->h, &c.route.prefix);
	ask(&d->h, d->before);
	history_tell_oracle(&d->h, &c);
	ask(&d->h, d->after);
	d->stores = d->switches = 0;
	d->is_after = false;
	rig_stored = stored;
	rig_stored_arg = d;
	if (c.remove)
		ck_assert_int_eq(knit_route_remove(d->h.rig.writer, &c.route.prefix), 0);
	else
		ck_assert_int_eq(knit_route_set(d->h.rig.writer, &c.route), 0);
	rig_stored = NULL;
	ck_assert_uint_le(d->switches, 1);
	if (memcmp(d->before, d->after, d->h.probes * sizeof(*d->before)) != 0)
		ck_assert_uint_eq(d->switches, 1);
	history_check(&d->h, rig_half(&d->h.rig));
	if (d->stores > *most)
		*most = d->stores;
}

static void deaths(uint64_t seed, size_t routes)
{
	struct death d = { 0 };
	unsigned int most = 0;
	int i;

	history_open(&d.h, &rig_conf, seed, routes, true);
	for (i = 0; i < STEPS; i++)
		one_update(&d, &most);
	/* or what was meant was not looked at */
	ck_assert_uint_ge(most, 16);
	ck_assert_uint_ge(d.heirs, STEPS);
	history_close(&d.h);
}

START_TEST(few_routes)
{
	deaths(11, 6);
}
END_TEST

START_TEST(many_routes)
{
	deaths(12, 100);
}
END_TEST

/* One after the other, in turn in both halves, each while the one before is still at work. */
START_TEST(halves_take_turns)
{
	const struct knit_route_half *last = NULL;
	struct knit_route_writer *next;
	struct history h;
	struct change c;
	int i;

	history_open(&h, &rig_conf, 13, 50, true);
	for (i = 0; i < 200; i++) {
		c = history_next(&h);
		history_apply(&h, &c);
		if (i % 10)
			continue;
		ck_assert_ptr_ne(rig_half(&h.rig), last);
		last = rig_half(&h.rig);
		next = knit_route_open(h.rig.block, &rig_grace);
		oracle_tell(&h.oracle, next);
		ck_assert_ptr_eq(rig_half(&h.rig), last);
		rig_publish(next);
		ck_assert_uint_eq(rig_half(&h.rig)->generation, last->generation + 1);
		knit_route_close(h.rig.writer);
		h.rig.writer = next;
		history_check_all(&h);
	}
	history_close(&h);
}
END_TEST

static bool passes;

static bool maybe_passed(void *arg, uint64_t token)
{
	return passes;
}

static uint64_t start(void *arg)
{
	return 1;
}

/* A half that a reader may still be in is not built over. */
START_TEST(waits_for_readers)
{
	const struct knit_route_grace grace = { .start = start, .passed = maybe_passed };
	struct knit_route r = rig_route("0.0.0.0/0", KNIT_ROUTE_VERDICT(KNIT_ROUTE_HOP, 1));
	uint8_t address[16] = { 1, 2, 3, 4 };
	struct knit_route_writer *w;
	struct rig rig;

	rig_open_live(&rig, &rig_conf, 14);
	w = knit_route_open(rig.block, &grace);
	ck_assert_int_eq(knit_route_add(w, &r), 0);
	ck_assert_int_eq(knit_route_publish(w), -EAGAIN);
	ck_assert_uint_eq(rig_lookup(rig_half(&rig), 0, KNIT_ROUTE_4, address), 0);
	passes = true;
	ck_assert_int_eq(knit_route_publish(w), 0);
	ck_assert_uint_eq(rig_lookup(rig_half(&rig), 0, KNIT_ROUTE_4, address), r.verdict);
	knit_route_close(w);
	rig_close(&rig);
}
END_TEST

/* All to the kernel, and from there on again. */
START_TEST(blank)
{
	struct history h;
	struct change c;
	int i;

	history_open(&h, &rig_conf, 15, 100, true);
	for (i = 0; i < 300; i++) {
		c = history_next(&h);
		history_apply(&h, &c);
	}
	knit_route_blank(h.rig.writer);
	oracle_close(&h.oracle);
	history_check_all(&h);
	ck_assert_uint_eq(rig_lookup(rig_half(&h.rig), 0, KNIT_ROUTE_4, c.route.prefix.address), 0);
	for (i = 0; i < 300; i++) {
		c = history_next(&h);
		history_apply(&h, &c);
	}
	history_check_all(&h);
	history_close(&h);
}
END_TEST

KNIT_SUITE(route_death)
{
	knit_add_test(s, "few routes", few_routes, SECONDS);
	knit_add_test(s, "many routes", many_routes, SECONDS);
	knit_add_test(s, "halves take turns", halves_take_turns, SECONDS);
	knit_add_test(s, "waits for readers", waits_for_readers, 0);
	knit_add_test(s, "blank", blank, SECONDS);
}
