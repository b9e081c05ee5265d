// SPDX-License-Identifier: BSD-3-Clause
#include "handler_fake.h"

#include "kni/base/owner.h"
#include "kni/control/request.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const struct knit_handler_ops no_ops;

START_TEST(every_kind_reaches_its_callback)
{
	static const struct {
		uint16_t kind;
		uint32_t value, noted;
	} cases[] = {
		{ KNIT_REQ_LINK, 1, 1 },      { KNIT_REQ_LINK, 0, 0 },
		{ KNIT_REQ_MTU, 1400, 1400 }, { KNIT_REQ_PROMISC, 1, 11 },
		{ KNIT_REQ_PROMISC, 0, 10 },  { KNIT_REQ_ALLMULTI, 1, 21 },
		{ KNIT_REQ_RXLIST, 0, 2003 },
	};
	struct knit_req mac = { .seq = 99, .kind = KNIT_REQ_MAC, .mac = { 2, 3, 4, 5, 6, 7 } };
	size_t i;

	knit_fake_state()->n_uc = 2;
	knit_fake_state()->n_mc = 3;
	ck_assert_int_eq(knit_fake_claim(&knit_fake_ops, true), 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		knit_fake_sync(i + 1, cases[i].kind, cases[i].value);
		ck_assert_int_eq(knit_fake_serve(), 1);
		ck_assert_int_eq(knit_fake_answer_to(i + 1), 0);
		ck_assert_uint_eq(knit_fake->calls, i + 1);
		ck_assert_uint_eq(knit_fake->value, cases[i].noted);
	}
	knit_fake_submit(&mac);
	ck_assert_int_eq(knit_fake_serve(), 1);
	ck_assert_int_eq(knit_fake_answer_to(99), 0);
	ck_assert_mem_eq(knit_fake->mac, mac.mac, 6);
}
END_TEST

START_TEST(unset_callbacks_succeed)
{
	uint32_t kind;

	ck_assert_int_eq(knit_fake_claim(&no_ops, true), 0);
	for (kind = KNIT_REQ_LINK; kind < KNIT_REQ_COUNT; kind++) {
		if (kind == KNIT_REQ_MAC)
			continue;
		knit_fake_sync(kind, kind, kind == KNIT_REQ_MTU ? 1500 : 0);
		ck_assert_int_eq(knit_fake_serve(), 1);
		ck_assert_int_eq(knit_fake_answer_to(kind), 0);
	}
}
END_TEST

START_TEST(a_refusal_is_the_answer)
{
	ck_assert_int_eq(knit_fake_claim(&knit_fake_ops, true), 0);
	knit_fake->result = -ENOTSUP;
	knit_fake_sync(1, KNIT_REQ_MTU, 9000);
	ck_assert_int_eq(knit_fake_serve(), 1);
	ck_assert_int_eq(knit_fake_answer_to(1), -ENOTSUP);
	knit_fake->result = 1;
	knit_fake_sync(2, KNIT_REQ_MTU, 9000);
	ck_assert_int_eq(knit_fake_serve(), 1);
	ck_assert_int_eq(knit_fake_answer_to(2), -EIO);
}
END_TEST

START_TEST(senseless_requests_are_refused_uncalled)
{
	static const struct knit_req cases[] = {
		{ .seq = 0, .kind = KNIT_REQ_LINK },
		{ .seq = 1, .kind = KNIT_REQ_NONE },
		{ .seq = 1, .kind = KNIT_REQ_COUNT },
		{ .seq = 1, .kind = UINT16_MAX },
		{ .seq = 1, .kind = KNIT_REQ_LINK, .flags = 2 },
		{ .seq = 1, .kind = KNIT_REQ_LINK, .result = -1 },
		{ .seq = 1, .kind = KNIT_REQ_LINK, .value = 2 },
		{ .seq = 1, .kind = KNIT_REQ_LINK, .reserved = { [10] = 1 } },
		{ .seq = 1, .kind = KNIT_REQ_PROMISC, .value = 256 },
		{ .seq = 1, .kind = KNIT_REQ_ALLMULTI, .value = 3 },
		{ .seq = 1, .kind = KNIT_REQ_MTU, .value = 67 },
		{ .seq = 1, .kind = KNIT_REQ_MTU, .value = 65536 },
		{ .seq = 1, .kind = KNIT_REQ_MTU, .mac = { 0xdc, 5, 0, 0, 1 } },
		{ .seq = 1, .kind = KNIT_REQ_MAC },
		{ .seq = 1, .kind = KNIT_REQ_MAC, .mac = { 1, 2, 3, 4, 5, 6 } },
		{ .seq = 1, .kind = KNIT_REQ_MAC, .mac = { 2, 2, 3, 4, 5, 6, 7 } },
		{ .seq = 1, .kind = KNIT_REQ_RXLIST, .value = 1 },
	};
	const struct knit_req *req = &cases[_i];

	ck_assert_uint_eq(sizeof(cases) / sizeof(cases[0]), 17);
	ck_assert_int_eq(knit_request_check(req), -EINVAL);
	ck_assert_int_eq(knit_fake_claim(&knit_fake_ops, true), 0);
	knit_fake_submit(req);
	ck_assert_int_eq(knit_fake_serve(), 1);
	ck_assert_int_eq(knit_fake_answer_to(req->seq), -EINVAL);
	ck_assert_uint_eq(knit_fake->calls, 0);
}
END_TEST

START_TEST(serves_at_most_max_in_order)
{
	uint32_t seq;

	ck_assert_int_eq(knit_fake_claim(&knit_fake_ops, true), 0);
	ck_assert_int_eq(knit_fake_serve(), 0);
	for (seq = 1; seq <= 5; seq++)
		knit_fake_sync(seq, KNIT_REQ_MTU, 1000 + seq);
	ck_assert_int_eq(knit_fake_serve(), 1);
	ck_assert_uint_eq(knit_fake->value, 1001);
	ck_assert_int_eq(knit_handler_serve(&knit_fake->kni, 3), 3);
	ck_assert_uint_eq(knit_fake->value, 1004);
	ck_assert_int_eq(knit_handler_serve(&knit_fake->kni, 3), 1);
	ck_assert_int_eq(knit_handler_serve(&knit_fake->kni, 3), 0);
	for (seq = 1; seq <= 5; seq++)
		ck_assert_int_eq(knit_fake_answer_to(seq), 0);
	knit_fake_no_answer();
}
END_TEST

static void fake_async(uint32_t seq, uint16_t kind, uint32_t value)
{
	knit_fake_submit(&(struct knit_req){ .seq = seq, .kind = kind, .value = value });
}

/* But up and down, and its own kind, stay ahead of it; the rest keeps its order. */
START_TEST(who_waits_goes_first)
{
	static const uint32_t order[] = { 3, 4, 6, 1, 2, 5, 7 };
	unsigned int i;

	ck_assert_int_eq(knit_fake_claim(&knit_fake_ops, true), 0);
	fake_async(1, KNIT_REQ_PROMISC, 1);
	fake_async(2, KNIT_REQ_RXLIST, 0);
	fake_async(3, KNIT_REQ_LINK, 0);
	fake_async(4, KNIT_REQ_MTU, 1300);
	fake_async(5, KNIT_REQ_ALLMULTI, 1);
	knit_fake_sync(6, KNIT_REQ_MTU, 1400);
	fake_async(7, KNIT_REQ_PROMISC, 0);
	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		ck_assert_int_eq(knit_fake_serve(), 1);
		ck_assert_int_eq(knit_fake_answer_to(order[i]), 0);
	}
	ck_assert_uint_eq(knit_fake->calls, i);
}
END_TEST

START_TEST(state_is_the_handlers_to_request)
{
	struct rte_kni *kni = &knit_fake->kni;
	struct knit_req wish;

	kni->creator_pid = 0;
	ck_assert_int_eq(knit_handler_state(kni), -EPERM);
	knit_fake_no_answer();
	ck_assert_int_eq(knit_fake_claim(&knit_fake_ops, true), 0);
	ck_assert_int_eq(knit_handler_state(kni), 0);
	ck_assert_uint_eq(knit_ring_peek(&knit_fake->resp_q, 1), 1);
	knit_req_load(&wish, knit_ring_entry(&knit_fake->resp_q, knit_fake->resp_q.cons));
	ck_assert(knit_req_wants_state(&wish));
	knit_ring_release(&knit_fake->resp_q, 1);
	kni->serving = getpid();
	ck_assert_int_eq(knit_handler_state(kni), -EBUSY);
	kni->serving = 0;
	while (knit_ring_reserve(&kni->resp_q, 1))
		ck_assert_int_eq(knit_handler_state(kni), 0);
	ck_assert_int_eq(knit_handler_state(kni), -EAGAIN);
	kni->resp_q.shm->consumer = 1000;
	ck_assert_int_eq(knit_handler_state(kni), -EBADMSG);
}
END_TEST

START_TEST(full_answer_ring_keeps_the_request)
{
	uint32_t seq;

	ck_assert_int_eq(knit_fake_claim(&knit_fake_ops, true), 0);
	for (seq = 1; seq <= KNIT_REQ_RING; seq++) {
		knit_fake_sync(seq, KNIT_REQ_LINK, 1);
		ck_assert_int_eq(knit_fake_serve(), 1);
	}
	knit_fake_sync(seq, KNIT_REQ_MTU, 1300);
	ck_assert_int_eq(knit_fake_serve(), 0);
	ck_assert_uint_eq(knit_fake->calls, KNIT_REQ_RING);
	ck_assert_int_eq(knit_fake_answer_to(1), 0);
	ck_assert_int_eq(knit_fake_serve(), 1);
	ck_assert_uint_eq(knit_fake->value, 1300);
}
END_TEST

START_TEST(a_cancelled_request_is_not_carried_out)
{
	ck_assert_int_eq(knit_fake_claim(&knit_fake_ops, true), 0);
	knit_fake_state()->cancelled_seq = 5;
	knit_fake_sync(5, KNIT_REQ_MTU, 1300);
	ck_assert_int_eq(knit_fake_serve(), 1);
	ck_assert_int_eq(knit_fake_answer_to(5), -ECANCELED);
	ck_assert_uint_eq(knit_fake->calls, 0);
	/* nobody waits for an asynchronous one: it can't be cancelled */
	knit_fake_submit(&(struct knit_req){ .seq = 5, .kind = KNIT_REQ_MTU, .value = 1300 });
	ck_assert_int_eq(knit_fake_serve(), 1);
	ck_assert_int_eq(knit_fake_answer_to(5), 0);
	ck_assert_uint_eq(knit_fake->calls, 1);
}
END_TEST

START_TEST(a_request_cancelled_meanwhile_is_undone)
{
	struct knit_req mac = {
		.seq = 7, .kind = KNIT_REQ_MAC, .flags = KNIT_REQ_SYNC, .mac = { 2, 3, 4, 5, 6, 7 }
	};

	ck_assert_int_eq(knit_fake_claim(&knit_fake_ops, true), 0);
	knit_fake_state()->mtu = 1500;
	memcpy(knit_fake_state()->mac, (uint8_t[6]){ 2, 0, 0, 0, 0, 9 }, 6);
	knit_fake->cancel = 6;
	knit_fake_sync(6, KNIT_REQ_MTU, 1300);
	ck_assert_int_eq(knit_fake_serve(), 1);
	ck_assert_int_eq(knit_fake_answer_to(6), -ECANCELED);
	ck_assert_uint_eq(knit_fake->calls, 2);
	ck_assert_uint_eq(knit_fake->value, 1500);
	knit_fake->cancel = 7;
	knit_fake_submit(&mac);
	ck_assert_int_eq(knit_fake_serve(), 1);
	ck_assert_int_eq(knit_fake_answer_to(7), -ECANCELED);
	ck_assert_mem_eq(knit_fake->mac, knit_fake_state()->mac, 6);
}
END_TEST

START_TEST(corrupt_rings_are_refused)
{
	ck_assert_int_eq(knit_fake_claim(&knit_fake_ops, true), 0);
	knit_fake_sync(1, KNIT_REQ_MTU, 1300);
	if (_i)
		knit_store(&knit_fake->req_q.shm->producer, 12345);
	else
		knit_store(&knit_fake->resp_q.shm->consumer, 12345);
	ck_assert_int_eq(knit_fake_serve(), -EBADMSG);
	ck_assert_uint_eq(knit_fake->calls, 0);
	ck_assert_uint_eq(knit_fake->kni.serving, 0);
	ck_assert_int_eq(knit_handler_unclaim(&knit_fake->kni), 0);
	ck_assert_int_eq(knit_fake_claim(&knit_fake_ops, true), -EBADMSG);
	ck_assert_uint_eq(knit_owner_pid(&knit_fake->kni.handler), 0);
}
END_TEST

START_TEST(a_snapshot_that_never_stands_still_is_an_error)
{
	__u32 seq = 0;

	ck_assert_int_eq(knit_fake_claim(&knit_fake_ops, true), 0);
	knit_iface_state_write_begin(knit_fake_state(), &seq);
	knit_fake_sync(1, KNIT_REQ_RXLIST, 0);
	ck_assert_int_eq(knit_fake_serve(), 1);
	ck_assert_int_eq(knit_fake_answer_to(1), -EAGAIN);
	ck_assert_uint_eq(knit_fake->calls, 0);
}
END_TEST

START_TEST(sleeps_only_without_a_request)
{
	struct rte_kni *kni = &knit_fake->kni;

	ck_assert_int_eq(knit_fake_claim(&knit_fake_ops, true), 0);
	ck_assert(knit_handler_arm(kni));
	ck_assert(knit_ring_data_wanted(&knit_fake->req_q));
	knit_handler_disarm(kni);
	ck_assert(!knit_ring_data_wanted(&knit_fake->req_q));
	knit_fake_sync(1, KNIT_REQ_MTU, 1300);
	ck_assert(!knit_handler_arm(kni));
	ck_assert(!knit_ring_data_wanted(&knit_fake->req_q));
	ck_assert_int_eq(knit_fake_serve(), 1);
	ck_assert(knit_handler_arm(kni));
}
END_TEST

KNIT_SUITE(handler)
{
	knit_fake_add(s, every_kind_reaches_its_callback, 1);
	knit_fake_add(s, unset_callbacks_succeed, 1);
	knit_fake_add(s, a_refusal_is_the_answer, 1);
	knit_fake_add(s, senseless_requests_are_refused_uncalled, 17);
	knit_fake_add(s, serves_at_most_max_in_order, 1);
	knit_fake_add(s, who_waits_goes_first, 1);
	knit_fake_add(s, state_is_the_handlers_to_request, 1);
	knit_fake_add(s, full_answer_ring_keeps_the_request, 1);
	knit_fake_add(s, a_cancelled_request_is_not_carried_out, 1);
	knit_fake_add(s, a_request_cancelled_meanwhile_is_undone, 1);
	knit_fake_add(s, corrupt_rings_are_refused, 2);
	knit_fake_add(s, a_snapshot_that_never_stands_still_is_an_error, 1);
	knit_fake_add(s, sleeps_only_without_a_request, 1);
}
