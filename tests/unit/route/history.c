// SPDX-License-Identifier: BSD-3-Clause
#include "history.h"

#include <string.h>

void history_open(struct history *h, const struct knit_route_conf *conf, uint64_t seed, size_t most,
		  bool live)
{
	memset(h, 0, sizeof(*h));
	h->most = most;
	if (live)
		rig_open_live(&h->rig, conf, seed);
	else
		rig_open(&h->rig, conf, seed);
}

void history_close(struct history *h)
{
	rig_close(&h->rig);
	oracle_close(&h->oracle);
}

static uint32_t verdict(struct rig *rig)
{
	switch (rig_random(rig, 8)) {
	case 0:
		return KNIT_ROUTE_VERDICT(KNIT_ROUTE_KERNEL, rig_random(rig, KNIT_ROUTE_SMALL));
	case 1:
		return KNIT_ROUTE_VERDICT(KNIT_ROUTE_DROP, rig_random(rig, KNIT_ROUTE_SMALL));
	case 2:
		return KNIT_ROUTE_VERDICT(KNIT_ROUTE_GROUP, rig_random(rig, rig->conf.neighbours));
	default: /* few, so that neighbours often have the same */
		return KNIT_ROUTE_VERDICT(KNIT_ROUTE_HOP, rig_random(rig, 3));
	}
}

struct change history_next(struct history *h)
{
	bool shrinks = h->oracle.routes > rig_random(&h->rig, 2 * h->most);
	struct change c = { .remove = shrinks };

	if (h->oracle.routes && (shrinks || rig_random(&h->rig, 5) == 0)) {
		c.route = h->oracle.route[rig_random(&h->rig, h->oracle.routes)];
	} else {
		c.route.prefix =
			rig_prefix(&h->rig, rig_random(&h->rig, 2) ? KNIT_ROUTE_4 : KNIT_ROUTE_6);
	}
	c.route.verdict = verdict(&h->rig);
	c.route.tag = rig_random(&h->rig, 1000);
	return c;
}

void history_tell_oracle(struct history *h, const struct change *c)
{
	if (c->remove)
		oracle_remove(&h->oracle, &c->route.prefix);
	else
		oracle_set(&h->oracle, &c->route);
}

void history_apply(struct history *h, const struct change *c)
{
	if (c->remove)
		ck_assert_int_eq(knit_route_remove(h->rig.writer, &c->route.prefix), 0);
	else
		ck_assert_int_eq(knit_route_set(h->rig.writer, &c->route), 0);
	history_tell_oracle(h, c);
}

/* The number before or after; from the last to the first in a circle. */
static void step(uint8_t *address, enum knit_route_family family, int by)
{
	int i = family == KNIT_ROUTE_4 ? 3 : 15;

	for (; i >= 0; i--) {
		address[i] += by;
		if (address[i] != (by > 0 ? 0 : 255))
			return;
	}
}

static void probe(struct history *h, const struct knit_route_prefix *p)
{
	int which;
	struct probe *at;

	for (which = 0; which < 4 && h->probes < 96; which++) {
		at = &h->probe[h->probes++];
		at->vrf = p->vrf;
		at->family = p->family;
		memcpy(at->address, p->address, sizeof(at->address));
		if (which & 1)
			rig_mask(at->address, at->family, p->len, true);
		if (which == 2)
			step(at->address, at->family, -1);
		if (which == 3)
			step(at->address, at->family, 1);
	}
}

void history_probe(struct history *h, const struct knit_route_prefix *p)
{
	struct knit_route_prefix any;
	struct rig *rig = &h->rig;
	unsigned int i;

	h->probes = 0;
	probe(h, p);
	for (i = 0; i < 8; i++) {
		any = rig_prefix(rig, p->family);
		any.vrf = p->vrf;
		if (h->oracle.routes && i < 6)
			any = h->oracle.route[rig_random(rig, h->oracle.routes)].prefix;
		probe(h, &any);
		/* a neighbour of the prefix: some of its bits differ */
		any = *p;
		any.address[rig_random(rig, p->family == KNIT_ROUTE_4 ? 4 : 16)] ^=
			1 << rig_random(rig, 8);
		probe(h, &any);
	}
}

void history_check(const struct history *h, const struct knit_route_half *half)
{
	const struct probe *p;
	unsigned int i;

	for (i = 0; i < h->probes; i++) {
		p = &h->probe[i];
		ck_assert_uint_eq(rig_lookup(half, p->vrf, p->family, p->address),
				  oracle_lookup(&h->oracle, p->vrf, p->family, p->address));
	}
}

static int walked(void *arg, const struct knit_route *route)
{
	struct history *h = arg;
	const struct knit_route *was = oracle_find(&h->oracle, &route->prefix);

	ck_assert_ptr_nonnull(was);
	ck_assert_uint_eq(was->verdict, route->verdict);
	ck_assert_uint_eq(was->tag, route->tag);
	h->probes++;
	return 0;
}

static void check_match(struct history *h, const struct knit_route *route)
{
	const struct knit_route_prefix *p = &route->prefix;
	const struct knit_route *should;
	struct knit_route is;
	uint8_t last[16];

	memcpy(last, p->address, sizeof(last));
	rig_mask(last, p->family, p->len, true);
	should = oracle_match(&h->oracle, p->vrf, p->family, last);
	ck_assert_int_eq(knit_route_match(h->rig.writer, p->vrf, p->family, last, &is), 0);
	ck_assert_mem_eq(&is.prefix, &should->prefix, sizeof(is.prefix));
	ck_assert_uint_eq(is.tag, should->tag);
}

void history_check_all(struct history *h)
{
	struct knit_route_stats stats = rig_stats(&h->rig);
	uint32_t vrf;
	size_t i;

	h->probes = 0;
	for (vrf = 0; vrf < h->rig.conf.vrfs; vrf++) {
		ck_assert_int_eq(knit_route_walk(h->rig.writer, vrf, KNIT_ROUTE_4, walked, h), 0);
		ck_assert_int_eq(knit_route_walk(h->rig.writer, vrf, KNIT_ROUTE_6, walked, h), 0);
	}
	ck_assert_uint_eq(h->probes, h->oracle.routes);
	ck_assert_uint_eq(stats.routes[0] + stats.routes[1], h->oracle.routes);
	ck_assert_uint_eq(stats.punted[0] + stats.punted[1], 0);
	for (i = 0; i < h->oracle.routes; i++) {
		check_match(h, &h->oracle.route[i]);
		history_probe(h, &h->oracle.route[i].prefix);
		if (rig_half(&h->rig))
			history_check(h, rig_half(&h->rig));
	}
}
