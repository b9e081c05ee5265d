// SPDX-License-Identifier: BSD-3-Clause
#include "unit.h"

#include "worker/datapath/forward.h"

#include <string.h>

/* Its names are short. */
#include "watch_rig.h"

/* Software makes two frames of each. */
static uint32_t send_halves(struct knit_worker *worker, struct knit_output *out,
			    struct knit_burst *b)
{
	static struct rte_mbuf halves[2];
	struct rte_mbuf *two[2] = { &halves[0], &halves[1] };
	uint32_t i;

	for (i = 0; i < b->n; i++) {
		knit_watch_changed(w.watcher, b->m[i], two, 2);
		if (n_lost)
			knit_watch_dropped(w.watcher, why, two, n_lost);
	}
	return b->n;
}

/* Nothing is replaced, not even for a moment, while nobody watches; and everything is put back. */
START_TEST(only_while_watched)
{
	uint32_t (*receive)(struct knit_worker *, struct knit_input *, struct knit_burst *) =
		w.inputs[IN_LEFT].receive;
	uint32_t (*send_some)(struct knit_worker *, struct knit_output *, struct knit_burst *) =
		w.outputs[OUT_RIGHT].send;

	follow(0);
	ck_assert_ptr_null(w.watcher);
	ck_assert(w.inputs[IN_LEFT].receive == receive);
	follow(7);
	ck_assert_ptr_nonnull(w.watcher);
	ck_assert(w.inputs[IN_LEFT].receive == knit_watch_receive);
	ck_assert(w.outputs[OUT_RIGHT].send == knit_watch_send);
	ck_assert_uint_eq(watch->ring[0]->following, 7);
	follow(8);
	ck_assert_uint_eq(watch->ring[0]->following, 8);
	follow(0);
	ck_assert_ptr_null(w.watcher);
	ck_assert_uint_eq(watch->ring[0]->following, 0);
	ck_assert(w.inputs[IN_LEFT].receive == receive);
	ck_assert(w.inputs[IN_HANDOFF].receive == receive);
	ck_assert(w.outputs[OUT_RIGHT].send == send_some);
	/* for other workers */
	watch->spec.workers = 2;
	follow(9);
	ck_assert_ptr_null(w.watcher);
	ck_assert_uint_eq(watch->ring[0]->following, 9);
}
END_TEST

START_TEST(journey)
{
	const struct knit_watch_record *r;

	watch->spec.ports[0] = 1;
	watch->spec.ports[1] = 2; /* and where it leaves: still one record */
	follow(1);
	frame(0, other, 100);
	pass(IN_LEFT, OUT_RIGHT);
	r = next();
	ck_assert_ptr_nonnull(r);
	ck_assert_uint_eq(r->len, 100);
	ck_assert_uint_eq(r->captured, 64);
	ck_assert_mem_eq(r->data, data[0], 64);
	ck_assert_uint_eq(r->end, KNIT_WATCH_PORT);
	ck_assert_uint_eq(r->direction, KNIT_WATCH_RX);
	ck_assert_uint_eq(r->index, 0);
	ck_assert_uint_eq(r->n_steps, 3);
	check_step(r, 0, KNIT_WATCH_RECEIVED, KNIT_WATCH_PORT, 0, 3);
	check_step(r, 1, KNIT_WATCH_DECIDED, 0, KNIT_WATCH_WHY_OTHER, 0);
	check_step(r, 2, KNIT_WATCH_HANDED, KNIT_WATCH_PORT, 1, 0);
	ck_assert_ptr_null(next());
	ck_assert_uint_eq(sent[OUT_RIGHT], 1);
}
END_TEST

/* Each place where it passes, for files. */
START_TEST(each_place)
{
	const struct knit_watch_record *r;

	watch->spec.journeys = 0;
	watch->spec.ports[0] = 1;
	watch->spec.ifaces[0] = 1;
	follow(1);
	frame(0, own, 60);
	pass(IN_LEFT, OUT_IFACE);
	r = next();
	ck_assert_uint_eq(r->end, KNIT_WATCH_PORT);
	check_step(r, 1, KNIT_WATCH_DECIDED, 0, KNIT_WATCH_WHY_OWN, 0);
	check_step(r, 2, KNIT_WATCH_HANDED, KNIT_WATCH_IFACE, 0, 4);
	r = next();
	ck_assert_uint_eq(r->end, KNIT_WATCH_IFACE);
	ck_assert_uint_eq(r->direction, KNIT_WATCH_RX);
	check_step(r, 0, KNIT_WATCH_RECEIVED, KNIT_WATCH_PORT, 0, 3);
	check_step(r, 1, KNIT_WATCH_DECIDED, 0, KNIT_WATCH_WHY_OWN, 0);
	check_step(r, 2, KNIT_WATCH_HANDED, KNIT_WATCH_IFACE, 0, 4);
	ck_assert_ptr_null(next());
	ck_assert_uint_eq(watch->ring[0]->counts.seen, 2);
	ck_assert_uint_eq(watch->ring[0]->counts.matched, 2);
}
END_TEST

/* The last two of five are lost, wherever in the burst they are looked for. */
START_TEST(drops)
{
	const struct knit_watch_record *r;
	unsigned int i;

	watch->spec.ports[0] = 1;
	follow(1);
	for (i = 0; i < 5; i++)
		frame(i, other, 60 + i);
	why = KNIT_WORKER_DROP_PORT_TX_FULL;
	n_lost = 2;
	pass(IN_LEFT, OUT_RIGHT);
	for (i = 0; i < 5; i++) {
		r = next();
		ck_assert_uint_eq(r->len, 60 + i);
		ck_assert_uint_eq(r->n_steps, 3);
		if (i < 3)
			check_step(r, 2, KNIT_WATCH_HANDED, KNIT_WATCH_PORT, 1, 0);
		else
			check_step(r, 2, KNIT_WATCH_DROPPED, 0, KNIT_WORKER_DROP_PORT_TX_FULL, 1);
	}
	ck_assert_ptr_null(next());
}
END_TEST

/* What software made of it: all lost, or one of two. */
START_TEST(pieces)
{
	const struct knit_watch_record *r;

	w.outputs[OUT_RIGHT].send = send_halves;
	watch->spec.ports[0] = 1;
	follow(1);
	frame(0, other, 60);
	why = KNIT_WORKER_DROP_PORT_TOO_LONG;
	for (n_lost = 0; n_lost < 3; n_lost++) {
		pass(IN_LEFT, OUT_RIGHT);
		r = next();
		ck_assert_uint_eq(r->n_steps, n_lost == 1 ? 5 : 4);
		check_step(r, 2, KNIT_WATCH_CHANGED, 0, 0, 2);
		if (n_lost)
			check_step(r, 3, KNIT_WATCH_DROPPED, 0, why, n_lost);
		if (n_lost < 2)
			check_step(r, r->n_steps - 1, KNIT_WATCH_HANDED, KNIT_WATCH_PORT, 1, 0);
	}
}
END_TEST

/* A burst that goes two ways; nothing is published before all of it is sent. */
START_TEST(mixed_burst)
{
	const struct knit_watch_record *r;
	struct knit_burst b, part;
	struct rte_mbuf *odd[N / 2], *even[N / 2];
	unsigned int i;

	watch->spec.ports[0] = 1;
	follow(1);
	for (i = 0; i < 20; i++) {
		frame(i, i % 2 ? own : other, 60);
		*(i % 2 ? &odd[i / 2] : &even[i / 2]) = ptrs[i];
	}
	w.inputs[IN_LEFT].receive(&w, &w.inputs[IN_LEFT], &b);
	part = (struct knit_burst){ .m = even, .n = 10 };
	w.outputs[OUT_RIGHT].send(&w, &w.outputs[OUT_RIGHT], &part);
	ck_assert_ptr_null(next());
	part.m = odd;
	w.outputs[OUT_IFACE].send(&w, &w.outputs[OUT_IFACE], &part);
	for (i = 0; i < 20; i++) {
		r = next();
		ck_assert_ptr_nonnull(r);
		check_step(r, 1, KNIT_WATCH_DECIDED, 0,
			   i % 2 ? KNIT_WATCH_WHY_OWN : KNIT_WATCH_WHY_OTHER, 0);
		check_step(r, 2, KNIT_WATCH_HANDED, i % 2 ? KNIT_WATCH_IFACE : KNIT_WATCH_PORT,
			   i % 2 ? 0 : 1, i % 2 ? 4 : 0);
		ck_assert_uint_eq(r->n_steps, 3);
	}
}
END_TEST

/* A queue to another worker is on the way to its port: for journeys, not for files. */
START_TEST(through_another_worker)
{
	const struct knit_watch_record *r;

	watch->spec.ports[1] = 2;
	follow(1);
	frame(0, other, 60);
	pass(IN_LEFT, OUT_HANDOFF);
	r = next();
	ck_assert_uint_eq(r->end, KNIT_WATCH_PORT);
	ck_assert_uint_eq(r->index, 1);
	check_step(r, 2, KNIT_WATCH_HANDED, KNIT_WATCH_HANDOFF, 6, 0);
	pass(IN_HANDOFF, OUT_RIGHT);
	r = next();
	check_step(r, 0, KNIT_WATCH_RECEIVED, KNIT_WATCH_HANDOFF, 5, 0);
	check_step(r, 1, KNIT_WATCH_DECIDED, 0, KNIT_WATCH_WHY_ONLY, 0);
	follow(0);
	watch->spec.journeys = 0;
	follow(2);
	pass(IN_LEFT, OUT_HANDOFF);
	ck_assert_ptr_null(next());
}
END_TEST

/* Tags that the device took off, and frames of several pieces, are as they are on the wire. */
START_TEST(filters)
{
	const struct knit_watch_record *r;
	uint8_t tag[4] = { 0x81, 0, 0x30, 0x09 };
	unsigned int i;

	watch->spec.ports[0] = 1;
	filter("vlan 9 and greater 74 and ether[70] = 3");
	follow(1);
	for (i = 0; i < 6; i++) {
		frame(i, other, 70);
		mbufs[i].vlan_tci = i < 5 ? 0x3009 : 0x3008;
		mbufs[i].ol_flags = i ? RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED : 0;
	}
	pass(IN_LEFT, OUT_RIGHT);
	r = next();
	ck_assert_uint_eq(r->len, 74);
	ck_assert_mem_eq(r->data, data[3], 12);
	ck_assert_mem_eq(r->data + 12, tag, 4);
	ck_assert_mem_eq(r->data + 16, data[3] + 12, 48);
	ck_assert_ptr_null(next());
	/* the same in pieces of 33, 1 and 36 bytes */
	for (i = 0; i < 3; i++) {
		mbufs[i] = (struct rte_mbuf){ .buf_addr = data[3] + (i == 0   ? 0
								     : i == 1 ? 33
									      : 34),
					      .data_len = i == 0   ? 33
							  : i == 1 ? 1
								   : 36,
					      .next = i < 2 ? &mbufs[i + 1] : NULL };
	}
	mbufs[0].nb_segs = 3;
	mbufs[0].pkt_len = 70;
	mbufs[0].ol_flags = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	mbufs[0].vlan_tci = 0x3009;
	n_received = 1;
	pass(IN_LEFT, OUT_RIGHT);
	r = next();
	ck_assert_uint_eq(r->captured, 64);
	ck_assert_mem_eq(r->data + 16, data[3] + 12, 48);
	ck_assert_uint_eq(watch->ring[0]->counts.seen, 7);
	ck_assert_uint_eq(watch->ring[0]->counts.matched, 2);
}
END_TEST

KNIT_SUITE_EAL(worker_watch, knit_eal_small_pages)
{
	knit_add_fixture_test(s, "only while watched", only_while_watched, 0, open_watch, NULL);
	knit_add_fixture_test(s, "journey", journey, 0, open_watch, NULL);
	knit_add_fixture_test(s, "each place", each_place, 0, open_watch, NULL);
	knit_add_fixture_test(s, "drops", drops, 0, open_watch, NULL);
	knit_add_fixture_test(s, "pieces", pieces, 0, open_watch, NULL);
	knit_add_fixture_test(s, "mixed burst", mixed_burst, 0, open_watch, NULL);
	knit_add_fixture_test(s, "through another worker", through_another_worker, 0, open_watch,
			      NULL);
	knit_add_fixture_test(s, "filters", filters, 0, open_watch, NULL);
}
