// SPDX-License-Identifier: BSD-3-Clause
#include "unit.h"

#include "kni/engine/tap/tap.h"
#include "kni/offload/offload_soft.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Frames of a worker into the kernel. The kernel is the far end of a socket that keeps datagrams
 * apart, as a tap device does. What the engine adds to pure/frame.h: one write for the segments of
 * a good frame, many writes with one call, rows of frames that become one, and its own reasons to
 * refuse a frame. All cookies come back.
 */
#define RING 256
#define FRAME 64
#define FRAMES 200
#define VNET sizeof(struct virtio_net_hdr)

static struct {
	_Alignas(64) char rx_mem[sizeof(struct knit_ring_shm) + RING * sizeof(struct knit_desc)];
	_Alignas(64) char free_mem[sizeof(struct knit_ring_shm) + RING * sizeof(struct knit_desc)];
	uint8_t frame[FRAMES][FRAME];
	uint8_t got[VNET + 64 * FRAME];
	struct knit_region_table *regions;
	struct knit_tap_scratch *scratch;
	struct knit_tap_io *io;
	struct knit_tap_pair p;
	struct knit_ring user, back; /* the user side's ends */
	uint32_t n;		     /* descriptors put into rx_q */
	int kernel;
	struct knit_tap_iface iface; /* last, because it has no fixed size */
} rig;

static void setup(void)
{
	static const struct knit_region_table none;
	int fd[2];

	memset(&rig, 0, sizeof(rig));
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fd), 0);
	rig.kernel = fd[0];
	rig.regions = knit_region_add(&none, (uintptr_t)rig.frame,
				      (uintptr_t)rig.frame + sizeof(rig.frame));
	rig.scratch = knit_tap_scratch_new();
	rig.io = knit_tap_io_new(true);
	ck_assert(rig.regions && rig.scratch && rig.io);
	knit_ring_bind(&rig.p.rx_q, rig.rx_mem, RING, sizeof(struct knit_desc));
	knit_ring_bind(&rig.p.free_q, rig.free_mem, RING, sizeof(struct knit_desc));
	knit_ring_bind(&rig.user, rig.rx_mem, RING, sizeof(struct knit_desc));
	knit_ring_bind(&rig.back, rig.free_mem, RING, sizeof(struct knit_desc));
	rig.p.fd = fd[1];
	rig.p.iface = &rig.iface;
	rig.p.stats = &rig.p.own_stats;
	rig.p.user_doorbell = KNIT_DOORBELL_NONE;
}

/* A system call for each frame. */
static void setup_single(void)
{
	setup();
	knit_tap_io_free(rig.io);
	rig.io = knit_tap_io_new(false);
	ck_assert_ptr_nonnull(rig.io);
}

static void teardown(void)
{
	close(rig.kernel);
	close(rig.p.fd);
	free(rig.scratch);
	knit_tap_io_free(rig.io);
	free(rig.regions);
}

/* Bytes at..at+len of a frame; -1: none of it. */
static void put(int frame, int at, uint32_t len, uint16_t flags)
{
	struct knit_desc d = { .cookie = rig.n, .len = len, .flags = flags };

	if (at >= 0)
		d.addr = (uintptr_t)&rig.frame[frame][at];
	if (flags & KNIT_DESC_CSUM_PARTIAL)
		d.csum_start = 34;
	memcpy(knit_ring_entry(&rig.user, rig.n++), &d, sizeof(d));
}

static void submit(void)
{
	knit_ring_submit(&rig.user, rig.n - rig.user.prod);
}

static bool serve(void)
{
	return knit_tap_rx(&rig.p, rig.scratch, rig.io, rig.regions);
}

/* The next frame that the kernel got: its length, or -1. */
static int next_frame(void)
{
	ssize_t n = recv(rig.kernel, rig.got, sizeof(rig.got), 0);

	return n < (ssize_t)VNET ? -1 : (int)(n - VNET);
}

static void all_cookies_are_back(void)
{
	struct knit_desc d;
	uint32_t i;

	ck_assert_uint_eq(knit_ring_peek(&rig.back, RING), rig.n);
	for (i = 0; i < rig.n; i++) {
		knit_desc_load(&d, knit_ring_entry(&rig.back, i));
		ck_assert_uint_eq(d.cookie, i);
	}
}

START_TEST(good_and_bad)
{
	memset(rig.frame[0], 7, FRAME);
	put(0, 0, 20, KNIT_DESC_MORE);
	put(0, -1, 0, KNIT_DESC_MORE);
	put(0, 20, FRAME - 20, 0);
	put(FRAMES - 1, 1, FRAME, 0);			/* ends outside the region */
	put(0, 0, FRAME, KNIT_DESC_CSUM_PARTIAL);	/* which the interface does not have */
	put(0, 0, 12, KNIT_DESC_MORE | KNIT_DESC_VLAN); /* the tag goes between two segments */
	put(0, 12, FRAME - 12, 0);
	submit();
	ck_assert(serve());
	ck_assert_uint_eq(rig.p.stats->rx_packets, 1);
	ck_assert_uint_eq(rig.p.stats->rejects[KNIT_REJECT_BAD_ADDR], 1);
	ck_assert_uint_eq(rig.p.stats->rejects[KNIT_REJECT_BAD_FLAGS], 1);
	ck_assert_uint_eq(rig.p.stats->rejects[KNIT_REJECT_BAD_LEN], 1);
	ck_assert_int_eq(next_frame(), FRAME);
	ck_assert_mem_eq(rig.got + VNET, rig.frame[0], FRAME);
	ck_assert_int_eq(next_frame(), -1);
	all_cookies_are_back();
	ck_assert(!serve());
}
END_TEST

/* More frames than a poll takes: each poll takes a batch, in order, and gives its mbufs back. */
START_TEST(many)
{
	uint32_t i, n, polls = 0;

	for (i = 0; i < FRAMES; i++) {
		memcpy(rig.frame[i], &i, sizeof(i));
		put(i, 0, FRAME, 0);
	}
	submit();
	for (n = 0; serve(); polls++) {
		for (; next_frame() == FRAME; n++)
			ck_assert_mem_eq(rig.got + VNET, rig.frame[n], FRAME);
		ck_assert_uint_eq(n, rig.p.stats->rx_packets);
		ck_assert_uint_eq(knit_ring_peek(&rig.back, FRAMES), n);
	}
	ck_assert_uint_eq(n, FRAMES);
	ck_assert_uint_eq(polls, (FRAMES + KNIT_TAP_BATCH - 1) / KNIT_TAP_BATCH);
	ck_assert_uint_eq(rig.p.stats->calls, rig.io->ring ? polls : FRAMES);
	all_cookies_are_back();
}
END_TEST

/* Frames that the kernel refuses are counted one by one, among those that it takes. */
START_TEST(some_refused)
{
	uint32_t i;

	for (i = 0; i < 10; i++) {
		put(i, 0, FRAME, 0);
	}
	submit();
	close(rig.kernel);
	ck_assert(serve());
	ck_assert_uint_eq(rig.p.stats->rx_packets, 0);
	ck_assert_uint_eq(rig.p.stats->rx_writes, 10);
	ck_assert_uint_eq(rig.p.stats->drops[KNIT_ENGINE_DROP_RX_KERNEL], 10);
	all_cookies_are_back();
}
END_TEST

/* A datagram of that flow; its first byte of payload is its number. */
static void make_datagram(uint8_t *d, uint32_t flow, uint8_t number)
{
	memset(d, 0, FRAME);
	memset(d, 0x22, 12);
	knit_put_be16(d + 12, 0x0800);
	d[14] = 0x45;
	knit_put_be16(d + 16, FRAME - 14);
	d[20] = 0x40;
	d[22] = 64;
	d[23] = 17;
	memset(d + 26, 10, 8);
	knit_csum_ipv4(d + 14, 20);
	knit_put_be16(d + 34, 1000 + flow);
	knit_put_be16(d + 36, 2000);
	knit_put_be16(d + 38, FRAME - 34);
	d[41] = 1;
	d[42] = number;
}

/* Takes what the kernel got; the datagrams of each flow are in order. Returns how many frames. */
static uint32_t expect_flows(uint32_t flows, uint8_t each)
{
	uint8_t seen[64] = { 0 };
	uint32_t frames = 0, flow, i;
	int len, k;

	while ((len = next_frame()) > 0) {
		frames++;
		flow = knit_get_be16(rig.got + VNET + 34) - 1000;
		ck_assert_uint_lt(flow, flows);
		for (k = 42; k < len; k += FRAME - 42)
			ck_assert_uint_eq(rig.got[VNET + k], seen[flow]++);
	}
	for (i = 0; i < flows; i++)
		ck_assert_uint_eq(seen[i], each);
	return frames;
}

static uint32_t merge(uint32_t flows, uint8_t each)
{
	uint32_t i;

	memset(&rig.iface.merge_to, 0x22, 6);
	rig.p.merge_udp = KNIT_TAP_MERGE_TRY;
	for (i = 0; i < flows * each; i++) {
		make_datagram(rig.frame[i], i % flows, i / flows);
		put(i, 0, FRAME, KNIT_DESC_CSUM_GOOD);
	}
	submit();
	while (serve())
		;
	ck_assert_uint_eq(rig.p.stats->rx_packets, flows * each);
	all_cookies_are_back();
	return expect_flows(flows, each);
}

/* Flows that take turns: each has a row of its own, as long as there are rows. */
START_TEST(rows)
{
	ck_assert_uint_eq(merge(16, 4), 16);
	ck_assert_uint_eq(rig.p.merge_udp, KNIT_TAP_MERGE_YES);
}
END_TEST

/* More flows than rows: less is merged, nothing lost, each flow in order. */
START_TEST(more_flows_than_rows)
{
	ck_assert_uint_eq(merge(20, 3), 60);
}
END_TEST

START_TEST(one_flow)
{
	ck_assert_uint_eq(merge(1, 60), 1);
}
END_TEST

static void add(Suite *s, const char *name, const TTest *test)
{
	knit_add_fixture_test(s, name, test, 0, setup, teardown);
	knit_add_fixture_test(s, name, test, 0, setup_single, teardown);
}

KNIT_SUITE(tap_rx)
{
	add(s, "good and bad ones", good_and_bad);
	add(s, "many", many);
	add(s, "some refused", some_refused);
	add(s, "a row for each flow", rows);
	add(s, "more flows than rows", more_flows_than_rows);
	add(s, "one flow", one_flow);
}
