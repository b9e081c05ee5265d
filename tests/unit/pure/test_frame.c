// SPDX-License-Identifier: BSD-3-Clause
#include "unit.h"

#include "pure/frame.h"

#include <stdlib.h>
#include <string.h>

#define RING 512
#define BYTES 1000	       /* any address */
#define NOWHERE 0	       /* the one address that the engine here refuses */
#define START (UINT32_MAX - 2) /* of all indexes: they wrap early */

static struct knit_ring rx_user, rx_q, free_q, free_user;
static struct knit_frames frames;
static __u32 next_cookie;

/* What the last call of take found. */
static struct knit_desc first;
static struct knit_chain chain;
static __u32 pieces;

static void make_ring(struct knit_ring *producer, struct knit_ring *consumer)
{
	void *mem = aligned_alloc(64, knit_ring_bytes(RING, sizeof(struct knit_desc)));

	ck_assert_ptr_nonnull(mem);
	memset(mem, 0, knit_ring_bytes(RING, sizeof(struct knit_desc)));
	knit_ring_bind(producer, mem, RING, sizeof(struct knit_desc));
	knit_ring_bind(consumer, mem, RING, sizeof(struct knit_desc));
	knit_store(&producer->shm->producer, START);
	knit_store(&producer->shm->consumer, START);
	ck_assert(knit_ring_claim_producer(producer));
	ck_assert(knit_ring_claim_consumer(consumer));
}

static void setup(void)
{
	make_ring(&rx_user, &rx_q);
	make_ring(&free_q, &free_user);
	next_cookie = 0;
	frames = (struct knit_frames){ .rx_q = &rx_q, .free_q = &free_q };
}

static void teardown(void)
{
	free(rx_q.shm);
	free(free_q.shm);
}

static void push(struct knit_desc d)
{
	ck_assert_uint_eq(knit_ring_reserve(&rx_user, 1), 1);
	d.cookie = next_cookie++;
	*(struct knit_desc *)knit_ring_entry(&rx_user, rx_user.prod) = d;
	knit_ring_submit(&rx_user, 1);
}

/* n segments of a chain, len bytes each; its end is one of them or not. */
static void push_chain(__u32 n, __u32 len, bool ends)
{
	__u32 i;

	for (i = 1; i <= n; i++)
		push((struct knit_desc){
			.addr = BYTES, .len = len, .flags = i == n && ends ? 0 : KNIT_DESC_MORE });
}

/* As an engine does. */
static bool take(void)
{
	struct knit_desc d;

	pieces = 0;
	knit_chain_begin(&frames, &chain, &first);
	while (knit_chain_next(&frames, &chain, &d)) {
		ck_assert_uint_gt(d.len, 0);
		pieces++;
		if (d.addr == NOWHERE)
			chain.why = KNIT_REJECT_BAD_ADDR;
	}
	return knit_chain_end(&frames, &chain);
}

static void expect_good(__u32 len, __u32 n)
{
	ck_assert(take());
	ck_assert_int_eq(chain.why, KNIT_REJECT_NONE);
	ck_assert_uint_eq(chain.len, len);
	ck_assert_uint_eq(pieces, n);
}

/* Takes n cookies from free_q; they are first, first + 1, ... */
static void expect_cookies(__u32 from, __u32 n)
{
	const struct knit_desc *d;
	__u32 i;

	ck_assert_uint_eq(knit_ring_peek(&free_user, RING), n);
	for (i = 0; i < n; i++) {
		d = knit_ring_entry(&free_user, free_user.cons + i);
		ck_assert_uint_eq(d->cookie, from + i);
		ck_assert_uint_eq(d->addr, 0);
		ck_assert_uint_eq(d->len, 0);
	}
	knit_ring_release(&free_user, n);
}

static void expect_end(__u32 descs)
{
	ck_assert(!take());
	ck_assert_uint_eq(knit_frames_lost(&frames), 0);
	ck_assert_uint_eq(knit_ring_peek(&free_user, RING), 0);
	knit_frames_end(&frames);
	expect_cookies(free_q.prod - descs - START, descs);
}

/* All that is there is one bad frame. */
static void expect_reject(enum knit_reject why, __u32 descs)
{
	ck_assert_uint_eq(knit_frames_begin(&frames), descs);
	ck_assert(take());
	ck_assert_int_eq(chain.why, why);
	expect_end(descs);
}

START_TEST(nothing_there)
{
	ck_assert_uint_eq(knit_frames_begin(&frames), 0);
	expect_end(0);
}
END_TEST

START_TEST(frames_of_a_poll)
{
	push((struct knit_desc){ .addr = BYTES, .len = 60, .flags = KNIT_DESC_VLAN });
	push_chain(3, 100, true);
	push_chain(KNIT_DESC_MAX_SEGS, 1000, true);
	ck_assert_uint_eq(knit_frames_begin(&frames), 4 + KNIT_DESC_MAX_SEGS);
	expect_good(60, 1);
	ck_assert_uint_eq(first.cookie, 0);
	ck_assert_uint_eq(first.flags, KNIT_DESC_VLAN);
	expect_good(300, 3);
	ck_assert_uint_eq(first.cookie, 1);
	ck_assert_uint_eq(first.flags, KNIT_DESC_MORE);
	expect_good(KNIT_DESC_MAX_SEGS * 1000, KNIT_DESC_MAX_SEGS);
	expect_end(4 + KNIT_DESC_MAX_SEGS);
}
END_TEST

/* Anywhere but first, whatever they point to. */
START_TEST(empty_segments)
{
	push((struct knit_desc){ .addr = BYTES, .len = 10, .flags = KNIT_DESC_MORE });
	push((struct knit_desc){ .addr = NOWHERE, .flags = KNIT_DESC_MORE });
	push((struct knit_desc){ .addr = BYTES, .len = 10, .flags = KNIT_DESC_MORE });
	push((struct knit_desc){ .addr = NOWHERE });
	knit_frames_begin(&frames);
	expect_good(20, 2);
	expect_end(4);
	push((struct knit_desc){ .addr = BYTES, .flags = KNIT_DESC_MORE });
	push((struct knit_desc){ .addr = BYTES, .len = 60 });
	expect_reject(KNIT_REJECT_BAD_LEN, 2);
	/* a loopback takes them also first */
	frames.short_ok = true;
	push((struct knit_desc){ .addr = NOWHERE });
	knit_frames_begin(&frames);
	expect_good(0, 0);
	expect_end(1);
}
END_TEST

START_TEST(first_fault_counts)
{
	struct knit_desc good = { .addr = BYTES, .len = 60, .flags = KNIT_DESC_MORE };
	struct knit_desc lost = { .addr = NOWHERE, .len = 60, .flags = KNIT_DESC_MORE };
	struct knit_desc flag = { .addr = BYTES, .len = 60, .flags = 0x8001 };

	push(good);
	push(lost);
	push(flag);
	good.flags = 0;
	push(good);
	expect_reject(KNIT_REJECT_BAD_ADDR, 4);
	push(flag);
	push(lost);
	push(good);
	expect_reject(KNIT_REJECT_BAD_FLAGS, 3);
	lost.flags = 0;
	push(lost);
	expect_reject(KNIT_REJECT_BAD_ADDR, 1);
}
END_TEST

START_TEST(chains)
{
	push_chain(KNIT_DESC_MAX_SEGS + 1, 10, true);
	expect_reject(KNIT_REJECT_BAD_CHAIN, KNIT_DESC_MAX_SEGS + 1);
	push_chain(1, 10, false);
	expect_reject(KNIT_REJECT_BAD_CHAIN, 1);
	/* which counts more than any other fault */
	push((struct knit_desc){ .addr = NOWHERE, .len = 10, .flags = KNIT_DESC_MORE });
	expect_reject(KNIT_REJECT_BAD_CHAIN, 1);
	/* at its longest */
	push_chain(KNIT_PEEK - 1, KNIT_DESC_MAX_LEN, true);
	knit_frames_begin(&frames);
	ck_assert(take());
	ck_assert_int_eq(chain.why, KNIT_REJECT_BAD_CHAIN);
	ck_assert_uint_eq(chain.len, (KNIT_PEEK - 1) * KNIT_DESC_MAX_LEN);
	expect_end(KNIT_PEEK - 1);
}
END_TEST

/* A chain that goes on behind what a poll looks at is left for the next one. */
START_TEST(window)
{
	__u32 i;

	for (i = 0; i < KNIT_PEEK - 10; i++)
		push_chain(1, 60, true);
	push_chain(20, 60, true);
	ck_assert_uint_eq(knit_frames_begin(&frames), KNIT_PEEK);
	for (i = 0; i < KNIT_PEEK - 10; i++)
		expect_good(60, 1);
	expect_end(KNIT_PEEK - 10);
	ck_assert_uint_eq(knit_frames_begin(&frames), 20);
	expect_good(20 * 60, 20);
	expect_end(20);
}
END_TEST

/* A ring full of MORE: each poll gets rid of a window. */
START_TEST(endless_chain)
{
	__u32 i;

	push_chain(RING, 60, false);
	for (i = 0; i < RING; i += KNIT_PEEK)
		expect_reject(KNIT_REJECT_BAD_CHAIN, KNIT_PEEK);
	ck_assert_uint_eq(knit_frames_begin(&frames), 0);
}
END_TEST

START_TEST(set_back)
{
	push_chain(1, 60, true);
	push_chain(2, 61, true);
	knit_frames_begin(&frames);
	expect_good(60, 1);
	expect_good(122, 2);
	frames.at = 1;
	knit_frames_end(&frames);
	expect_cookies(0, 1);
	knit_frames_begin(&frames);
	expect_good(122, 2);
	frames.at = 0;
	knit_frames_end(&frames);
	expect_cookies(1, 0);
}
END_TEST

/* An owner that leaves no room in free_q loses its cookies, counted, and nothing else. */
START_TEST(no_room_for_cookies)
{
	const struct knit_desc *d;
	__u32 i;

	for (i = 0; i < RING - 3; i++)
		*(struct knit_desc *)knit_ring_entry(&free_q, START + i) =
			(struct knit_desc){ .cookie = i };
	knit_ring_submit(&free_q, RING - 3);
	for (i = 0; i < 5; i++)
		push_chain(1, 60, true);
	knit_frames_begin(&frames);
	for (i = 0; i < 5; i++)
		expect_good(60, 1);
	ck_assert_uint_eq(knit_frames_lost(&frames), 2);
	knit_frames_end(&frames);
	ck_assert_uint_eq(knit_ring_peek(&free_user, RING), RING);
	/* and what was there before is still there */
	for (i = 0; i < RING - 3; i++) {
		d = knit_ring_entry(&free_user, START + i);
		ck_assert_uint_eq(d->cookie, i);
	}
}
END_TEST

START_TEST(features)
{
	struct knit_desc d = { 0 };

	ck_assert_int_eq(knit_frame_check_features(&d, 9000, 0), KNIT_REJECT_NONE);
	d.flags = KNIT_DESC_CSUM_PARTIAL;
	ck_assert_int_eq(knit_frame_check_features(&d, 9000, KNIT_FEAT_CSUM), KNIT_REJECT_NONE);
	ck_assert_int_eq(knit_frame_check_features(&d, 9000, KNIT_FEAT_ALL & ~KNIT_FEAT_CSUM),
			 KNIT_REJECT_BAD_FLAGS);
	for (d.gso_type = KNIT_GSO_TCPV4; d.gso_type <= KNIT_GSO_UDP_L4; d.gso_type++) {
		__u32 needs = d.gso_type == KNIT_GSO_UDP_L4 ? KNIT_FEAT_USO : KNIT_FEAT_TSO;

		ck_assert_int_eq(knit_frame_check_features(&d, 9000, KNIT_FEAT_CSUM | needs),
				 KNIT_REJECT_NONE);
		ck_assert_int_eq(knit_frame_check_features(&d, 9000, KNIT_FEAT_ALL & ~needs),
				 KNIT_REJECT_BAD_GSO);
		ck_assert_int_eq(knit_frame_check_features(&d, 9000, needs), KNIT_REJECT_BAD_FLAGS);
	}
	d.gso_type = KNIT_GSO_TCPV4 | KNIT_GSO_ECN;
	ck_assert_int_eq(knit_frame_check_features(&d, 9000, KNIT_FEAT_CSUM | KNIT_FEAT_TSO),
			 KNIT_REJECT_NONE);
	ck_assert_int_eq(knit_frame_check_features(&d, KNIT_FRAME_MAX, KNIT_FEAT_ALL),
			 KNIT_REJECT_NONE);
	ck_assert_int_eq(knit_frame_check_features(&d, KNIT_FRAME_MAX + 1, KNIT_FEAT_ALL),
			 KNIT_REJECT_BAD_LEN);
	ck_assert_int_eq(knit_frame_check_features(&d, KNIT_FRAME_MAX + 1, KNIT_FEAT_KNOWN),
			 KNIT_REJECT_NONE);
}
END_TEST

START_TEST(buffers)
{
	static const struct {
		struct knit_desc desc;
		enum knit_reject expected;
	} cases[] = {
		{ { .len = KNIT_MIN_BUFFER }, KNIT_REJECT_NONE },
		{ { .len = KNIT_DESC_MAX_LEN }, KNIT_REJECT_NONE },
		{ { .len = 0 }, KNIT_REJECT_BAD_LEN },
		{ { .len = KNIT_MIN_BUFFER - 1 }, KNIT_REJECT_BAD_LEN },
		{ { .len = KNIT_DESC_MAX_LEN + 1 }, KNIT_REJECT_BAD_LEN },
		{ { .len = 2048, .flags = KNIT_DESC_MORE }, KNIT_REJECT_BAD_FLAGS },
		{ { .len = 2048, .reserved = 1 }, KNIT_REJECT_BAD_FLAGS },
	};
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_int_eq(knit_buffer_check(&cases[i].desc), cases[i].expected);
}
END_TEST

static void add(Suite *s, const char *name, const TTest *test)
{
	knit_add_fixture_test(s, name, test, 0, setup, teardown);
}

KNIT_SUITE(frame)
{
	add(s, "nothing there", nothing_there);
	add(s, "frames of a poll", frames_of_a_poll);
	add(s, "empty segments", empty_segments);
	add(s, "first fault counts", first_fault_counts);
	add(s, "chains", chains);
	add(s, "window", window);
	add(s, "endless chain", endless_chain);
	add(s, "set back", set_back);
	add(s, "no room for cookies", no_room_for_cookies);
	add(s, "features", features);
	add(s, "buffers", buffers);
}
