// SPDX-License-Identifier: BSD-3-Clause
#include "kni_rig.h"

static void push_seg(__u64 addr, __u32 len, __u16 flags)
{
	knit_rig_push(&knit_rig.rx_user,
		      (struct knit_desc){ .addr = addr, .len = len, .flags = flags });
}

/* Takes the one frame that is there. */
static void take(void)
{
	ck_assert_uint_gt(knit_frames_begin(&knit_rig.iter.rx), 0);
	ck_assert(kni_frame_next(&knit_rig.iter, &knit_rig.frame));
	ck_assert_uint_eq(knit_rig.iter.rx.at, knit_rig.iter.rx.n);
	ck_assert_uint_eq(knit_frames_lost(&knit_rig.iter.rx), 0);
	knit_frames_end(&knit_rig.iter.rx);
	knit_ring_release(&knit_rig.free_user, knit_ring_peek(&knit_rig.free_user, KNI_RIG_RING));
}

static void expect_good(void)
{
	take();
	ck_assert_int_eq(knit_rig.frame.why, KNIT_REJECT_NONE);
}

static void expect_reject(enum knit_reject why)
{
	take();
	ck_assert_int_eq(knit_rig.frame.why, why);
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
		expect_good();
		ck_assert_uint_eq(knit_rig.frame.len, cases[i].len);
		ck_assert_uint_eq(knit_rig.frame.n_runs, cases[i].runs);
		ck_assert_uint_eq(knit_rig_bytes(knit_rig.frame.run, knit_rig.frame.n_runs),
				  cases[i].len);
		knit_rig_same(knit_rig.frame.run, knit_rig.frame.n_runs, cases[i].addr);
		ck_assert(!kni_frame_next(&knit_rig.iter, &knit_rig.frame));
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

/* As many runs as a frame can have: every segment on three pages. */
START_TEST(most_runs)
{
	struct knit_desc d = gso_desc();
	__u32 left = KNIT_BIG_FRAME_MAX, i;

	knit_rig_setup(KNIT_FEAT_KNOWN, 1);
	d.addr = SMALL + PAGE - 1;
	for (i = 0; i < KNIT_DESC_MAX_SEGS; i++) {
		d.len = i < 47 ? PAGE + 2 : 2;
		if (i == KNIT_DESC_MAX_SEGS - 1)
			d.len = left;
		left -= d.len;
		d.flags = (i ? 0 : KNIT_DESC_CSUM_PARTIAL) |
			  (i < KNIT_DESC_MAX_SEGS - 1 ? KNIT_DESC_MORE : 0);
		knit_rig_push(&knit_rig.rx_user, d);
	}
	expect_good();
	ck_assert_uint_eq(knit_rig.frame.len, KNIT_BIG_FRAME_MAX);
	ck_assert_uint_eq(knit_rig_bytes(knit_rig.frame.run, knit_rig.frame.n_runs),
			  KNIT_BIG_FRAME_MAX);
	ck_assert_uint_gt(knit_rig.frame.n_runs, KNI_RUNS - 5);
	knit_rig_teardown();
}
END_TEST

static enum knit_reject big_verdict(struct knit_desc d, __u32 len)
{
	struct knit_desc more = { .addr = BIG };

	while (len) {
		d.addr = BIG;
		d.len = len < 60000 ? len : 60000;
		len -= d.len;
		d.flags |= len ? KNIT_DESC_MORE : 0;
		knit_rig_push(&knit_rig.rx_user, d);
		d = more;
	}
	take();
	return knit_rig.frame.why;
}

/* Only TCP that is to be cut, and only where the interface has it. */
START_TEST(big_frames)
{
	struct knit_desc tcp = gso_desc(), udp = tcp, plain = { 0 };

	udp.gso_type = KNIT_GSO_UDP_L4;
	udp.csum_offset = 6;
	udp.hdr_len = 42;
	knit_rig_setup(KNIT_FEAT_KNOWN, 1);
	ck_assert_int_eq(big_verdict(tcp, KNIT_BIG_FRAME_MAX), KNIT_REJECT_NONE);
	ck_assert_uint_eq(knit_rig.frame.len, KNIT_BIG_FRAME_MAX);
	ck_assert_int_eq(big_verdict(tcp, KNIT_BIG_FRAME_MAX + 1), KNIT_REJECT_BAD_LEN);
	ck_assert_int_eq(big_verdict(tcp, KNIT_FRAME_MAX + 1), KNIT_REJECT_NONE);
	ck_assert_int_eq(big_verdict(udp, KNIT_FRAME_MAX), KNIT_REJECT_NONE);
	ck_assert_int_eq(big_verdict(udp, KNIT_FRAME_MAX + 1), KNIT_REJECT_BAD_LEN);
	ck_assert_int_eq(big_verdict(plain, KNIT_FRAME_MAX), KNIT_REJECT_NONE);
	ck_assert_int_eq(big_verdict(plain, KNIT_FRAME_MAX + 1), KNIT_REJECT_BAD_LEN);
	/* the stack cuts it into no more segments than one of 64 KiB */
	tcp.gso_size = (KNIT_BIG_FRAME_MAX - tcp.hdr_len) / KNIT_GSO_MAX_SEGS;
	ck_assert_int_eq(big_verdict(tcp, KNIT_BIG_FRAME_MAX), KNIT_REJECT_BAD_GSO);
	tcp.gso_size++;
	ck_assert_int_eq(big_verdict(tcp, KNIT_BIG_FRAME_MAX), KNIT_REJECT_NONE);
	knit_rig.iter.features = KNIT_FEAT_ALL;
	ck_assert_int_eq(big_verdict(tcp, KNIT_FRAME_MAX), KNIT_REJECT_NONE);
	ck_assert_int_eq(big_verdict(tcp, KNIT_FRAME_MAX + 1), KNIT_REJECT_BAD_LEN);
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
		expect_reject(KNIT_REJECT_BAD_ADDR);
		/* also as the last of a chain */
		push_seg(SMALL, 60, KNIT_DESC_MORE);
		push_seg(bad[i].addr, bad[i].len, 0);
		expect_reject(KNIT_REJECT_BAD_ADDR);
	}
	knit_rig_teardown();
}
END_TEST

/* Too long as a whole: the rest of it gets no runs, and what it points to does not matter. */
START_TEST(too_long)
{
	__u32 i;

	knit_rig_setup(0, 1);
	for (i = 0; i < 60; i++)
		push_seg(i < 3 ? SMALL + 1 : NOWHERE, 65535, i < 59 ? KNIT_DESC_MORE : 0);
	expect_reject(KNIT_REJECT_BAD_LEN);
	for (i = 0; i < 60; i++)
		push_seg(BIG, 65535, i < 59 ? KNIT_DESC_MORE : 0);
	expect_reject(KNIT_REJECT_BAD_LEN);
	knit_rig_teardown();
}
END_TEST

static enum knit_reject verdict(struct knit_desc d)
{
	knit_rig_push(&knit_rig.rx_user, d);
	take();
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

	knit_rig.iter.features = KNIT_FEAT_ALL & ~KNIT_FEAT_TSO;
	ck_assert_int_eq(verdict(gso_desc()), KNIT_REJECT_BAD_GSO);
	d = gso_desc();
	d.flags |= KNIT_DESC_VLAN;
	knit_rig.iter.features = KNIT_FEAT_CSUM;
	ck_assert_int_eq(verdict(d), KNIT_REJECT_BAD_FLAGS);
	knit_rig.iter.features = KNIT_FEAT_CSUM | KNIT_FEAT_TSO | KNIT_FEAT_VLAN;
	ck_assert_int_eq(verdict(d), KNIT_REJECT_NONE);
	knit_rig_teardown();
}
END_TEST

START_TEST(loopback_takes_short_frames)
{
	struct knit_desc d = { .addr = SMALL };

	knit_rig_setup(KNIT_FEAT_ALL, 1);
	knit_rig.iter.rx.short_ok = true;
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
	ck_assert(!kni_frame_gso_fits(&d, h, hdr_len - 1u, 9000));
	return kni_frame_gso_fits(&d, h, hdr_len, 9000);
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
	ck_assert(!kni_frame_gso_fits(&d, v4, sizeof(v4), 9000));
}
END_TEST

/* Behind an option, which is how older kernels say the length, and without. */
START_TEST(headers_of_big_frames)
{
	struct knit_desc d4 = { .gso_type = KNIT_GSO_TCPV4, .csum_start = 34, .hdr_len = 54 };
	struct knit_desc d6 = { .gso_type = KNIT_GSO_TCPV6, .csum_start = 54, .hdr_len = 74 };
	struct knit_desc d6j = { .gso_type = KNIT_GSO_TCPV6, .csum_start = 62, .hdr_len = 82 };
	uint8_t v4[256] = { 0 }, v6[256] = { 0 }, v6j[256] = { 0 };

	headers(v4, 14, 0x0800, 6);
	headers(v6, 14, 0x86dd, 6);
	headers(v6j, 14, 0x86dd, 0);
	v6j[54] = 6;
	v6j[56] = 0xc2;
	v6j[57] = 4;
	v6j[62 + 12] = 0x50;
	ck_assert(kni_frame_gso_fits(&d4, v4, 54, KNIT_FRAME_MAX + 1));
	ck_assert(kni_frame_gso_fits(&d6, v6, 74, KNIT_FRAME_MAX + 1));
	ck_assert(kni_frame_gso_fits(&d6j, v6j, 82, KNIT_FRAME_MAX + 1));
	v4[17] = v6[19] = v6j[18] = 1;
	ck_assert(!kni_frame_gso_fits(&d4, v4, 54, KNIT_FRAME_MAX + 1));
	ck_assert(!kni_frame_gso_fits(&d6, v6, 74, KNIT_FRAME_MAX + 1));
	ck_assert(!kni_frame_gso_fits(&d6j, v6j, 82, KNIT_FRAME_MAX + 1));
	ck_assert(kni_frame_gso_fits(&d4, v4, 54, KNIT_FRAME_MAX));
	ck_assert(kni_frame_gso_fits(&d6, v6, 74, KNIT_FRAME_MAX));
	ck_assert(kni_frame_gso_fits(&d6j, v6j, 82, KNIT_FRAME_MAX));
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
	knit_add_test(s, "too long", too_long, 0);
	knit_add_test(s, "big frames", big_frames, 0);
	knit_add_test(s, "offloads", offloads, 0);
	knit_add_test(s, "headers are what is said", headers_are_what_is_said, 0);
	knit_add_test(s, "headers that lie", headers_that_lie, 0);
	knit_add_test(s, "headers of big frames", headers_of_big_frames, 0);
	knit_add_test(s, "headers with options", headers_with_options, 0);
	knit_add_test(s, "loopback takes short frames", loopback_takes_short_frames, 0);
}
