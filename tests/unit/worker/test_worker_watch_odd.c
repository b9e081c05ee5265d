// SPDX-License-Identifier: BSD-3-Clause
#include "unit.h"

#include "worker/datapath/forward.h"

#include <pcap/bpf.h>
#include <pthread.h>
#include <string.h>

/* Its names are short. */
#include "watch_rig.h"

/* 46 frames of each, of which none is sent. */
static struct rte_mbuf **pieces_of_all;

static uint32_t send_none(struct knit_worker *worker, struct knit_output *out, struct knit_burst *b)
{
	uint32_t i;

	for (i = 0; i < b->n; i++) {
		knit_watch_changed(w.watcher, b->m[i], pieces_of_all, 46);
		knit_watch_dropped(w.watcher, KNIT_WORKER_DROP_PORT_TX_FULL, pieces_of_all, 46);
	}
	return 0;
}

/* Another mbuf takes the place of the first packet, whose own one is dropped for the second. */
static uint32_t send_reusing(struct knit_worker *worker, struct knit_output *out,
			     struct knit_burst *b)
{
	static struct rte_mbuf one, *piece = &one;

	knit_watch_changed(w.watcher, b->m[0], &piece, 1);
	knit_watch_changed(w.watcher, b->m[1], &b->m[0], 1);
	knit_watch_dropped(w.watcher, KNIT_WORKER_DROP_PORT_TX_FULL, &b->m[0], 1);
	return b->n;
}

/* Nobody reads: it ends at what is there, counts the rest, and goes on when somebody reads. */
START_TEST(full_ring)
{
	struct knit_watch_counts *c = &watch->ring[0]->counts;
	const struct knit_watch_record *r;
	unsigned int i, n = 0, round;
	uint32_t last = 0;

	watch->spec.ports[0] = 1;
	follow(1);
	for (i = 0; i < N; i++)
		frame(i, other, 60);
	for (round = 0; round < 200; round++) {
		for (i = 0; i < N; i++)
			mbufs[i].pkt_len = 1000 + round * N + i;
		pass(IN_LEFT, OUT_RIGHT);
		if (round % 40 != 39)
			continue;
		while ((r = next()) != NULL) {
			ck_assert_uint_gt(r->len, last);
			last = r->len;
			n++;
		}
		taken();
	}
	ck_assert_uint_eq(c->matched, 200 * N);
	ck_assert_uint_gt(c->lost, 0);
	ck_assert_uint_eq(n + c->lost, 200 * N);
	ck_assert_uint_ge(n, 5 * (128 << 10) / 320);
	ck_assert_uint_eq(sent[OUT_RIGHT], 200 * N);
}
END_TEST

/* A share of time that is used up: the packets pass, and are counted. */
START_TEST(share_of_time)
{
	struct knit_watch_counts *c = &watch->ring[0]->counts;
	unsigned int i, round;

	watch->spec.ports[0] = 1;
	watch->spec.share = 1;
	follow(1);
	for (i = 0; i < N; i++)
		frame(i, other, 60);
	for (round = 0; round < 200000 && c->skipped == 0; round++) {
		pass(IN_LEFT, OUT_RIGHT);
		while (next())
			;
		taken();
	}
	ck_assert_uint_gt(c->skipped, 0);
	ck_assert_uint_eq(c->seen, (uint64_t)N * round);
	ck_assert_uint_eq(c->matched + c->skipped, c->seen);
	ck_assert_uint_eq(sent[OUT_RIGHT], N * round);
}
END_TEST

START_TEST(limit)
{
	unsigned int i, n = 0;

	watch->spec.ports[0] = 1;
	watch->spec.limit = 3;
	follow(1);
	frame(0, other, 60);
	for (i = 0; i < 10; i++)
		pass(IN_LEFT, OUT_RIGHT);
	while (next())
		n++;
	ck_assert_uint_eq(n, 3);
	ck_assert_uint_eq(watch->ring[0]->counts.seen, 3);
	ck_assert_uint_eq(watch->ring[0]->counts.skipped, 0);
}
END_TEST

/* As many frames as software makes of a burst, all lost: no packet claims to be sent. */
START_TEST(many_pieces)
{
	static struct rte_mbuf parts[46], *list[46];
	const struct knit_watch_record *r;
	unsigned int i;

	watch->spec.ports[0] = 1;
	w.outputs[OUT_RIGHT].send = send_none;
	follow(1);
	for (i = 0; i < 46; i++)
		list[i] = &parts[i];
	for (i = 0; i < 32; i++)
		frame(i, other, 60);
	pieces_of_all = list;
	pass(IN_LEFT, OUT_RIGHT);
	for (i = 0; i < 32; i++) {
		r = next();
		ck_assert_uint_eq(r->n_steps, 4);
		check_step(r, 2, KNIT_WATCH_CHANGED, 0, 0, 46);
		check_step(r, 3, KNIT_WATCH_DROPPED, 0, KNIT_WORKER_DROP_PORT_TX_FULL, 46);
	}
}
END_TEST

/* The mbuf of a packet that was cut becomes a piece of the next one, which nobody watches. */
START_TEST(reused_mbuf)
{
	const struct knit_watch_record *r;

	filter("ether[14] = 0");
	watch->spec.ports[0] = 1;
	w.outputs[OUT_RIGHT].send = send_reusing;
	follow(1);
	frame(0, other, 60);
	frame(1, other, 60);
	pass(IN_LEFT, OUT_RIGHT);
	r = next();
	ck_assert_uint_eq(r->n_steps, 4);
	check_step(r, 2, KNIT_WATCH_CHANGED, 0, 0, 1);
	check_step(r, 3, KNIT_WATCH_HANDED, KNIT_WATCH_PORT, 1, 0);
	ck_assert_ptr_null(next());
}
END_TEST

/* Records of a worker and its successor count together. */
START_TEST(successor)
{
	struct knit_watch_counts *c = &watch->ring[0]->counts;

	watch->spec.ports[0] = 1;
	follow(1);
	frame(0, other, 60);
	pass(IN_LEFT, OUT_RIGHT);
	knit_watch_end(&w);
	ck_assert_uint_eq(watch->ring[0]->following, 0);
	watch->ring[0]->head += 3; /* it was killed, and not in good order */
	knit_watch_look(&w);
	pass(IN_LEFT, OUT_RIGHT);
	ck_assert_uint_eq(c->matched, 2);
	ck_assert_uint_eq(watch->ring[0]->head % 8, 0);
	follow(2);
	ck_assert_uint_eq(c->matched, 0);
}
END_TEST

static void *change_addresses(void *arg)
{
	static const struct rte_ether_addr addr = { { 0, 0, 0x5e, 0, 1, 7 } };
	unsigned int i;

	for (i = 0; i < 20000; i++)
		knit_macs_set(&topo.ports[0].further, &addr, i % 2);
	__atomic_store_n((bool *)arg, true, __ATOMIC_RELEASE);
	return NULL;
}

/* The kernel takes an address away while a packet is explained. */
START_TEST(addresses_change)
{
	enum knit_watch_why told;
	pthread_t thread;
	bool done = false;

	frame(0, (const uint8_t[]){ 0, 0, 0x5e, 0, 1, 7 }, 60);
	ck_assert_int_eq(pthread_create(&thread, NULL, change_addresses, &done), 0);
	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
		told = knit_forward_why(&w.inputs[IN_LEFT], ptrs[0]);
		ck_assert(told == KNIT_WATCH_WHY_FURTHER || told == KNIT_WATCH_WHY_OTHER);
	}
	pthread_join(thread, NULL);
}
END_TEST

/* Whoever has the memory can write what he wants: it is not followed. */
START_TEST(damaged)
{
	struct knit_watch_spec good = watch->spec, bad[8];
	unsigned int i;

	for (i = 0; i < 8; i++)
		bad[i] = good;
	bad[0].snaplen = 65536;
	bad[1].snaplen = 0;
	bad[2].share = 0;
	bad[3].share = 101;
	bad[4].n_insns = KNIT_WATCH_INSNS + 1;
	for (i = 5; i < 8; i++) {
		bad[i].n_insns = 2;
		bad[i].insns[1] = (struct knit_watch_insn){ .code = BPF_RET | BPF_K };
	}
	/* out of the program; back, for ever; to itself */
	bad[5].insns[0] = (struct knit_watch_insn){ .code = BPF_JMP | BPF_JA, .k = 1 };
	bad[6].insns[0] = (struct knit_watch_insn){ .code = BPF_JMP | BPF_JA, .k = -2 };
	bad[7].insns[0] = (struct knit_watch_insn){ .code = BPF_JMP | BPF_JA, .k = -1 };
	for (i = 0; i < 8; i++) {
		watch->spec = bad[i];
		follow(i + 1);
		ck_assert_ptr_null(w.watcher);
	}
	/* an impossible tail: there is no room, and nothing else happens */
	watch->spec = good;
	watch->spec.ports[0] = 1;
	follow(12);
	ck_assert_ptr_nonnull(w.watcher);
	watch->ring[0]->tail = 1;
	frame(0, other, 60);
	pass(IN_LEFT, OUT_RIGHT);
	ck_assert_uint_eq(watch->ring[0]->counts.lost, 1);
	ck_assert_uint_eq(watch->ring[0]->head, 0);
}
END_TEST

/* A ring that is not where or what it can be is not used at all. */
START_TEST(damaged_ring)
{
	static const uint32_t sizes[] = { 0, 1000, 64 << 10, 256 << 10, 1u << 31 };
	struct knit_watch_ring *good = watch->ring[0];
	unsigned int i;

	for (i = 0; i < RTE_DIM(sizes) + 3; i++) {
		good->bytes = i < RTE_DIM(sizes) ? sizes[i] : 128 << 10;
		if (i >= RTE_DIM(sizes))
			watch->ring[0] = i == 5	  ? NULL
					 : i == 6 ? (void *)((uintptr_t)good + (1 << 20))
						  : (void *)((uintptr_t)good + 8);
		knit_watch_open(&w);
		follow(i + 1);
		ck_assert_ptr_null(w.watcher);
	}
	watch->ring[0] = good;
	knit_watch_open(&w);
	follow(20);
	ck_assert_ptr_nonnull(w.watcher);
}
END_TEST

KNIT_SUITE_EAL(worker_watch_odd, knit_eal_small_pages)
{
	knit_add_fixture_test(s, "full ring", full_ring, 0, open_watch, NULL);
	knit_add_fixture_test(s, "share of time", share_of_time, 0, open_watch, NULL);
	knit_add_fixture_test(s, "limit", limit, 0, open_watch, NULL);
	knit_add_fixture_test(s, "many pieces", many_pieces, 0, open_watch, NULL);
	knit_add_fixture_test(s, "reused mbuf", reused_mbuf, 0, open_watch, NULL);
	knit_add_fixture_test(s, "successor", successor, 0, open_watch, NULL);
	knit_add_fixture_test(s, "addresses change", addresses_change, 20, open_watch, NULL);
	knit_add_fixture_test(s, "damaged", damaged, 0, open_watch, NULL);
	knit_add_fixture_test(s, "damaged ring", damaged_ring, 0, setup, NULL);
}
