// SPDX-License-Identifier: BSD-3-Clause
#include "kni_rig.h"

static void push_seg(__u64 addr, __u32 len, __u16 flags)
{
	knit_rig_push(&knit_rig.rx_user,
		      (struct knit_desc){ .addr = addr, .len = len, .flags = flags });
}

/* Takes n cookies from free_q; they are first, first + 1, ... */
static void expect_cookies(__u32 first, __u32 n)
{
	const struct knit_desc *d;
	__u32 i;

	ck_assert_uint_eq(knit_ring_peek(&knit_rig.free_user, KNI_RIG_RING), n);
	for (i = 0; i < n; i++) {
		d = knit_ring_entry(&knit_rig.free_user, knit_rig.free_user.cons + i);
		ck_assert_uint_eq(d->cookie, first + i);
		ck_assert_uint_eq(d->addr, 0);
		ck_assert_uint_eq(d->len, 0);
	}
	knit_ring_release(&knit_rig.free_user, n);
}

/* Returns how many cookies were lost. */
static __u32 end_walk(void)
{
	__u32 lost = kni_iter_lost(&knit_rig.walk);

	kni_iter_end(&knit_rig.walk);
	return lost;
}

static void expect_one(enum kni_step step)
{
	ck_assert_uint_gt(kni_iter_begin(&knit_rig.walk), 0);
	ck_assert_int_eq(kni_iter_next(&knit_rig.walk, &knit_rig.frame), step);
}

static void expect_reject(enum knit_reject why, __u32 descs)
{
	expect_one(KNI_STEP_REJECT);
	ck_assert_int_eq(knit_rig.frame.why, why);
	ck_assert_uint_eq(end_walk(), 0);
	expect_cookies(knit_rig.next_cookie - descs, descs);
}

START_TEST(runs_of_a_segment)
{
	static const struct {
		__u64 addr;
		__u32 len, runs;
	} cases[] = {
		{ SMALL, 60, 1 },
		{ SMALL, PAGE, 1 },
		{ SMALL, PAGE + 1, 2 },
		{ SMALL + PAGE - 1, 60, 2 },
		{ SMALL + PAGE - 60, 60, 1 },
		{ SMALL + PAGE - 1, PAGE + 2, 3 },
		{ SMALL + 1, 65535, 16 },
		{ SMALL + 4095, 65535, 17 },
		{ SMALL + N_PAGES * PAGE - 100, 100, 1 },
		{ BIG + 12345, 65535, 1 },
		{ BIG + (1 << BIG_SHIFT) - 60, 60, 1 },
	};
	unsigned int i;

	knit_rig_setup(0, 1);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		push_seg(cases[i].addr, cases[i].len, 0);
		expect_one(KNI_STEP_FRAME);
		ck_assert_uint_eq(knit_rig.frame.len, cases[i].len);
		ck_assert_uint_eq(knit_rig.frame.n_runs, cases[i].runs);
		ck_assert_uint_eq(knit_rig_bytes(knit_rig.frame.run, knit_rig.frame.n_runs),
				  cases[i].len);
		knit_rig_same(knit_rig.frame.run, knit_rig.frame.n_runs, cases[i].addr);
		ck_assert_int_eq(kni_iter_next(&knit_rig.walk, &knit_rig.frame), KNI_STEP_END);
		ck_assert_uint_eq(end_walk(), 0);
		expect_cookies(i, 1);
	}
	knit_rig_teardown();
}
END_TEST

/* As many runs as a frame can have: every segment on three pages. */
START_TEST(most_runs)
{
	__u32 left = KNIT_FRAME_MAX, i, len;

	knit_rig_setup(0, 1);
	for (i = 0; i < KNIT_DESC_MAX_SEGS; i++) {
		len = i < 15 ? PAGE + 2 : 2;
		if (i == KNIT_DESC_MAX_SEGS - 1)
			len = left;
		left -= len;
		push_seg(SMALL + PAGE - 1, len, i < KNIT_DESC_MAX_SEGS - 1 ? KNIT_DESC_MORE : 0);
	}
	expect_one(KNI_STEP_FRAME);
	ck_assert_uint_eq(knit_rig.frame.len, KNIT_FRAME_MAX);
	ck_assert_uint_eq(knit_rig_bytes(knit_rig.frame.run, knit_rig.frame.n_runs),
			  KNIT_FRAME_MAX);
	ck_assert_uint_gt(knit_rig.frame.n_runs, KNI_RUNS - 5);
	ck_assert_uint_eq(end_walk(), 0);
	expect_cookies(0, KNIT_DESC_MAX_SEGS);
	knit_rig_teardown();
}
END_TEST

START_TEST(addresses)
{
	static const struct {
		__u64 addr;
		__u32 len;
	} bad[] = {
		{ 0, 60 },
		{ NOWHERE, 60 },
		{ SMALL - 1, 60 },
		{ SMALL + N_PAGES * PAGE, 60 },
		{ SMALL + N_PAGES * PAGE - 59, 60 },
		{ BIG - 1, 60 },
		{ BIG + (1 << BIG_SHIFT) - 60, 61 },
		{ ~0ull, 60 },
		{ ~0ull - 58, 60 },
	};
	unsigned int i;

	knit_rig_setup(0, 1);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		push_seg(bad[i].addr, bad[i].len, 0);
		expect_reject(KNIT_REJECT_BAD_ADDR, 1);
		/* also as the last of a chain */
		push_seg(SMALL, 60, KNIT_DESC_MORE);
		push_seg(bad[i].addr, bad[i].len, 0);
		expect_reject(KNIT_REJECT_BAD_ADDR, 2);
	}
	knit_rig_teardown();
}
END_TEST

START_TEST(chains)
{
	__u32 i;

	knit_rig_setup(0, 1);
	/* one segment too many */
	for (i = 0; i <= KNIT_DESC_MAX_SEGS; i++)
		push_seg(SMALL, 10, i < KNIT_DESC_MAX_SEGS ? KNIT_DESC_MORE : 0);
	expect_reject(KNIT_REJECT_BAD_CHAIN, KNIT_DESC_MAX_SEGS + 1);
	/* its end was not submitted */
	push_seg(SMALL, 10, KNIT_DESC_MORE);
	expect_reject(KNIT_REJECT_BAD_CHAIN, 1);
	/* too long as a whole; the sum is not taken further */
	for (i = 0; i < 60; i++)
		push_seg(BIG, 65535, i < 59 ? KNIT_DESC_MORE : 0);
	expect_reject(KNIT_REJECT_BAD_LEN, 60);
	for (i = 0; i < 60; i++)
		push_seg(SMALL + 1, 65535, i < 59 ? KNIT_DESC_MORE : 0);
	expect_reject(KNIT_REJECT_BAD_LEN, 60);
	/* empty ones anywhere but first, whatever they point to */
	push_seg(SMALL, 10, KNIT_DESC_MORE);
	push_seg(NOWHERE, 0, KNIT_DESC_MORE);
	push_seg(SMALL + 10, 10, KNIT_DESC_MORE);
	push_seg(~0ull, 0, 0);
	expect_one(KNI_STEP_FRAME);
	ck_assert_uint_eq(knit_rig.frame.len, 20);
	ck_assert_uint_eq(knit_rig.frame.n_runs, 2);
	ck_assert_uint_eq(end_walk(), 0);
	expect_cookies(knit_rig.next_cookie - 4, 4);
	push_seg(SMALL, 0, 0);
	expect_reject(KNIT_REJECT_BAD_LEN, 1);
	knit_rig_teardown();
}
END_TEST

/* A chain that goes on behind the window of a poll is left for the next one. */
START_TEST(window)
{
	__u32 i;

	knit_rig_setup(0, 1);
	for (i = 0; i < KNI_PEEK - 10; i++)
		push_seg(SMALL, 60, 0);
	for (i = 0; i < 20; i++)
		push_seg(SMALL, 60, i < 19 ? KNIT_DESC_MORE : 0);
	ck_assert_uint_eq(kni_iter_begin(&knit_rig.walk), KNI_PEEK);
	for (i = 0; i < KNI_PEEK - 10; i++)
		ck_assert_int_eq(kni_iter_next(&knit_rig.walk, &knit_rig.frame), KNI_STEP_FRAME);
	ck_assert_int_eq(kni_iter_next(&knit_rig.walk, &knit_rig.frame), KNI_STEP_END);
	ck_assert_uint_eq(end_walk(), 0);
	expect_cookies(0, KNI_PEEK - 10);
	expect_one(KNI_STEP_FRAME);
	ck_assert_uint_eq(knit_rig.frame.len, 20 * 60);
	ck_assert_uint_eq(end_walk(), 0);
	expect_cookies(KNI_PEEK - 10, 20);
	knit_rig_teardown();
}
END_TEST

/* A ring full of MORE: each poll gets rid of a window. */
START_TEST(endless_chain)
{
	__u32 i;

	knit_rig_setup(0, 1);
	for (i = 0; i < KNI_RIG_RING; i++)
		push_seg(SMALL, 60, KNIT_DESC_MORE);
	for (i = 0; i < KNI_RIG_RING; i += KNI_PEEK) {
		expect_one(KNI_STEP_REJECT);
		ck_assert_int_eq(knit_rig.frame.why, KNIT_REJECT_BAD_CHAIN);
		ck_assert_uint_eq(end_walk(), 0);
		expect_cookies(i, KNI_PEEK);
	}
	ck_assert_uint_eq(kni_iter_begin(&knit_rig.walk), 0);
	knit_rig_teardown();
}
END_TEST

START_TEST(undo)
{
	knit_rig_setup(0, 1);
	push_seg(SMALL, 60, 0);
	push_seg(SMALL, 61, KNIT_DESC_MORE);
	push_seg(SMALL, 62, 0);
	expect_one(KNI_STEP_FRAME);
	ck_assert_int_eq(kni_iter_next(&knit_rig.walk, &knit_rig.frame), KNI_STEP_FRAME);
	kni_iter_undo(&knit_rig.walk, 1);
	ck_assert_uint_eq(end_walk(), 0);
	expect_cookies(0, 1);
	expect_one(KNI_STEP_FRAME);
	ck_assert_uint_eq(knit_rig.frame.len, 123);
	kni_iter_undo(&knit_rig.walk, 0);
	ck_assert_uint_eq(end_walk(), 0);
	expect_cookies(0, 0);
	knit_rig_teardown();
}
END_TEST

/* An owner that leaves no room in free_q loses its cookies, counted, and nothing else. */
START_TEST(no_room_for_cookies)
{
	const struct knit_desc *d;
	__u32 i;

	knit_rig_setup(0, 1);
	for (i = 0; i < KNI_RIG_RING - 3; i++)
		knit_rig_push(&knit_rig.free_q, (struct knit_desc){ 0 });
	for (i = 0; i < 5; i++)
		push_seg(SMALL, 60, 0);
	expect_one(KNI_STEP_FRAME);
	for (i = 1; i < 5; i++)
		ck_assert_int_eq(kni_iter_next(&knit_rig.walk, &knit_rig.frame), KNI_STEP_FRAME);
	ck_assert_uint_eq(end_walk(), 2);
	ck_assert_uint_eq(knit_ring_peek(&knit_rig.free_user, KNI_RIG_RING), KNI_RIG_RING);
	/* and what was there before is still there */
	for (i = 0; i < KNI_RIG_RING - 3; i++) {
		d = knit_ring_entry(&knit_rig.free_user, i);
		ck_assert_uint_eq(d->cookie, i);
	}
	knit_rig_teardown();
}
END_TEST

static struct knit_desc gso_desc(void)
{
	return (struct knit_desc){
		.addr = SMALL,
		.len = 9000,
		.flags = KNIT_DESC_CSUM_PARTIAL,
		.csum_start = 34,
		.csum_offset = 16,
		.gso_type = KNIT_GSO_TCPV4,
		.gso_size = 1448,
		.hdr_len = 54,
	};
}

static enum knit_reject verdict(struct knit_desc d)
{
	knit_rig_push(&knit_rig.rx_user, d);
	ck_assert_uint_eq(kni_iter_begin(&knit_rig.walk), 1);
	knit_rig.frame.why = KNIT_REJECT_COUNT;
	if (kni_iter_next(&knit_rig.walk, &knit_rig.frame) == KNI_STEP_FRAME)
		ck_assert_int_eq(knit_rig.frame.why, KNIT_REJECT_NONE);
	kni_iter_end(&knit_rig.walk);
	expect_cookies(knit_rig.next_cookie - 1, 1);
	return knit_rig.frame.why;
}

START_TEST(offloads)
{
	struct knit_desc d;

	knit_rig_setup(KNIT_FEAT_ALL, KNIT_DESC_MAX_SEGS);
	d = gso_desc();
	ck_assert_int_eq(verdict(d), KNIT_REJECT_NONE);
	d.gso_type |= KNIT_GSO_ECN;
	ck_assert_int_eq(verdict(d), KNIT_REJECT_NONE);
	d.gso_size = 0xffff;
	ck_assert_int_eq(verdict(d), KNIT_REJECT_BAD_GSO);
	d = gso_desc();
	d.gso_size = (d.len - d.hdr_len) / KNIT_GSO_MAX_SEGS;
	ck_assert_int_eq(verdict(d), KNIT_REJECT_BAD_GSO);
	d.gso_size++;
	ck_assert_int_eq(verdict(d), KNIT_REJECT_NONE);
	d = gso_desc();
	d.csum_offset = 6;
	ck_assert_int_eq(verdict(d), KNIT_REJECT_BAD_GSO);
	d = gso_desc();
	d.hdr_len = 53;
	ck_assert_int_eq(verdict(d), KNIT_REJECT_BAD_GSO);
	d = gso_desc();
	d.gso_type = KNIT_GSO_UDP_L4;
	ck_assert_int_eq(verdict(d), KNIT_REJECT_BAD_GSO);
	d.csum_offset = 6;
	d.hdr_len = 42;
	ck_assert_int_eq(verdict(d), KNIT_REJECT_NONE);
	d.hdr_len = 41;
	ck_assert_int_eq(verdict(d), KNIT_REJECT_BAD_GSO);

	knit_rig.walk.features = KNIT_FEAT_ALL & ~KNIT_FEAT_TSO;
	ck_assert_int_eq(verdict(gso_desc()), KNIT_REJECT_BAD_GSO);
	knit_rig.walk.features = KNIT_FEAT_TSO;
	ck_assert_int_eq(verdict(gso_desc()), KNIT_REJECT_BAD_FLAGS);
	knit_rig.walk.features = 0;
	d = gso_desc();
	d.gso_type = KNIT_GSO_NONE;
	ck_assert_int_eq(verdict(d), KNIT_REJECT_BAD_FLAGS);
	knit_rig_teardown();
}
END_TEST

START_TEST(loopback_takes_short_frames)
{
	struct knit_desc d = { .addr = SMALL };

	knit_rig_setup(KNIT_FEAT_ALL, 1);
	knit_rig.walk.loopback = true;
	for (d.len = 0; d.len < 20; d.len++) {
		d.flags = 0;
		ck_assert_int_eq(verdict(d), KNIT_REJECT_NONE);
		ck_assert_uint_eq(knit_rig.frame.len, d.len);
		ck_assert_uint_eq(knit_rig.frame.n_runs, d.len ? 1 : 0);
		d.flags = KNIT_DESC_CSUM_PARTIAL;
		ck_assert_int_ne(verdict(d), KNIT_REJECT_NONE);
	}
	d.flags = 0;
	d.len = 65536;
	ck_assert_int_eq(verdict(d), KNIT_REJECT_BAD_LEN);
	knit_rig_teardown();
}
END_TEST

/* TCP or UDP behind IP at l3, and zeros. */
static void headers(uint8_t *h, uint32_t l3, uint16_t type, uint8_t proto)
{
	h[l3 - 2] = type >> 8;
	h[l3 - 1] = type & 0xff;
	h[l3] = type == 0x0800 ? 0x45 : 0x60;
	h[l3 + (type == 0x0800 ? 9 : 6)] = proto;
	h[l3 + (type == 0x0800 ? 20 : 40) + 12] = 0x50;
}

static bool fits(const uint8_t *h, uint8_t gso_type, uint16_t l4, uint8_t hdr_len)
{
	struct knit_desc d = { .gso_type = gso_type, .csum_start = l4, .hdr_len = hdr_len };

	/* nor without the last byte of them */
	ck_assert(!kni_frame_gso_fits(&d, h, hdr_len - 1u));
	return kni_frame_gso_fits(&d, h, hdr_len);
}

START_TEST(headers_are_what_is_said)
{
	uint8_t v4[256] = { 0 }, v6[256] = { 0 }, tag[256] = { 0 };
	uint16_t l4;

	headers(v4, 14, 0x0800, 6);
	headers(v6, 14, 0x86dd, 17);
	headers(tag, 22, 0x0800, 6);
	tag[12] = 0x88; /* 802.1ad, 802.1Q */
	tag[13] = 0xa8;
	tag[16] = 0x81;
	for (l4 = 14; l4 < 236; l4++) {
		ck_assert(fits(v4, KNIT_GSO_TCPV4, l4, l4 + 20) == (l4 == 34));
		ck_assert(fits(v6, KNIT_GSO_UDP_L4, l4, l4 + 8) == (l4 == 54));
		ck_assert(fits(tag, KNIT_GSO_TCPV4, l4, l4 + 20) == (l4 == 42));
		ck_assert(fits(v4, KNIT_GSO_TCPV4, l4, 54) == (l4 == 34));
		ck_assert(fits(v6, KNIT_GSO_UDP_L4, l4, 62) == (l4 == 54));
	}
	ck_assert(!fits(v4, KNIT_GSO_TCPV6, 34, 54));
	ck_assert(!fits(v4, KNIT_GSO_UDP_L4, 34, 42));
	ck_assert(!fits(v6, KNIT_GSO_TCPV6, 54, 74));
	ck_assert(!fits(v4, KNIT_GSO_TCPV4, 34, 53));
	ck_assert(!fits(v4, KNIT_GSO_TCPV4, 34, 55));
	ck_assert(!fits(v6, KNIT_GSO_UDP_L4, 54, 61));
	ck_assert(!fits(v6, KNIT_GSO_UDP_L4, 54, 63));
}
END_TEST

START_TEST(headers_that_lie)
{
	struct knit_desc d = { .gso_type = KNIT_GSO_TCPV4, .csum_start = 34, .hdr_len = 50 };
	uint8_t v4[256] = { 0 }, v6[256] = { 0 };

	headers(v4, 14, 0x0800, 6);
	headers(v6, 14, 0x86dd, 6);
	ck_assert(fits(v6, KNIT_GSO_TCPV6, 54, 74));
	ck_assert(!fits(v6, KNIT_GSO_TCPV4, 54, 74));
	v6[14] = 0x40; /* version */
	ck_assert(!fits(v6, KNIT_GSO_TCPV6, 54, 74));
	v4[14] = 0x65;
	ck_assert(!fits(v4, KNIT_GSO_TCPV4, 34, 54));
	v4[14] = 0x44; /* IP ends inside itself */
	v4[42] = 0x50;
	ck_assert(!fits(v4, KNIT_GSO_TCPV4, 30, 50));
	v4[14] = 0x45;
	v4[46] = 0x40; /* so does TCP */
	ck_assert(!kni_frame_gso_fits(&d, v4, sizeof(v4)));
}
END_TEST

START_TEST(headers_with_options)
{
	uint8_t v4[256] = { 0 }, v6[256] = { 0 };

	headers(v4, 14, 0x0800, 6);
	v4[46] = 0x80;
	ck_assert(fits(v4, KNIT_GSO_TCPV4, 34, 66));
	v4[14] = 0x46;
	v4[50] = 0x50;
	ck_assert(fits(v4, KNIT_GSO_TCPV4, 38, 58));
	v4[21] = 1; /* a later fragment */
	ck_assert(!fits(v4, KNIT_GSO_TCPV4, 38, 58));
	headers(v6, 14, 0x86dd, 0);
	v6[54] = 17; /* UDP, behind 16 bytes of hop-by-hop options */
	v6[55] = 1;
	ck_assert(fits(v6, KNIT_GSO_UDP_L4, 70, 78));
	v6[20] = 44; /* a fragment */
	ck_assert(!fits(v6, KNIT_GSO_UDP_L4, 70, 78));
}
END_TEST

KNIT_SUITE(kni_frame)
{
	knit_add_test(s, "runs of a segment", runs_of_a_segment, 0);
	knit_add_test(s, "most runs", most_runs, 0);
	knit_add_test(s, "addresses", addresses, 0);
	knit_add_test(s, "chains", chains, 0);
	knit_add_test(s, "window", window, 0);
	knit_add_test(s, "endless chain", endless_chain, 0);
	knit_add_test(s, "undo", undo, 0);
	knit_add_test(s, "no room for cookies", no_room_for_cookies, 0);
	knit_add_test(s, "offloads", offloads, 0);
	knit_add_test(s, "headers are what is said", headers_are_what_is_said, 0);
	knit_add_test(s, "headers that lie", headers_that_lie, 0);
	knit_add_test(s, "headers with options", headers_with_options, 0);
	knit_add_test(s, "loopback takes short frames", loopback_takes_short_frames, 0);
}
