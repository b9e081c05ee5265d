// SPDX-License-Identifier: BSD-3-Clause
#include "route_rig.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

/*
 * Readers in threads of their own, with quiescent states as RCU has them, while a writer changes
 * all there is. Each prefix has a neighbour of its own, whose adjacency says which: so a reader can
 * tell whether an answer is one that its address ever had. Runs under TSan.
 */
#define READERS 2
#define PREFIXES 300
#define GROUPS 16
#define NEIGHBOURS 512
#ifdef __SANITIZE_THREAD__
#define UPDATES 20000
#elif defined(__SANITIZE_ADDRESS__)
#define UPDATES 50000
#else
#define UPDATES 300000
#endif
#define SECONDS 180
#define BURST 32

static struct shared {
	struct knit_route_block *block;
	struct knit_route_prefix prefix[PREFIXES];
	uint64_t token;		/* writer: wo */
	uint64_t seen[READERS]; /* reader: wo */
	uint64_t looked[READERS];
	bool stop;
	const char *failure;
} shared;

static void complain(const char *why)
{
	__atomic_store_n(&shared.failure, why, __ATOMIC_RELAXED);
}

static uint64_t start(void *arg)
{
	return __atomic_add_fetch(&shared.token, 1, __ATOMIC_SEQ_CST);
}

static bool passed(void *arg, uint64_t token)
{
	int i;

	for (i = 0; i < READERS; i++)
		if (__atomic_load_n(&shared.seen[i], __ATOMIC_ACQUIRE) < token)
			return false;
	return true;
}

static const struct knit_route_grace grace = { .start = start, .passed = passed };

static bool covers(const struct knit_route_prefix *p, const uint8_t *address)
{
	size_t bytes = p->family == KNIT_ROUTE_4 ? 4 : 16;
	uint8_t masked[16];

	memcpy(masked, address, bytes);
	rig_mask(masked, p->family, p->len, false);
	return memcmp(masked, p->address, bytes) == 0;
}

/* An answer for an address of a family in VRF 0. */
static void check(const struct knit_route_half *half, enum knit_route_family family,
		  const uint8_t *address, uint32_t verdict, uint32_t hash)
{
	const struct knit_adjacency *a;
	uint32_t value = knit_route_value(verdict), end;
	unsigned int i;

	if (verdict == 0)
		return;
	if (knit_route_kind(verdict) == KNIT_ROUTE_HOP) {
		if (value >= PREFIXES || shared.prefix[value].family != family ||
		    !covers(&shared.prefix[value], address))
			complain("an answer that the address never had");
	} else if (knit_route_kind(verdict) != KNIT_ROUTE_GROUP || value >= GROUPS) {
		complain("an answer that nobody gave");
		return;
	}
	end = knit_route_resolve(half, verdict, hash);
	if (end == 0)
		return;
	if (knit_route_kind(end) != KNIT_ROUTE_ADJACENCY) {
		complain("a verdict that leads nowhere");
		return;
	}
	a = knit_route_adjacency(half, end);
	if (knit_route_kind(verdict) == KNIT_ROUTE_HOP && a->output != value)
		complain("the adjacency of another neighbour");
	if (knit_route_kind(verdict) == KNIT_ROUTE_GROUP && a->output % GROUPS != value)
		complain("a neighbour that was never in the group");
	for (i = 0; i < KNIT_ROUTE_REWRITE; i++)
		if (a->rewrite[i] != (uint8_t)a->mtu)
			complain("half an adjacency");
}

static void burst(const struct knit_route_half *half, struct knit_random *random)
{
	uint32_t address4[BURST], verdict[BURST];
	const struct knit_route_prefix *p;
	uint8_t address6[BURST][16];
	int i;

	for (i = 0; i < BURST; i++) {
		p = &shared.prefix[knit_random_next(random) % PREFIXES];
		memcpy(address6[i], p->address, 16);
		if (knit_random_next(random) % 2)
			rig_mask(address6[i], KNIT_ROUTE_6, p->len, true);
		memcpy(&address4[i], address6[i], 4);
	}
	knit_route_lookup4(half, 0, address4, verdict, BURST);
	for (i = 0; i < BURST; i++)
		check(half, KNIT_ROUTE_4, (uint8_t *)&address4[i], verdict[i], i);
	knit_route_lookup6(half, 0, address6, verdict, BURST);
	for (i = 0; i < BURST; i++)
		check(half, KNIT_ROUTE_6, address6[i], verdict[i], i);
}

static void *reader(void *arg)
{
	size_t id = (uint64_t *)arg - shared.seen;
	struct knit_random random = { .state = id };
	const struct knit_route_half *half;

	while (!__atomic_load_n(&shared.stop, __ATOMIC_RELAXED)) {
		half = knit_route_live(shared.block);
		if (half)
			burst(half, &random);
		__atomic_store_n(&shared.seen[id], __atomic_load_n(&shared.token, __ATOMIC_ACQUIRE),
				 __ATOMIC_RELEASE);
		__atomic_fetch_add(&shared.looked[id], 1, __ATOMIC_RELAXED);
	}
	__atomic_store_n(&shared.seen[id], UINT64_MAX, __ATOMIC_RELEASE);
	return NULL;
}

static void update_hop(struct rig *rig, struct knit_route_writer *w, uint32_t hop)
{
	struct knit_adjacency a = { .output = hop, .mtu = rig_random(rig, 1000) };
	int ret;

	memset(a.rewrite, a.mtu, sizeof(a.rewrite));
	if (rig_random(rig, 4))
		ret = knit_route_hop_set(w, hop, &a);
	else
		ret = knit_route_hop_clear(w, hop, 0);
	ck_assert(ret == 0 || ret == -ENOSPC);
}

/* Members of group g are neighbours whose number is g, modulo the number of groups. */
static void update_group(struct rig *rig, struct knit_route_writer *w, uint32_t group)
{
	struct knit_route_member m[PREFIXES / GROUPS];
	unsigned int n = 0, i;
	int ret;

	for (i = 0; i < PREFIXES / GROUPS; i++)
		if (rig_random(rig, 2))
			m[n++] = (struct knit_route_member){ i * GROUPS + group,
							     1 + rig_random(rig, 3) };
	if (n)
		ret = knit_route_group_set(w, group, m, n, 0);
	else
		ret = knit_route_group_clear(w, group, 0);
	ck_assert(ret == 0 || ret == -ENOSPC);
}

static void update_route(struct rig *rig, struct knit_route_writer *w, uint32_t n)
{
	struct knit_route r = { .prefix = shared.prefix[n] };
	int ret;

	if (rig_random(rig, 3) == 0) {
		ret = knit_route_remove(w, &r.prefix);
	} else {
		r.verdict = KNIT_ROUTE_VERDICT(KNIT_ROUTE_HOP, n);
		if (rig_random(rig, 4) == 0)
			r.verdict = KNIT_ROUTE_VERDICT(KNIT_ROUTE_GROUP, n % GROUPS);
		ret = knit_route_set(w, &r);
	}
	ck_assert(ret == 0 || ret == -ENOSPC || ret == -ENOENT);
}

static void update(struct rig *rig, struct knit_route_writer *w)
{
	switch (rig_random(rig, 8)) {
	case 0:
		update_hop(rig, w, rig_random(rig, PREFIXES));
		break;
	case 1:
		update_group(rig, w, rig_random(rig, GROUPS));
		break;
	default:
		update_route(rig, w, rig_random(rig, PREFIXES));
	}
}

/* A new writer with a new dump, while the old one still works. */
static void succeed(struct rig *rig)
{
	struct knit_route_writer *w = knit_route_open(shared.block, &grace);
	int i;

	for (i = 0; i < 2000; i++)
		update(rig, w);
	while (knit_route_publish(w) == -EAGAIN) {
		update(rig, rig->writer);
		sched_yield();
	}
	knit_route_close(rig->writer);
	rig->writer = w;
}

START_TEST(readers)
{
	const struct knit_route_conf conf = { 5000, 5000, NEIGHBOURS, 1 };
	pthread_t thread[READERS];
	struct rig rig;
	int i;

	rig_open(&rig, &conf, 51);
	knit_route_close(rig.writer);
	shared.block = rig.block;
	for (i = 0; i < PREFIXES; i++)
		shared.prefix[i] = rig_prefix(&rig, i % 2 ? KNIT_ROUTE_4 : KNIT_ROUTE_6);
	for (i = 0; i < PREFIXES; i++)
		shared.prefix[i].vrf = 0;
	for (i = 0; i < READERS; i++)
		ck_assert_int_eq(pthread_create(&thread[i], NULL, reader, &shared.seen[i]), 0);
	rig.writer = knit_route_open(rig.block, &grace);
	while (knit_route_publish(rig.writer) == -EAGAIN)
		sched_yield();
	for (i = 0; i < UPDATES && !shared.failure; i++) {
		update(&rig, rig.writer);
		if (i % (UPDATES / 8) == UPDATES / 16)
			succeed(&rig);
		if (i % 1000 == 0)
			knit_route_retry(rig.writer);
	}
	__atomic_store_n(&shared.stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < READERS; i++)
		pthread_join(thread[i], NULL);
	ck_assert_msg(!shared.failure, "%s", shared.failure);
	for (i = 0; i < READERS; i++)
		ck_assert_uint_gt(shared.looked[i], 100);
	rig_close(&rig);
}
END_TEST

KNIT_SUITE(route_readers)
{
	knit_add_test(s, "readers", readers, SECONDS);
}
