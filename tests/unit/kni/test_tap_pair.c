// SPDX-License-Identifier: BSD-3-Clause
#include "unit.h"

#include "kni/engine/tap/tap.h"

#include <string.h>

/* Whose turn it is to serve a pair: the engine's thread and the owner, each with its own view. */
#define RING 128

static struct {
	_Alignas(64) char mem[KNIT_QUEUES]
			     [sizeof(struct knit_ring_shm) + RING * sizeof(struct knit_desc)];
	struct knit_server server;
	struct knit_tap_pair thread, owner;
	struct knit_ring user_rx, user_free; /* the worker's ends */
} rig;

static void view_init(struct knit_tap_pair *p)
{
	knit_ring_bind(&p->rx_q, rig.mem[0], RING, sizeof(struct knit_desc));
	knit_ring_bind(&p->free_q, rig.mem[1], RING, sizeof(struct knit_desc));
	knit_ring_bind(&p->alloc_q, rig.mem[2], RING, sizeof(struct knit_desc));
	knit_ring_bind(&p->tx_q, rig.mem[3], RING, sizeof(struct knit_desc));
	p->server = &rig.server;
	p->stats = &p->own_stats;
	p->user_doorbell = KNIT_DOORBELL_NONE;
	p->bound = true;
}

static void setup(void)
{
	memset(&rig, 0, sizeof(rig));
	view_init(&rig.thread);
	view_init(&rig.owner);
	knit_ring_bind(&rig.user_rx, rig.mem[0], RING, sizeof(struct knit_desc));
	knit_ring_bind(&rig.user_free, rig.mem[1], RING, sizeof(struct knit_desc));
}

static void submit(uint32_t n)
{
	knit_ring_submit(&rig.user_rx, n);
}

START_TEST(one_at_a_time)
{
	ck_assert(!knit_tap_rx_begin(&rig.owner, KNIT_SERVER_OWNER)); /* nothing to do */
	submit(1);
	ck_assert(knit_tap_rx_begin(&rig.owner, KNIT_SERVER_OWNER));
	ck_assert(!knit_tap_rx_begin(&rig.thread, KNIT_SERVER_THREAD));
	ck_assert(!knit_tap_rx_waits(&rig.thread)); /* it is the owner's */
	knit_tap_rx_end(&rig.owner);
	ck_assert(knit_tap_rx_waits(&rig.thread));
	ck_assert(knit_tap_rx_begin(&rig.thread, KNIT_SERVER_THREAD));
	ck_assert(!knit_tap_rx_begin(&rig.owner, KNIT_SERVER_OWNER));
	knit_tap_rx_end(&rig.thread);
}
END_TEST

/* Each goes on where the other one stopped. */
START_TEST(goes_on)
{
	uint32_t i;

	for (i = 0; i < 3 * RING; i++) {
		struct knit_tap_pair *p = i % 2 ? &rig.owner : &rig.thread;

		submit(2);
		ck_assert(knit_tap_rx_begin(p, i % 2 ? KNIT_SERVER_OWNER : KNIT_SERVER_THREAD));
		ck_assert_uint_eq(knit_ring_peek(&p->rx_q, RING), 2);
		ck_assert_uint_eq(p->rx_q.cons, 2 * i);
		knit_ring_release(&p->rx_q, 2);
		knit_ring_submit(&p->free_q, 2);
		knit_tap_rx_end(p);
		ck_assert_uint_eq(knit_ring_peek(&rig.user_free, RING), 2);
		knit_ring_release(&rig.user_free, 2);
	}
}
END_TEST

START_TEST(owner_serves_nothing)
{
	rig.thread.only_thread = true;
	rig.server.rx = KNIT_SERVER_OWNER; /* whatever stands there */
	rig.server.tx_wanted = 1;
	ck_assert(!knit_tap_rx_waits(&rig.thread));
	submit(1);
	ck_assert(knit_tap_rx_waits(&rig.thread));
	ck_assert(knit_tap_rx_begin(&rig.thread, KNIT_SERVER_THREAD));
	knit_tap_rx_end(&rig.thread);
	ck_assert_uint_eq(rig.server.rx, KNIT_SERVER_OWNER);
	ck_assert(!knit_tap_tx_must_switch(&rig.thread));
}
END_TEST

/*
 * Indexes that no ring can have: counted once, the turn is not kept, and until the next owner the
 * thread may sleep: frames that nobody can serve must not keep it awake.
 */
START_TEST(bad_indexes)
{
	rig.thread.rx_q.shm->producer = 5;
	rig.thread.rx_q.shm->consumer = 4;
	rig.thread.free_q.shm->producer = RING + 1;
	ck_assert(!knit_tap_rx_begin(&rig.thread, KNIT_SERVER_THREAD));
	ck_assert_uint_eq(rig.thread.stats->rejects[KNIT_REJECT_BAD_INDEX], 1);
	ck_assert_uint_eq(rig.server.rx, KNIT_SERVER_NOBODY);
	ck_assert(!knit_tap_rx_waits(&rig.thread));
	ck_assert(!knit_tap_rx_begin(&rig.thread, KNIT_SERVER_THREAD));
	ck_assert_uint_eq(rig.thread.stats->rejects[KNIT_REJECT_BAD_INDEX], 1);
	rig.thread.free_q.shm->producer = 0;
	knit_tap_pair_unbind(&rig.thread);
	ck_assert_int_eq(knit_tap_pair_bind(&rig.thread, KNIT_DOORBELL_NONE), 0);
	ck_assert(knit_tap_rx_begin(&rig.thread, KNIT_SERVER_THREAD));
	knit_tap_rx_end(&rig.thread);
	rig.thread.rx_q.shm->producer = 5 + RING;
	ck_assert(!knit_tap_rx_waits(&rig.thread));
	ck_assert(!knit_tap_rx_begin(&rig.thread, KNIT_SERVER_THREAD));
}
END_TEST

/* Whatever an owner writes there. */
START_TEST(turn_that_nobody_has)
{
	submit(1);
	rig.server.rx = KNIT_SERVER_THREAD;
	ck_assert(!knit_tap_rx_waits(&rig.thread));
	rig.server.rx = 77;
	ck_assert(!knit_tap_rx_waits(&rig.thread));
	ck_assert(!knit_tap_rx_begin(&rig.thread, KNIT_SERVER_THREAD));
	rig.server.tx_wanted = 77;
	ck_assert(!knit_tap_tx_must_switch(&rig.thread));
}
END_TEST

START_TEST(reading_is_given_and_taken_back)
{
	struct knit_tap_pair *p = &rig.thread;

	ck_assert(!knit_tap_tx_must_switch(p));
	rig.server.tx_wanted = 1;
	ck_assert(knit_tap_tx_must_switch(p));
	p->starved = 1;
	knit_store(&p->alloc_q.shm->need_data, 1);
	knit_tap_tx_switch(p);
	ck_assert(p->given);
	ck_assert_uint_eq(rig.server.tx_given, 1);
	ck_assert_uint_eq(p->alloc_q.shm->need_data, 0);
	ck_assert(!knit_tap_tx_must_switch(p));

	/* the owner moves both rings, then leaves */
	knit_ring_submit(&rig.owner.tx_q, 3);
	p->alloc_q.shm->producer = 7;
	p->alloc_q.shm->consumer = 3;
	rig.server.tx_wanted = 0;
	p->readable = false;
	ck_assert(knit_tap_tx_must_switch(p));
	knit_tap_tx_switch(p);
	ck_assert(!p->given);
	ck_assert_uint_eq(rig.server.tx_given, 0);
	ck_assert_uint_eq(p->tx_q.prod, 3);
	ck_assert_uint_eq(p->alloc_q.cons, 3);
	ck_assert(p->readable); /* what the owner left in the device */
}
END_TEST

/* A frame that was read goes to the worker before the owner reads the next. */
START_TEST(frames_in_hand_first)
{
	struct knit_tap_pair *p = &rig.thread;

	rig.server.tx_wanted = 1;
	p->held.segs = 1;
	ck_assert(!knit_tap_tx_must_switch(p));
	p->held.segs = 0;
	p->n_got = 2;
	p->next_got = 1;
	ck_assert(!knit_tap_tx_must_switch(p));
	ck_assert_uint_eq(rig.server.tx_given, 0);
	p->next_got = 2;
	ck_assert(knit_tap_tx_must_switch(p));
}
END_TEST

/* An owner that died had the turn, and wanted the device. */
START_TEST(after_a_death)
{
	struct knit_tap_pair *p = &rig.thread;

	rig.server.tx_wanted = 1;
	knit_tap_tx_switch(p);
	submit(1);
	ck_assert(knit_tap_rx_begin(&rig.owner, KNIT_SERVER_OWNER));
	knit_tap_pair_unbind(p);
	ck_assert(knit_tap_tx_must_switch(p));
	knit_tap_tx_switch(p);
	ck_assert(!knit_tap_tx_must_switch(p));
	rig.server.tx_wanted = 1; /* nobody is bound: nobody's wish */
	ck_assert(!knit_tap_tx_must_switch(p));
	rig.server.tx_wanted = 0;
	ck_assert_int_eq(knit_tap_pair_bind(p, KNIT_DOORBELL_NONE), 0);
	ck_assert_int_eq(knit_tap_pair_bind(p, KNIT_DOORBELL_NONE), -EALREADY);
	ck_assert_uint_eq(rig.server.rx, KNIT_SERVER_NOBODY);
	ck_assert(knit_tap_rx_begin(p, KNIT_SERVER_THREAD));
	knit_tap_rx_end(p);
}
END_TEST

static void add(Suite *s, const char *name, const TTest *test)
{
	knit_add_fixture_test(s, name, test, 0, setup, NULL);
}

KNIT_SUITE(tap_pair)
{
	add(s, "one at a time", one_at_a_time);
	add(s, "goes on", goes_on);
	add(s, "owner serves nothing", owner_serves_nothing);
	add(s, "bad indexes", bad_indexes);
	add(s, "turn that nobody has", turn_that_nobody_has);
	add(s, "reading is given and taken back", reading_is_given_and_taken_back);
	add(s, "frames in hand first", frames_in_hand_first);
	add(s, "after a death", after_a_death);
}
