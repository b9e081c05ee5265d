// SPDX-License-Identifier: BSD-3-Clause
#include "unit.h"

#include "kni/engine/tap/tap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Requests of the tap engine, with a kernel and a handler made of a few words: what the engine adds
 * to test_reqstate.c. In the end kernel and port have the same.
 */
static struct {
	struct knit_nl_link link;
	uint32_t port_mtu;
} fake;

static struct knit_tap_iface *t;
static struct rte_kni kni;
static struct knit_ring req_q;	/* handler: consumer */
static struct knit_ring resp_q; /* handler: producer */
static _Alignas(64) char shm[65536];

int knit_tap_link(const struct knit_tap_iface *iface, struct knit_nl_link *link)
{
	*link = fake.link;
	return 0;
}

int knit_tap_set_mtu(const struct knit_tap_iface *iface, uint32_t mtu)
{
	fake.link.mtu = mtu;
	return 0;
}

int knit_tap_set_mac(const struct knit_tap_iface *iface, const uint8_t *mac)
{
	memcpy(fake.link.mac, mac, 6);
	return 0;
}

static void run(void)
{
	knit_tap_req_link(t, &fake.link);
	knit_tap_req_run(t);
}

static void tick(void)
{
	knit_tap_req_tick(t);
	run();
}

static uint32_t waiting(void)
{
	return knit_ring_peek(&req_q, KNIT_REQ_RING);
}

/* Answers the request in front, which must be of that kind; a success changes the port. */
static struct knit_req answer(enum knit_req_kind kind, int result)
{
	struct knit_req req;

	ck_assert_uint_ge(waiting(), 1);
	knit_req_load(&req, knit_ring_entry(&req_q, req_q.cons));
	ck_assert_uint_eq(req.kind, kind);
	if (kind == KNIT_REQ_MTU && result == 0)
		fake.port_mtu = req.value;
	req.result = result;
	memcpy(knit_ring_entry(&resp_q, resp_q.prod), &req, sizeof(req));
	knit_ring_submit(&resp_q, 1);
	knit_ring_release(&req_q, 1);
	run();
	return req;
}

/* The handler wants to be told everything. */
static void want_state(void)
{
	static const struct knit_req wish = { .flags = KNIT_REQ_STATE };

	memcpy(knit_ring_entry(&resp_q, resp_q.prod), &wish, sizeof(wish));
	knit_ring_submit(&resp_q, 1);
	run();
}

static void answer_all(void)
{
	enum knit_req_kind kind;

	for (kind = 1; kind < KNIT_REQ_COUNT; kind++)
		answer(kind, 0);
}

static void set_mtu(uint32_t mtu)
{
	fake.link.mtu = mtu;
	run();
}

static void settled(uint32_t mtu)
{
	ck_assert_uint_eq(waiting(), 0);
	ck_assert_uint_eq(fake.link.mtu, mtu);
	ck_assert_uint_eq(fake.port_mtu, mtu);
	ck_assert_uint_eq(t->watch.reqstate.dirty | t->watch.reqstate.retry, 0);
	tick();
	ck_assert_uint_eq(waiting(), 0);
}

static void setup(void)
{
	static const struct knit_nl_link first = { .mtu = 1500, .mac = { 2 } };

	memset(shm, 0, sizeof(shm));
	memset(&kni, 0, sizeof(kni));
	fake.link = first;
	t = aligned_alloc(64, RTE_ALIGN_CEIL(sizeof(*t), 64));
	ck_assert_ptr_nonnull(t);
	memset(t, 0, sizeof(*t));
	kni.shm = (struct knit_shm_hdr *)shm;
	kni.legacy = true;
	kni.handler_doorbell = KNIT_DOORBELL_NONE;
	t->kni = &kni;
	t->watch.min_mtu = 68;
	t->watch.max_mtu = 9000;
	knit_tap_req_bind(t);
	knit_tap_req_first(t, &first);
	knit_ring_bind(&req_q, shm + knit_shm_req_off(), KNIT_REQ_RING, sizeof(struct knit_req));
	knit_ring_bind(&resp_q, shm + knit_shm_resp_off(), KNIT_REQ_RING, sizeof(struct knit_req));
	want_state();
	answer_all();
	settled(1500);
}

static void teardown(void)
{
	free(t);
}

START_TEST(refused_for_good)
{
	set_mtu(3000);
	answer(KNIT_REQ_MTU, -EINVAL);
	settled(1500);
	ck_assert_uint_eq(t->watch.stats.reverted, 1);
	fake.link.mac[5] = 7;
	run();
	answer(KNIT_REQ_MAC, -EINVAL);
	ck_assert_uint_eq(fake.link.mac[5], 0);
	settled(1500);
}
END_TEST

START_TEST(too_large_while_another_is_on_its_way)
{
	set_mtu(3000);
	set_mtu(9500);
	ck_assert_uint_eq(fake.link.mtu, 1500);
	answer(KNIT_REQ_MTU, _i ? -EINVAL : 0);
	answer(KNIT_REQ_MTU, 0);
	settled(1500);
}
END_TEST

/* The port takes 3000 after its time-out was answered; then 9500 is refused. */
START_TEST(carried_out_late)
{
	set_mtu(3000);
	answer(KNIT_REQ_MTU, -ETIMEDOUT);
	ck_assert_uint_eq(waiting(), 0);
	fake.port_mtu = 3000;
	set_mtu(9500);
	ck_assert_uint_eq(fake.link.mtu, 1500);
	answer(KNIT_REQ_MTU, 0);
	settled(1500);
}
END_TEST

START_TEST(refused_up_has_no_carrier)
{
	fake.link.flags = IFF_UP;
	run();
	answer(KNIT_REQ_LINK, -EIO);
	ck_assert(t->watch.reqstate.link_refused);
	settled(1500);
	ck_assert(t->watch.reqstate.link_refused);
	fake.link.flags = 0;
	run();
	ck_assert(!t->watch.reqstate.link_refused);
}
END_TEST

/* What it did not answer, what was to be tried again: no more. */
START_TEST(new_handler_is_told_changes)
{
	kni.handler.pid_gen++;
	run();
	settled(1500);
	set_mtu(3000);
	fake.link.mac[5] = 9;
	run();
	answer(KNIT_REQ_MTU, -EAGAIN);
	kni.handler.pid_gen++;
	run();
	answer(KNIT_REQ_MAC, 0); /* late */
	answer(KNIT_REQ_MTU, 0);
	answer(KNIT_REQ_MAC, 0);
	settled(3000);
}
END_TEST

static void add(Suite *s, const TTest *test, int variants)
{
	TCase *tcase = tcase_create(test->name);

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test, 0, variants);
	suite_add_tcase(s, tcase);
}

KNIT_SUITE(tap_req)
{
	add(s, refused_for_good, 1);
	add(s, too_large_while_another_is_on_its_way, 2);
	add(s, carried_out_late, 1);
	add(s, refused_up_has_no_carrier, 1);
	add(s, new_handler_is_told_changes, 1);
}
