/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_REQSTATE_FAKE_H
#define KNIT_REQSTATE_FAKE_H

#include "unit.h"

#include "pure/reqstate.h"

#include <string.h>

/*
 * What the module wants of the port: a kernel, a queue and a handler made of a few words. Whatever
 * is refused, late, unanswered or changed in between, in the end kernel and port have the same.
 */
static struct knit_reqstate state;
static struct knit_iface_state shm;
static struct {
	struct knit_req queue[KNIT_REQ_RING];
	unsigned int n;
	__u32 mtu; /* the port's */
} fake;

static const struct knit_iface_state first = { .mtu = 1500, .mac = { 2, 0, 0, 0, 0, 1 } };

/* As kni_req.c does it. Returns how many requests wait. */
static inline unsigned int run(void)
{
	enum knit_req_kind kind;

	while ((kind = knit_reqstate_next(&state)) != KNIT_REQ_NONE) {
		ck_assert_uint_lt(fake.n, KNIT_REQ_RING);
		knit_reqstate_issue_async(&state, kind, &fake.queue[fake.n++]);
	}
	return fake.n;
}

static inline void request_sync(enum knit_req_kind kind, __u32 value)
{
	union knit_req_value v = { .value = value };

	ck_assert_uint_eq(state.track.pending[kind], 0);
	knit_reqstate_issue_sync(&state, kind, &v, &fake.queue[fake.n++]);
}

static inline enum knit_req_match answer_to(const struct knit_req *req, int result)
{
	struct knit_req answer = *req;

	answer.result = result;
	return knit_reqstate_answer(&state, &answer);
}

/* The request in front, which must be of that kind; a success changes the port. */
static inline struct knit_req serve(enum knit_req_kind kind, int result)
{
	struct knit_req req = fake.queue[0];

	ck_assert_uint_ge(fake.n, 1);
	ck_assert_uint_eq(req.kind, kind);
	memmove(fake.queue, fake.queue + 1, --fake.n * sizeof(req));
	if (kind == KNIT_REQ_MTU && result == 0)
		fake.mtu = req.value;
	return req;
}

static inline struct knit_req answer(enum knit_req_kind kind, int result)
{
	struct knit_req req = serve(kind, result);

	ck_assert_int_eq(answer_to(&req, result), KNIT_MATCH_OK);
	run();
	return req;
}

/* The kernel's value of an interface whose requests are asynchronous. */
static inline void set_mtu(__u32 mtu)
{
	union knit_req_value v = { .value = mtu };

	ck_assert(knit_reqstate_set_one(&state, KNIT_REQ_MTU, &v));
	run();
}

/* As req_revert: the net_device has what is wanted. */
static inline bool revert(enum knit_req_kind kind)
{
	union knit_req_value value = { .mac = { 0 } }, back;

	if (kind == KNIT_REQ_MTU)
		value.value = state.now.mtu;
	else
		memcpy(value.mac, state.now.mac, 6);
	if (!knit_reqstate_reverts(&state, kind, &value, &back))
		return false;
	knit_reqstate_reverted(&state, kind);
	run();
	return true;
}

static inline void settled(__u32 mtu)
{
	ck_assert_uint_eq(run(), 0);
	ck_assert_uint_eq(state.now.mtu, mtu);
	ck_assert_uint_eq(fake.mtu, mtu);
	ck_assert_uint_eq(state.dirty | state.retry | state.sync | state.revert, 0);
	knit_reqstate_tick(&state);
	ck_assert_uint_eq(run(), 0);
}

static inline void answer_all(void)
{
	enum knit_req_kind kind;

	for (kind = 1; kind < KNIT_REQ_COUNT; kind++)
		answer(kind, 0);
}

static inline void setup(void)
{
	memset(&shm, 0, sizeof(shm));
	memset(&fake, 0, sizeof(fake));
	knit_reqstate_init(&state, &first);
	state.strict = true;
	ck_assert_uint_eq(run(), 0);
	knit_reqstate_state(&state);
	run();
	answer_all();
	settled(1500);
}

static inline void add(Suite *s, const TTest *test, int variants)
{
	TCase *tcase = tcase_create(test->name);

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_loop_test(tcase, test, 0, variants);
	tcase_set_timeout(tcase, 30);
	suite_add_tcase(s, tcase);
}

#endif
