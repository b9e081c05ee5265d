// SPDX-License-Identifier: BSD-3-Clause
#include "kni_rig.h"

static void offer(__u64 addr, __u32 len)
{
	knit_rig_push(&knit_rig.alloc_user, (struct knit_desc){ .addr = addr, .len = len });
}

START_TEST(txbuf_for_frames)
{
	static const __u32 lens[] = {
		0, 1, 60, 2047, 2048, 2049, 4096, 9000, 65535, KNIT_FRAME_MAX
	};
	unsigned int i, k, n;
	struct knit_desc d;
	__u32 left;

	knit_rig_setup(0, KNIT_DESC_MAX_SEGS);
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		for (k = 0; k < 40; k++)
			offer(SMALL + 100 + k * 2048, 2048);
		ck_assert_int_eq(kni_txbuf_find(&knit_rig.txbuf, lens[i]), KNI_FIT);
		n = lens[i] ? (lens[i] + 2047) / 2048 : 1;
		ck_assert_uint_eq(knit_rig.txbuf.n, n);
		ck_assert_uint_eq(knit_rig_bytes(knit_rig.txbuf.run, knit_rig.txbuf.n_runs),
				  lens[i]);
		knit_rig_same(knit_rig.txbuf.run, knit_rig.txbuf.n_runs, SMALL + 100);
		kni_txbuf_take(&knit_rig.txbuf);
		ck_assert(kni_txbuf_commit(&knit_rig.txbuf));
		ck_assert(!kni_txbuf_commit(&knit_rig.txbuf));
		left = lens[i];
		for (k = 0; k < n; k++) {
			d = knit_rig_pull();
			ck_assert_uint_eq(d.len, left < 2048 ? left : 2048);
			left -= d.len;
			ck_assert_uint_eq(d.flags, left ? KNIT_DESC_MORE : 0);
			ck_assert_uint_eq(d.addr, SMALL + 100 + k * 2048);
			ck_assert_uint_eq(d.cookie, knit_rig.next_cookie - 40 + k);
		}
		/* nothing else was taken: the next frame starts behind it */
		while (n++ < 40) {
			ck_assert_int_eq(kni_txbuf_find(&knit_rig.txbuf, 1), KNI_FIT);
			kni_txbuf_take(&knit_rig.txbuf);
		}
		ck_assert_int_eq(kni_txbuf_find(&knit_rig.txbuf, 1), KNI_SHORT);
		kni_txbuf_commit(&knit_rig.txbuf);
		for (k = knit_ring_peek(&knit_rig.tx_user, KNI_RIG_RING); k; k--)
			knit_rig_pull();
	}
	knit_rig_teardown();
}
END_TEST

/* After SHORT exactly what it needs is enough, if it is like what was there before. */
START_TEST(txbuf_needs)
{
	__u32 len, n, k, before;

	knit_rig_setup(0, KNIT_DESC_MAX_SEGS);
	for (len = 1; len < KNIT_FRAME_MAX; len += 997) {
		offer(BIG, 1500);
		n = 1;
		while (kni_txbuf_find(&knit_rig.txbuf, len) == KNI_SHORT) {
			ck_assert_uint_gt(knit_rig.txbuf.need, n);
			before = n;
			for (; n < knit_rig.txbuf.need; n++)
				offer(BIG, 1500);
			/* one buffer tells the size of all */
			ck_assert_uint_le(n - before, 65);
		}
		ck_assert_uint_eq(n, (len + 1499) / 1500);
		kni_txbuf_take(&knit_rig.txbuf);
		kni_txbuf_commit(&knit_rig.txbuf);
		for (k = 0; k < n; k++)
			knit_rig_pull();
	}
	knit_rig_teardown();
}
END_TEST

/* Nothing of a buffer's descriptor becomes part of a frame but its place and its cookie. */
START_TEST(txbuf_is_blank)
{
	struct knit_desc d = {
		.addr = BIG,
		.len = 1000,
		.vlan_tci = 5,
		.gso_size = 6,
		.gso_type = KNIT_GSO_TCPV4,
		.hdr_len = 7,
		.hash = 8,
	};

	knit_rig_setup(0, 1);
	knit_rig_push(&knit_rig.alloc_user, d);
	ck_assert_int_eq(kni_txbuf_find(&knit_rig.txbuf, 60), KNI_FIT);
	kni_txbuf_take(&knit_rig.txbuf);
	kni_txbuf_commit(&knit_rig.txbuf);
	d = knit_rig_pull();
	ck_assert(d.addr == BIG && d.len == 60 && d.flags == 0);
	ck_assert(d.vlan_tci == 0 && d.gso_size == 0 && d.gso_type == 0 && d.hdr_len == 0);
	ck_assert_uint_eq(d.hash, 0);
	knit_rig_teardown();
}
END_TEST

START_TEST(txbuf_too_long)
{
	__u32 i;

	knit_rig_setup(0, 2);
	for (i = 0; i < 10; i++)
		offer(BIG, 1000);
	ck_assert_int_eq(kni_txbuf_find(&knit_rig.txbuf, 2000), KNI_FIT);
	ck_assert_int_eq(kni_txbuf_find(&knit_rig.txbuf, 2001), KNI_TOO_LONG);
	ck_assert_int_eq(kni_txbuf_find(&knit_rig.txbuf, 10), KNI_FIT);
	knit_rig_teardown();
}
END_TEST

/* No descriptor of tx_q, however many buffers. */
START_TEST(txbuf_in_tx_q)
{
	__u32 i;

	knit_rig_setup(0, KNIT_DESC_MAX_SEGS);
	for (i = 0; i < KNI_RIG_RING - 1; i++)
		knit_rig_push(&knit_rig.tx_q, (struct knit_desc){ 0 });
	for (i = 0; i < 10; i++)
		offer(BIG, 1000);
	ck_assert_int_eq(kni_txbuf_find(&knit_rig.txbuf, 1001), KNI_SHORT);
	ck_assert_uint_eq(knit_rig.txbuf.need, 2);
	ck_assert_int_eq(kni_txbuf_find(&knit_rig.txbuf, 1000), KNI_FIT);
	kni_txbuf_take(&knit_rig.txbuf);
	ck_assert_int_eq(kni_txbuf_find(&knit_rig.txbuf, 1000), KNI_SHORT);
	knit_rig_teardown();
}
END_TEST

START_TEST(txbuf_bad_buffers)
{
	static const struct {
		struct knit_desc d;
		enum knit_reject why;
	} bad[] = {
		{ { .addr = NOWHERE, .len = 2048 }, KNIT_REJECT_BAD_ADDR },
		{ { .addr = SMALL - 1, .len = 2048 }, KNIT_REJECT_BAD_ADDR },
		{ { .addr = BIG + (1 << BIG_SHIFT) - 2047, .len = 2048 }, KNIT_REJECT_BAD_ADDR },
		{ { .addr = ~0ull, .len = 2048 }, KNIT_REJECT_BAD_ADDR },
		{ { .addr = BIG, .len = KNIT_MIN_BUFFER - 1 }, KNIT_REJECT_BAD_LEN },
		{ { .addr = BIG, .len = 65536 }, KNIT_REJECT_BAD_LEN },
		{ { .addr = BIG, .len = 2048, .flags = 1 }, KNIT_REJECT_BAD_FLAGS },
		{ { .addr = BIG, .len = 2048, .reserved = 1 }, KNIT_REJECT_BAD_FLAGS },
	};
	unsigned int i, before;
	struct knit_desc d;
	__u32 first;

	knit_rig_setup(0, KNIT_DESC_MAX_SEGS);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		first = knit_rig.next_cookie;
		offer(BIG, 1000);
		knit_rig_push(&knit_rig.alloc_user, bad[i].d);
		offer(BIG + 5000, 1000);
		offer(BIG + 6000, 1000);
		before = knit_rig.txbuf.rejects[bad[i].why];
		ck_assert_int_eq(kni_txbuf_find(&knit_rig.txbuf, 1500), KNI_FIT);
		ck_assert_uint_eq(knit_rig.txbuf.rejects[bad[i].why], before + 1);
		ck_assert_uint_eq(knit_rig.txbuf.rejected, i + 1);
		knit_rig_same(knit_rig.txbuf.run, knit_rig.txbuf.n_runs, BIG + 5000);
		kni_txbuf_take(&knit_rig.txbuf);
		kni_txbuf_commit(&knit_rig.txbuf);
		d = knit_rig_pull();
		ck_assert(d.cookie == first && d.len == 0 && d.flags == 0);
		d = knit_rig_pull();
		ck_assert(d.cookie == first + 1 && d.len == 0 && d.flags == 0);
		d = knit_rig_pull();
		ck_assert(d.cookie == first + 2 && d.len == 1000 && d.flags == KNIT_DESC_MORE);
		d = knit_rig_pull();
		ck_assert(d.cookie == first + 3 && d.len == 500 && d.flags == 0);
	}
	/* nothing but bad ones: all go back, and a poll is bounded */
	for (i = 0; i < KNI_RIG_RING; i++)
		knit_rig_push(&knit_rig.alloc_user, bad[i % 4].d);
	ck_assert_int_eq(kni_txbuf_find(&knit_rig.txbuf, 60), KNI_SHORT);
	ck_assert_uint_le(knit_rig.txbuf.used, KNIT_PEEK + 1);
	ck_assert_uint_ge(knit_rig.txbuf.used, KNIT_DESC_MAX_SEGS);
	knit_rig_teardown();
}
END_TEST

KNIT_SUITE(kni_txbuf)
{
	knit_add_test(s, "for frames", txbuf_for_frames, 0);
	knit_add_test(s, "needs", txbuf_needs, 0);
	knit_add_test(s, "is blank", txbuf_is_blank, 0);
	knit_add_test(s, "too long", txbuf_too_long, 0);
	knit_add_test(s, "in tx_q", txbuf_in_tx_q, 0);
	knit_add_test(s, "bad buffers", txbuf_bad_buffers, 0);
}
