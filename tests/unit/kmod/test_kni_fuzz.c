// SPDX-License-Identifier: BSD-3-Clause
#include "kni_rig.h"

#include <pthread.h>

/* Mostly plausible, so that a fair share passes each check and meets the next one. */
static struct knit_desc random_desc(struct knit_random *r)
{
	uint64_t dice = knit_random_next(r), more = knit_random_next(r);
	struct knit_desc d = { .addr = SMALL + more % (N_PAGES * PAGE), .len = dice % 3000 };

	if (dice & (1 << 20))
		d.addr = BIG + more % (1 << BIG_SHIFT);
	if ((dice >> 21 & 15) == 0)
		d.addr = more;
	if ((dice >> 25 & 15) == 0)
		d.len = more >> 32;
	if ((dice >> 29 & 7) == 0)
		d.len = 65535;
	d.flags = dice >> 32 & 3 ? 0 : KNIT_DESC_MORE;
	if ((dice >> 34 & 15) == 0)
		d.flags |= more >> 16;
	if ((dice >> 38 & 3) == 0) {
		d.flags |= KNIT_DESC_CSUM_PARTIAL;
		d.csum_start = dice & 1 ? 34 : more >> 40;
		d.csum_offset = more & 1 ? 16 : 6;
	}
	if ((dice >> 38 & 15) == 0) {
		d.gso_type = more >> 8 & 0x83;
		d.gso_size = more >> 16;
		d.hdr_len = more >> 24;
	}
	d.reserved = (dice >> 43 & 63) == 0;
	d.cookie = knit_rig.next_cookie++;
	return d;
}

static void push_random(struct knit_ring *q, struct knit_random *r, __u32 n)
{
	n = knit_ring_reserve(q, n);
	while (n--) {
		*(struct knit_desc *)knit_ring_entry(q, q->prod) = random_desc(r);
		knit_ring_submit(q, 1);
	}
}

static void touch(const struct kni_run *run, __u32 n)
{
	__u32 i;

	MUST(n <= KNI_RUNS);
	for (i = 0; i < n; i++)
		((__u8 *)run[i].ptr)[0] = ((__u8 *)run[i].ptr)[run[i].len - 1] = 0x5a;
}

/* One poll of whatever is there; returns how many frames were good. */
static __u32 any_visit(__u32 *seen)
{
	__u32 good = 0, steps = 0, at = 0;

	if (!knit_frames_begin(&knit_rig.iter.rx))
		return 0;
	while (kni_frame_next(&knit_rig.iter, &knit_rig.frame)) {
		MUST(++steps <= KNIT_PEEK);
		MUST(knit_rig.iter.rx.at > at);
		at = knit_rig.iter.rx.at;
		seen[knit_rig.frame.why]++;
		if (knit_rig.frame.why)
			continue;
		MUST(knit_rig_bytes(knit_rig.frame.run, knit_rig.frame.n_runs) ==
		     knit_rig.frame.len);
		MUST(knit_rig.frame.len <= KNIT_FRAME_MAX);
		MUST(knit_rig.frame.len >= KNIT_ETH_HLEN);
		touch(knit_rig.frame.run, knit_rig.frame.n_runs);
		good++;
	}
	MUST(knit_rig.iter.rx.at <= KNIT_PEEK);
	knit_frames_end(&knit_rig.iter.rx);
	return good;
}

START_TEST(fuzz_frames)
{
	__u32 seen[KNIT_REJECT_COUNT] = { 0 }, before, good = 0, i;
	struct knit_random random = { 20261122 };
	const struct knit_desc *d;

	knit_rig_setup(KNIT_FEAT_ALL, 1);
	for (i = 0; i < 5000; i++) {
		push_random(&knit_rig.rx_user, &random, knit_random_next(&random) % KNI_RIG_RING);
		before = knit_rig.rx_q.cons;
		good += any_visit(seen);
		/* each descriptor taken has its cookie back, in order */
		MUST(knit_ring_peek(&knit_rig.free_user, KNI_RIG_RING) ==
		     knit_rig.rx_q.cons - before);
		for (; before != knit_rig.rx_q.cons; before++) {
			d = knit_ring_entry(&knit_rig.free_user, knit_rig.free_user.cons);
			MUST(d->cookie == before);
			knit_ring_release(&knit_rig.free_user, 1);
		}
		knit_ring_reserve(&knit_rig.rx_user, KNI_RIG_RING);
	}
	/* the fuzz is only worth something if it gets everywhere */
	ck_assert_uint_gt(good, 10000);
	for (i = KNIT_REJECT_BAD_FLAGS; i < KNIT_REJECT_COUNT; i++)
		ck_assert_msg(seen[i] > 100, "reject %u was met %u times", i, seen[i]);
	knit_rig_teardown();
}
END_TEST

/* Indexes too: whatever they say, work is bounded and stays inside. */
START_TEST(fuzz_indexes)
{
	struct knit_random random = { 4711 };
	__u32 seen[KNIT_REJECT_COUNT], i;

	knit_rig_setup(KNIT_FEAT_ALL, 1);
	for (i = 0; i < KNI_RIG_RING; i++)
		*(struct knit_desc *)knit_ring_entry(&knit_rig.rx_user, i) = random_desc(&random);
	for (i = 0; i < 20000; i++) {
		knit_store(&knit_rig.rx_q.shm->producer,
			   i & 1 ? knit_rig.rx_q.cons +
					   knit_random_next(&random) % (2 * KNI_RIG_RING)
				 : knit_random_next(&random));
		knit_store(&knit_rig.free_q.shm->consumer, knit_random_next(&random));
		knit_store(&knit_rig.rx_q.shm->consumer, knit_random_next(&random));
		any_visit(seen);
	}
	ck_assert_uint_gt(knit_rig.rx_q.bad_index, 1000);
	knit_rig_teardown();
}
END_TEST

START_TEST(fuzz_txbuf)
{
	struct knit_random random = { 1234567 };
	__u32 i, fits = 0, shorts = 0, longs = 0, len;
	struct knit_desc d;
	__u32 expected = 0;

	knit_rig_setup(0, 20);
	for (i = 0; i < 60000; i++) {
		if (knit_random_next(&random) % 4 == 0)
			push_random(&knit_rig.alloc_user, &random, knit_random_next(&random) % 20);
		len = knit_random_next(&random) % (i & 1 ? 3000 : KNIT_FRAME_MAX + 1);
		switch (kni_txbuf_find(&knit_rig.txbuf, len)) {
		case KNI_FIT:
			MUST(knit_rig_bytes(knit_rig.txbuf.run, knit_rig.txbuf.n_runs) == len);
			MUST(knit_rig.txbuf.n <= 20);
			touch(knit_rig.txbuf.run, knit_rig.txbuf.n_runs);
			kni_txbuf_take(&knit_rig.txbuf);
			fits++;
			break;
		case KNI_SHORT:
			MUST(knit_rig.txbuf.need >= 1);
			MUST(knit_rig.txbuf.need <= 20);
			shorts++;
			break;
		case KNI_TOO_LONG:
			longs++;
		}
		kni_txbuf_commit(&knit_rig.txbuf);
		/* every buffer taken is one descriptor, with its cookie, in order */
		while (knit_ring_peek(&knit_rig.tx_user, 1)) {
			d = knit_rig_pull();
			MUST(d.cookie == expected++);
		}
		MUST(knit_rig.alloc_q.cons == expected);
		knit_rig.txbuf.max_segs = i & 2 ? 20 : 3;
		knit_ring_reserve(&knit_rig.alloc_user, KNI_RIG_RING);
	}
	ck_assert_uint_gt(fits, 1000);
	ck_assert_uint_gt(shorts, 1000);
	ck_assert_uint_gt(longs, 1000);
	knit_rig_teardown();
}
END_TEST

static bool scribble_end;

/* What a hostile user does while the rings are read. */
static void *scribble(void *arg)
{
	struct knit_random random = { 99 };
	struct knit_desc d;
	__u64 *from = (__u64 *)&d, *to;
	unsigned int i;

	while (!__atomic_load_n(&scribble_end, __ATOMIC_RELAXED)) {
		d = random_desc(&random);
		to = knit_ring_entry(knit_random_next(&random) & 1 ? &knit_rig.rx_user
								   : &knit_rig.alloc_user,
				     knit_random_next(&random));
		for (i = 0; i < sizeof(d) / sizeof(*to); i++)
			knit_store(&to[i], from[i]);
	}
	return NULL;
}

START_TEST(scribbled_while_read)
{
	__u32 seen[KNIT_REJECT_COUNT] = { 0 }, good = 0, fits = 0, i;
	pthread_t thread;

	knit_rig_setup(KNIT_FEAT_ALL, KNIT_DESC_MAX_SEGS);
	ck_assert_int_eq(pthread_create(&thread, NULL, scribble, NULL), 0);
	for (i = 0; i < 20000; i++) {
		knit_store(&knit_rig.rx_q.shm->producer, knit_rig.rx_q.cons + KNI_RIG_RING);
		knit_store(&knit_rig.free_q.shm->consumer, knit_rig.free_q.prod);
		good += any_visit(seen);
		knit_store(&knit_rig.alloc_q.shm->producer, knit_rig.alloc_q.cons + KNI_RIG_RING);
		knit_store(&knit_rig.tx_q.shm->consumer, knit_rig.tx_q.prod);
		if (kni_txbuf_find(&knit_rig.txbuf, i % KNIT_FRAME_MAX) == KNI_FIT) {
			MUST(knit_rig_bytes(knit_rig.txbuf.run, knit_rig.txbuf.n_runs) ==
			     i % KNIT_FRAME_MAX);
			touch(knit_rig.txbuf.run, knit_rig.txbuf.n_runs);
			kni_txbuf_take(&knit_rig.txbuf);
			fits++;
		}
		kni_txbuf_commit(&knit_rig.txbuf);
	}
	__atomic_store_n(&scribble_end, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	ck_assert_uint_gt(good, 1000);
	ck_assert_uint_gt(fits, 100);
	knit_rig_teardown();
}
END_TEST

KNIT_SUITE(kni_fuzz)
{
	knit_add_test(s, "fuzz frames", fuzz_frames, 120);
	knit_add_test(s, "fuzz indexes", fuzz_indexes, 120);
	knit_add_test(s, "fuzz tx buffers", fuzz_txbuf, 120);
	knit_add_test(s, "scribbled while read", scribbled_while_read, 120);
}
