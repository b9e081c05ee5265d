// SPDX-License-Identifier: BSD-3-Clause
#include "reqstate_fake.h"

#include <errno.h>
#include <string.h>

START_TEST(async_carries_what_is_wanted)
{
	struct knit_iface_state next = {
		.up = 1, .mtu = 3000, .mac = { 6 }, .promisc = 1, .n_mc = 2
	};
	struct knit_req req;

	next.mc[1][5] = 9;
	ck_assert(knit_reqstate_set(&state, &next));
	ck_assert(!knit_reqstate_set(&state, &next));
	run();
	req = answer(KNIT_REQ_LINK, 0);
	ck_assert_uint_eq(req.value, 1);
	ck_assert_uint_eq(req.flags, 0);
	req = answer(KNIT_REQ_MTU, 0);
	ck_assert_uint_eq(req.value, 3000);
	req = answer(KNIT_REQ_MAC, 0);
	ck_assert_mem_eq(req.mac, next.mac, 8);
	req = answer(KNIT_REQ_PROMISC, 0);
	ck_assert_uint_eq(req.value, 1);
	req = answer(KNIT_REQ_RXLIST, 0); /* allmulti did not change */
	ck_assert_uint_eq(req.value, 0);
	settled(3000);
	next.mc[1][5] = 10;
	ck_assert(knit_reqstate_set(&state, &next));
	run();
	answer(KNIT_REQ_RXLIST, 0);
	settled(3000);
}
END_TEST

/* What lies behind the listed addresses is nobody's business. */
START_TEST(lists_count_as_far_as_they_go)
{
	struct knit_iface_state next = first;

	next.uc[0][0] = 2;
	next.mc[KNIT_RXLIST_MAX - 1][0] = 1;
	ck_assert(!knit_reqstate_set(&state, &next));
	next.n_mc = KNIT_RXLIST_MAX;
	ck_assert(knit_reqstate_set(&state, &next));
	ck_assert_uint_eq(state.dirty, KNIT_REQ_BIT(KNIT_REQ_RXLIST));
}
END_TEST

START_TEST(shows_all_but_numbers)
{
	struct knit_iface_state copy, next = first;

	shm.cancelled_seq = 77;
	next.up = 1;
	next.seq = 12345;
	next.cancelled_seq = 4711;
	next.n_uc = 1;
	next.uc[0][3] = 3;
	knit_reqstate_set(&state, &next);
	knit_reqstate_show(&state, &shm);
	ck_assert(knit_iface_state_read(&shm, &copy));
	ck_assert_uint_eq(copy.cancelled_seq, 77);
	ck_assert_uint_eq(copy.seq, 2);
	ck_assert_uint_eq(copy.up, 1);
	ck_assert_mem_eq(copy.uc, next.uc, sizeof(next.uc));
	ck_assert_mem_eq(copy.mac, first.mac, 8);
}
END_TEST

/* Many changes while one request is on its way: one more request, with the last value. */
START_TEST(newer_values_wait)
{
	struct knit_req req;

	set_mtu(2000);
	set_mtu(3000);
	set_mtu(4000);
	ck_assert_uint_eq(fake.n, 1);
	answer(KNIT_REQ_MTU, 0);
	req = answer(KNIT_REQ_MTU, 0);
	ck_assert_uint_eq(req.value, 4000);
	settled(4000);
}
END_TEST

START_TEST(sync_allowed)
{
	request_sync(KNIT_REQ_MTU, 9000);
	ck_assert_uint_eq(fake.queue[0].flags, KNIT_REQ_SYNC);
	ck_assert_uint_eq(state.sync, KNIT_REQ_BIT(KNIT_REQ_MTU));
	ck_assert_uint_eq(state.now.mtu, 1500);
	answer(KNIT_REQ_MTU, 0);
	ck_assert_int_eq(state.result[KNIT_REQ_MTU], 0);
	settled(9000);
}
END_TEST

START_TEST(sync_refused)
{
	request_sync(KNIT_REQ_MTU, 9000);
	answer(KNIT_REQ_MTU, -EINVAL);
	ck_assert_int_eq(state.result[KNIT_REQ_MTU], -EINVAL);
	settled(1500);
	request_sync(KNIT_REQ_LINK, 1);
	answer(KNIT_REQ_LINK, -EIO);
	ck_assert_uint_eq(state.now.up, 0);
	ck_assert(!state.link_refused); /* it isn't up */
	settled(1500);
}
END_TEST

/* The handler's own time is over, and what it waited for is done after all. */
START_TEST(sync_timed_out_in_the_handler)
{
	struct knit_req req;

	request_sync(KNIT_REQ_MTU, 9000);
	serve(KNIT_REQ_MTU, 0);
	ck_assert_uint_eq(fake.mtu, 9000);
	req = (struct knit_req){ .seq = state.track.pending[KNIT_REQ_MTU], .kind = KNIT_REQ_MTU };
	ck_assert_int_eq(answer_to(&req, -ETIMEDOUT), KNIT_MATCH_OK);
	ck_assert_int_eq(state.result[KNIT_REQ_MTU], -ETIMEDOUT);
	run();
	req = answer(KNIT_REQ_MTU, 0);
	ck_assert_uint_eq(req.value, 1500);
	settled(1500);
}
END_TEST

/* _i 0: the handler carries it out; 1: it sees that it was cancelled. */
START_TEST(sync_cancelled)
{
	struct knit_req cancelled, again;
	__u32 seq;

	request_sync(KNIT_REQ_MTU, 9000);
	seq = state.track.pending[KNIT_REQ_MTU];
	ck_assert_uint_eq(knit_reqstate_cancel(&state, KNIT_REQ_MTU), seq);
	ck_assert_uint_eq(knit_reqstate_cancel(&state, KNIT_REQ_MTU), 0);
	ck_assert_uint_eq(state.sync, 0);
	run();
	cancelled = serve(KNIT_REQ_MTU, _i ? -ECANCELED : 0);
	ck_assert_int_eq(answer_to(&cancelled, _i ? -ECANCELED : 0), KNIT_MATCH_LATE);
	ck_assert_uint_eq(state.now.mtu, 1500);
	again = answer(KNIT_REQ_MTU, 0);
	ck_assert_uint_eq(again.flags, 0);
	ck_assert_uint_eq(again.value, 1500);
	settled(1500);
	ck_assert_uint_eq(state.track.late, 1);
}
END_TEST

START_TEST(cancel_is_for_sync)
{
	set_mtu(3000);
	ck_assert_uint_eq(knit_reqstate_cancel(&state, KNIT_REQ_MTU), 0);
	answer(KNIT_REQ_MTU, 0);
	settled(3000);
}
END_TEST

/* No asynchronous request of a kind while a synchronous one is to come; other kinds are sent. */
START_TEST(held_back_for_sync)
{
	state.held = KNIT_REQ_BIT(KNIT_REQ_MTU);
	set_mtu(3000);
	ck_assert_uint_eq(fake.n, 0);
	ck_assert(knit_reqstate_set_one(&state, KNIT_REQ_LINK,
					&(union knit_req_value){ .value = 1 }));
	run();
	answer(KNIT_REQ_LINK, 0);
	request_sync(KNIT_REQ_MTU, 4000);
	answer(KNIT_REQ_MTU, _i ? -EINVAL : 0);
	ck_assert_uint_eq(fake.n, 0);
	state.held = 0;
	if (_i) {
		run();
		answer(KNIT_REQ_MTU, 0);
	}
	settled(_i ? 3000 : 4000);
}
END_TEST

START_TEST(refused_for_good)
{
	static const __u8 mac[8] = { 2, 0, 0, 0, 0, 7 };
	union knit_req_value v;

	set_mtu(3000);
	answer(KNIT_REQ_MTU, -EINVAL);
	ck_assert(revert(KNIT_REQ_MTU));
	ck_assert(!revert(KNIT_REQ_MTU));
	settled(1500);
	memcpy(v.mac, mac, sizeof(mac));
	knit_reqstate_set_one(&state, KNIT_REQ_MAC, &v);
	run();
	answer(KNIT_REQ_MAC, -EINVAL);
	ck_assert(!revert(KNIT_REQ_MTU));
	ck_assert(revert(KNIT_REQ_MAC));
	ck_assert_mem_eq(state.now.mac, first.mac, 6);
	settled(1500);
}
END_TEST

/* The net_device has a newer value when its turn comes: that one counts. */
START_TEST(refused_but_changed_meanwhile)
{
	union knit_req_value newer = { .value = 2000 }, back;

	set_mtu(3000);
	answer(KNIT_REQ_MTU, -EINVAL);
	if (_i == 0)
		ck_assert(!knit_reqstate_reverts(&state, KNIT_REQ_MTU, &newer, &back));
	set_mtu(2000);
	ck_assert(!revert(KNIT_REQ_MTU));
	answer(KNIT_REQ_MTU, 0);
	settled(2000);
}
END_TEST

/* The port takes 3000 after its time-out was answered; then 4000 is refused. */
START_TEST(carried_out_late)
{
	struct knit_req req;

	set_mtu(3000);
	answer(KNIT_REQ_MTU, -ETIMEDOUT);
	ck_assert_uint_eq(fake.n, 0);
	fake.mtu = 3000;
	if (_i == 0) {
		knit_reqstate_tick(&state);
		run();
		answer(KNIT_REQ_MTU, 0);
		settled(3000);
		return;
	}
	set_mtu(4000);
	answer(KNIT_REQ_MTU, -EINVAL);
	ck_assert(revert(KNIT_REQ_MTU));
	req = answer(KNIT_REQ_MTU, 0);
	ck_assert_uint_eq(req.value, 1500);
	settled(1500);
}
END_TEST

/* Even a handler that refuses what it had accepted is not asked for ever. */
START_TEST(refuses_everything)
{
	set_mtu(3000);
	answer(KNIT_REQ_MTU, -ETIMEDOUT);
	knit_reqstate_tick(&state);
	run();
	answer(KNIT_REQ_MTU, -EINVAL);
	ck_assert(revert(KNIT_REQ_MTU));
	answer(KNIT_REQ_MTU, -EINVAL);
	ck_assert(!revert(KNIT_REQ_MTU));
	ck_assert_uint_eq(fake.n, 0);
	knit_reqstate_tick(&state);
	ck_assert_uint_eq(run(), 0);
}
END_TEST

START_TEST(busy_is_requested_again)
{
	static const int passing[] = { -EAGAIN, -EBUSY, -ETIMEDOUT };
	struct knit_req req;
	int i;

	for (i = 0; i < 3; i++) {
		struct knit_iface_state next = state.now;

		next.up = !next.up;
		next.promisc = !next.promisc;
		knit_reqstate_set(&state, &next);
		run();
		answer(KNIT_REQ_LINK, passing[_i]);
		answer(KNIT_REQ_PROMISC, passing[_i]);
		ck_assert(!state.link_refused);
		ck_assert_uint_eq(run(), 0); /* not at once */
		knit_reqstate_tick(&state);
		run();
		req = answer(KNIT_REQ_LINK, 0);
		ck_assert_uint_eq(req.value, next.up);
		req = answer(KNIT_REQ_PROMISC, 0);
		ck_assert_uint_eq(req.value, next.promisc);
		settled(1500);
	}
}
END_TEST

static void set_up(__u32 up)
{
	ck_assert(knit_reqstate_set_one(&state, KNIT_REQ_LINK,
					&(union knit_req_value){ .value = up }));
	run();
}

START_TEST(refused_up_until_down_or_success)
{
	set_up(1);
	answer(KNIT_REQ_LINK, -EIO);
	ck_assert(state.link_refused);
	ck_assert_uint_eq(state.now.up, 1);
	settled(1500);
	if (_i == 0) {
		set_up(0);
		ck_assert(!state.link_refused);
		answer(KNIT_REQ_LINK, -EIO);
		ck_assert(!state.link_refused);
		settled(1500);
		return;
	}
	knit_reqstate_state(&state);
	ck_assert(state.link_refused);
	run();
	answer_all();
	ck_assert(!state.link_refused);
	settled(1500);
}
END_TEST

/* A refusal of what is no longer wanted is no news: neither of up nor of down. */
START_TEST(refused_too_late)
{
	set_up(1);
	if (_i)
		answer(KNIT_REQ_LINK, 0);
	set_up(0);
	if (_i)
		set_up(1);
	answer(KNIT_REQ_LINK, -EIO);
	ck_assert(!state.link_refused);
	answer(KNIT_REQ_LINK, 0);
	settled(1500);
}
END_TEST

/* A handler died with 3000 in its hands; the next refuses it, and the port may have it. */
START_TEST(new_handler_refuses)
{
	struct knit_req old;

	set_mtu(3000);
	fake.mtu = 3000;
	ck_assert_uint_eq(knit_reqstate_anew(&state), 0);
	run();
	old = serve(KNIT_REQ_MTU, 0);
	ck_assert_int_eq(answer_to(&old, 0), KNIT_MATCH_LATE);
	answer(KNIT_REQ_MTU, -EINVAL);
	ck_assert(revert(KNIT_REQ_MTU));
	answer(KNIT_REQ_MTU, 0);
	settled(1500);
}
END_TEST

START_TEST(handler_detached_while_sync)
{
	struct knit_req old;
	__u32 seq;

	request_sync(KNIT_REQ_LINK, 1);
	seq = state.track.pending[KNIT_REQ_LINK];
	ck_assert_uint_eq(knit_reqstate_anew(&state), seq);
	ck_assert_uint_eq(state.sync, 0);
	ck_assert_int_eq(state.result[KNIT_REQ_LINK], -ENOTCONN);
	run();
	old = serve(KNIT_REQ_LINK, 0);
	ck_assert_int_eq(answer_to(&old, 0), KNIT_MATCH_LATE);
	ck_assert_uint_eq(state.now.up, 0);
	answer(KNIT_REQ_LINK, 0); /* it may have done it: down again */
	settled(1500);
}
END_TEST

/* What it did not answer, what was to be tried again, what changed without a handler: no more. */
START_TEST(new_handler_is_told_changes)
{
	struct knit_req old;

	knit_reqstate_anew(&state);
	settled(1500);
	set_up(1);
	set_mtu(3000);
	answer(KNIT_REQ_LINK, -EAGAIN);
	knit_reqstate_anew(&state);
	ck_assert_uint_eq(state.dirty, KNIT_REQ_BIT(KNIT_REQ_LINK) | KNIT_REQ_BIT(KNIT_REQ_MTU));
	run();
	old = serve(KNIT_REQ_MTU, 0);
	ck_assert_int_eq(answer_to(&old, 0), KNIT_MATCH_LATE);
	answer(KNIT_REQ_LINK, 0);
	answer(KNIT_REQ_MTU, 0);
	settled(3000);
}
END_TEST

START_TEST(state_is_told_on_request)
{
	knit_reqstate_state(&state);
	run();
	answer_all();
	settled(1500);
}
END_TEST

/* Nothing but the right answer, with a result that is one, ends a synchronous request. */
START_TEST(junk_answers)
{
	static const int impossible[] = { 1, 4096, -512, -4095, -4096, INT32_MAX, INT32_MIN };
	struct knit_req pending, junk;
	unsigned int i, n = sizeof(impossible) / sizeof(impossible[0]);

	request_sync(KNIT_REQ_MTU, 9000);
	pending = serve(KNIT_REQ_MTU, -1);
	for (i = 0; i < n; i++)
		ck_assert_int_eq(answer_to(&pending, impossible[i]), KNIT_MATCH_UNKNOWN);
	junk = pending;
	junk.kind = KNIT_REQ_MAC;
	ck_assert_int_eq(answer_to(&junk, 0), KNIT_MATCH_UNKNOWN);
	junk.kind = 0xffff;
	ck_assert_int_eq(answer_to(&junk, 0), KNIT_MATCH_UNKNOWN);
	junk = pending;
	junk.seq++;
	ck_assert_int_eq(answer_to(&junk, 0), KNIT_MATCH_UNKNOWN);
	ck_assert_uint_eq(state.sync, KNIT_REQ_BIT(KNIT_REQ_MTU));
	ck_assert_uint_eq(state.track.unknown, n + 3);
	ck_assert_int_eq(answer_to(&pending, -511), KNIT_MATCH_OK);
	ck_assert_int_eq(answer_to(&pending, 0), KNIT_MATCH_DUPLICATE);
	ck_assert_int_eq(state.result[KNIT_REQ_MTU], -511);
	fake.mtu = 1500;
	settled(1500);
}
END_TEST

/* Of who does not return it from a system call any result is one. */
START_TEST(any_result_where_not_strict)
{
	state.strict = false;
	set_mtu(3000);
	answer(KNIT_REQ_MTU, _i ? 4096 : -4096);
	ck_assert(revert(KNIT_REQ_MTU));
	settled(1500);
}
END_TEST

/* _i 1: while an older value, which the handler takes, is on its way. */
START_TEST(refused_by_the_engine)
{
	union knit_req_value large = knit_req_value(9500), back;

	if (_i)
		set_mtu(3000);
	knit_reqstate_refuse(&state, KNIT_REQ_MTU, &large, -ERANGE);
	ck_assert_int_eq(state.result[KNIT_REQ_MTU], -ERANGE);
	ck_assert(knit_reqstate_reverts(&state, KNIT_REQ_MTU, &large, &back));
	ck_assert_uint_eq(back.value, 1500);
	knit_reqstate_reverted(&state, KNIT_REQ_MTU);
	if (_i) {
		answer(KNIT_REQ_MTU, 0);
		answer(KNIT_REQ_MTU, 0);
	}
	settled(1500);
}
END_TEST

KNIT_SUITE(reqstate)
{
	add(s, async_carries_what_is_wanted, 1);
	add(s, lists_count_as_far_as_they_go, 1);
	add(s, shows_all_but_numbers, 1);
	add(s, newer_values_wait, 1);
	add(s, sync_allowed, 1);
	add(s, sync_refused, 1);
	add(s, sync_timed_out_in_the_handler, 1);
	add(s, sync_cancelled, 2);
	add(s, cancel_is_for_sync, 1);
	add(s, held_back_for_sync, 2);
	add(s, refused_for_good, 1);
	add(s, refused_but_changed_meanwhile, 2);
	add(s, carried_out_late, 2);
	add(s, refuses_everything, 1);
	add(s, busy_is_requested_again, 3);
	add(s, refused_up_until_down_or_success, 2);
	add(s, refused_too_late, 2);
	add(s, new_handler_refuses, 1);
	add(s, handler_detached_while_sync, 1);
	add(s, new_handler_is_told_changes, 1);
	add(s, state_is_told_on_request, 1);
	add(s, junk_answers, 1);
	add(s, any_result_where_not_strict, 2);
	add(s, refused_by_the_engine, 2);
}
