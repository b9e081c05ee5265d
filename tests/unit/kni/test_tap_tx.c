// SPDX-License-Identifier: BSD-3-Clause
#include "unit.h"

#include "kni/engine/tap/tap.h"
#include "kni/engine/tap/tap_region.h"
#include "kni/engine/tap/vnet.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Frames from the kernel into the buffers on offer. The kernel is the far end of a socket that
 * keeps datagrams apart, as a tap device does; so it may also send what a tap device never would.
 */
#define RING 128
#define BUFFER 2048
#define BUFFERS 64
#define VNET sizeof(struct virtio_net_hdr)

static struct {
	_Alignas(64) char alloc_mem[sizeof(struct knit_ring_shm) + RING * sizeof(struct knit_desc)];
	_Alignas(64) char tx_mem[sizeof(struct knit_ring_shm) + RING * sizeof(struct knit_desc)];
	uint8_t memory[BUFFERS * BUFFER];
	uint8_t sent[VNET + 2 * KNIT_FRAME_MAX + BUFFERS * BUFFER];
	struct knit_region_table *regions;
	struct knit_tap_pair p;
	struct knit_tap_io *io;
	struct knit_ring alloc_q, tx_q; /* the user side's ends */
	int kernel;
	struct knit_tap_iface iface; /* last, because it has no fixed size */
} rig;

static void bind_both(struct knit_ring *user, struct knit_ring *engine, void *mem)
{
	knit_ring_bind(user, mem, RING, sizeof(struct knit_desc));
	knit_ring_bind(engine, mem, RING, sizeof(struct knit_desc));
	knit_ring_reset(user);
}

/* Puts empty buffers on offer, all numbered; what else stands in their descriptors is junk. */
static void offer(unsigned int n, const struct knit_desc *junk)
{
	struct knit_desc d = junk ? *junk : (struct knit_desc){ 0 };
	uint32_t cookie;

	ck_assert_uint_eq(knit_ring_reserve(&rig.alloc_q, n), n);
	for (; n; n--) {
		cookie = rig.alloc_q.prod % BUFFERS;
		d.addr = (uintptr_t)rig.memory + cookie * BUFFER;
		d.len = BUFFER;
		d.cookie = cookie;
		memcpy(knit_ring_entry(&rig.alloc_q, rig.alloc_q.prod), &d, sizeof(d));
		knit_ring_submit(&rig.alloc_q, 1);
	}
}

static void setup(void)
{
	static const struct knit_region_table none;
	int fd[2], room = 1 << 20;

	memset(&rig, 0, sizeof(rig));
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fd), 0);
	setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	rig.kernel = fd[0];
	rig.regions = knit_region_add(&none, (uintptr_t)rig.memory,
				      (uintptr_t)rig.memory + sizeof(rig.memory));
	bind_both(&rig.alloc_q, &rig.p.alloc_q, rig.alloc_mem);
	bind_both(&rig.tx_q, &rig.p.tx_q, rig.tx_mem);
	rig.iface.max_segs = KNIT_DESC_MAX_SEGS;
	rig.iface.features = KNIT_FEAT_ALL;
	rig.p.fd = fd[1];
	rig.p.iface = &rig.iface;
	rig.p.stats = &rig.p.own_stats;
	rig.p.bound = true;
	rig.p.last_segs = 1;
	rig.p.user_doorbell = KNIT_DOORBELL_NONE;
	rig.p.bounce = malloc(KNIT_TAP_READS * KNIT_TAP_BOUNCE);
	rig.io = knit_tap_io_new(true);
	ck_assert(rig.p.bounce && rig.io);
}

/* One frame with each system call. */
static void setup_single(void)
{
	setup();
	rig.io->no_reads = true;
}

static bool reads_many(void)
{
	return knit_tap_io_reads(rig.io) > 1;
}

static void teardown(void)
{
	close(rig.kernel);
	close(rig.p.fd);
	free(rig.p.bounce);
	knit_tap_io_free(rig.io);
	free(rig.regions);
}

/* A header, NULL for an empty one, and len bytes of frame; negative: that much less than a header.
 */
static void kernel_sends(const struct virtio_net_hdr *h, int len)
{
	int i;

	memset(rig.sent, 0, VNET);
	if (h)
		memcpy(rig.sent, h, VNET);
	for (i = 0; i < len; i++)
		rig.sent[VNET + i] = i * 7 + (i >> 8);
	ck_assert_int_eq(send(rig.kernel, rig.sent, VNET + len, 0), VNET + len);
	rig.p.readable = true;
}

static void serve(void)
{
	knit_tap_tx(&rig.p, rig.io, rig.regions);
	ck_assert(!rig.p.dead);
}

/*
 * Takes a frame of that length from tx_q, in the buffers first, next, next + 1, and so on. All
 * frames that the kernel sends begin alike.
 */
static void expect_pieces(uint32_t first, uint32_t next, uint32_t len)
{
	uint32_t at = 0, cookie = first, n;
	struct knit_desc d;

	do {
		ck_assert_uint_eq(knit_ring_peek(&rig.tx_q, 1), 1);
		knit_desc_load(&d, knit_ring_entry(&rig.tx_q, rig.tx_q.cons));
		knit_ring_release(&rig.tx_q, 1);
		n = len - at < BUFFER ? len - at : BUFFER;
		ck_assert_uint_eq(d.cookie, cookie % BUFFERS);
		cookie = next++;
		ck_assert_uint_eq(d.len, n);
		ck_assert_mem_eq((void *)(uintptr_t)d.addr, rig.sent + VNET + at, n);
		ck_assert_uint_eq(d.flags, at + n < len ? KNIT_DESC_MORE : 0);
		ck_assert(d.vlan_tci == 0 && d.gso_size == 0 && d.gso_type == 0 && d.hdr_len == 0);
		ck_assert(d.hash == 0 && d.reserved == 0);
		at += n;
	} while (at < len);
}

/* In the buffers from cookie on. */
static void expect_frame(uint32_t cookie, uint32_t len)
{
	expect_pieces(cookie, cookie + 1, len);
}

static void expect_no_more(void)
{
	ck_assert_uint_eq(knit_ring_peek(&rig.tx_q, RING), 0);
}

/* Nothing came, no buffer was used up, and the next frame is a good one again. */
static void expect_drop(enum knit_engine_drop why)
{
	uint32_t before = rig.p.alloc_q.cons;

	serve();
	ck_assert_uint_eq(rig.p.stats->drops[why], 1);
	rig.p.stats->drops[why] = 0;
	ck_assert_uint_eq(knit_ring_peek(&rig.tx_q, RING), 0);
	ck_assert_uint_eq(rig.p.alloc_q.cons, before);
	kernel_sends(NULL, 60);
	serve();
	expect_frame(before, 60);
	ck_assert_uint_eq(knit_ring_peek(&rig.tx_q, RING), 0);
}

START_TEST(truncated)
{
	static const int lens[] = { -(int)VNET, 1 - (int)VNET, -1, 0, 1, KNIT_ETH_HLEN - 1 };
	unsigned int i;

	offer(BUFFERS, NULL);
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		kernel_sends(NULL, lens[i]);
		expect_drop(KNIT_ENGINE_DROP_TX_BAD_FRAME);
	}
	kernel_sends(NULL, KNIT_ETH_HLEN);
	serve();
	expect_frame(i, KNIT_ETH_HLEN);
}
END_TEST

START_TEST(oversized)
{
	offer(BUFFERS, NULL);
	kernel_sends(NULL, KNIT_FRAME_MAX + 1);
	expect_drop(KNIT_ENGINE_DROP_TX_BAD_FRAME);
	/* more than buffers and bounce buffer hold, so that its end is cut off */
	kernel_sends(NULL, 2 * KNIT_FRAME_MAX);
	expect_drop(KNIT_ENGINE_DROP_TX_BAD_FRAME);
	kernel_sends(NULL, KNIT_FRAME_MAX);
	serve();
	expect_frame(2, KNIT_FRAME_MAX);
}
END_TEST

START_TEST(longer_than_the_one_buffer)
{
	rig.iface.max_segs = 1;
	offer(BUFFERS, NULL);
	kernel_sends(NULL, BUFFER + 1);
	expect_drop(KNIT_ENGINE_DROP_TX_TOO_LONG);
	kernel_sends(NULL, BUFFER);
	serve();
	expect_frame(1, BUFFER);
}
END_TEST

START_TEST(headers_that_contradict)
{
	static const struct virtio_net_hdr bad[] = {
		{ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 59 },
		{ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 65535, .csum_offset = 65535 },
		{ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 13, .csum_offset = 16 },
		{ .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 10 }, /* without a checksum */
		{ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		  .gso_type = VIRTIO_NET_HDR_GSO_UDP_L4,
		  .csum_start = 34,
		  .csum_offset = 6 }, /* no size */
		{ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		  .gso_type = 77,
		  .gso_size = 10,
		  .csum_start = 34,
		  .csum_offset = 6 },
	};
	unsigned int i;

	offer(BUFFERS, NULL);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		kernel_sends(&bad[i], 60);
		expect_drop(KNIT_ENGINE_DROP_TX_BAD_FRAME);
	}
}
END_TEST

/* Of a buffer's descriptor only its place and its cookie become part of a frame. */
START_TEST(blank)
{
	static const struct knit_desc junk = {
		.vlan_tci = 5, .gso_size = 6, .gso_type = KNIT_GSO_TCPV4, .hdr_len = 7, .hash = 8
	};
	unsigned int i, at = 0;

	offer(BUFFERS, &junk);
	/* the first of three is read into one buffer and the bounce buffer, the next ones directly
	 */
	for (i = 0; i < 3; i++) {
		kernel_sends(NULL, 6 * BUFFER - 1);
		serve();
		expect_frame(at, 6 * BUFFER - 1);
		at += 6;
	}
}
END_TEST

/* A frame waits in the bounce buffer until there are enough buffers. */
START_TEST(waits_for_buffers)
{
	offer(2, NULL);
	kernel_sends(NULL, 4 * BUFFER);
	serve();
	ck_assert_uint_eq(knit_ring_peek(&rig.tx_q, RING), 0);
	ck_assert_uint_eq(rig.p.starved, 1);
	offer(1, NULL);
	serve();
	ck_assert_uint_eq(knit_ring_peek(&rig.tx_q, RING), 0);
	offer(2, NULL);
	serve();
	expect_frame(0, 4 * BUFFER);
	ck_assert_uint_eq(rig.p.starved, 0);
}
END_TEST

/* It goes back at once, empty, and the frame into the buffers behind it. */
START_TEST(bad_buffers)
{
	struct knit_desc d, bad[] = {
		{ .addr = 1, .len = BUFFER, .cookie = 40 },
		{ .addr = (uintptr_t)rig.memory + sizeof(rig.memory) - BUFFER + 1,
		  .len = BUFFER,
		  .cookie = 41 },
		{ .addr = (uintptr_t)rig.memory, .len = KNIT_MIN_BUFFER - 1, .cookie = 42 },
		{ .addr = (uintptr_t)rig.memory, .len = BUFFER, .flags = 1, .cookie = 43 },
		{ .addr = (uintptr_t)rig.memory, .len = BUFFER, .reserved = 1, .cookie = 44 },
	};
	const unsigned int n = sizeof(bad) / sizeof(bad[0]);
	unsigned int i;

	for (i = 0; i < n; i++)
		memcpy(knit_ring_entry(&rig.alloc_q, i), &bad[i], sizeof(bad[i]));
	knit_ring_submit(&rig.alloc_q, n);
	offer(BUFFERS - n, NULL);
	kernel_sends(NULL, 60);
	/* one of them ends a visit */
	for (i = 0; i <= n; i++)
		serve();
	for (i = 0; i < n; i++) {
		knit_desc_load(&d, knit_ring_entry(&rig.tx_q, i));
		ck_assert(d.cookie == bad[i].cookie && d.len == 0 && d.flags == 0);
	}
	ck_assert_uint_eq(knit_ring_peek(&rig.tx_q, RING), n + 1);
	knit_ring_release(&rig.tx_q, n);
	expect_frame(n, 60);
	ck_assert_uint_eq(rig.p.stats->rejects[KNIT_REJECT_BAD_ADDR], 2);
	ck_assert_uint_eq(rig.p.stats->rejects[KNIT_REJECT_BAD_LEN], 1);
	ck_assert_uint_eq(rig.p.stats->rejects[KNIT_REJECT_BAD_FLAGS], 2);
}
END_TEST

/* All are there after one visit, and two runs of reads; each in its own buffer. */
START_TEST(many)
{
	static const unsigned int lens[] = { 60, 1500, 61, BUFFER, 200, 62, 63, 64, 65, 66 };
	const unsigned int n = sizeof(lens) / sizeof(lens[0]);
	unsigned int i;

	offer(BUFFERS, NULL);
	for (i = 0; i < n; i++)
		kernel_sends(NULL, lens[i]);
	serve();
	ck_assert(!rig.p.readable);
	for (i = 0; i < n; i++)
		expect_frame(i, lens[i]);
	expect_no_more();
	ck_assert_uint_eq(rig.p.stats->tx_packets, n);
	ck_assert_uint_eq(rig.p.alloc_q.cons, n);
}
END_TEST

/*
 * The first and the last of four frames need more than the one buffer each was read into: further
 * ones, from behind those of all four.
 */
START_TEST(many_and_large_ones)
{
	const unsigned int big = 3 * BUFFER - 5;

	offer(BUFFERS, NULL);
	rig.p.expected = 8;
	kernel_sends(NULL, big);
	kernel_sends(NULL, 60);
	kernel_sends(NULL, 61);
	kernel_sends(NULL, big);
	serve();
	if (reads_many()) {
		expect_pieces(0, 4, big);
		expect_pieces(1, 0, 60);
		expect_pieces(2, 0, 61);
		expect_pieces(3, 6, big);
	} else {
		expect_frame(0, big);
		expect_frame(3, 60);
		expect_frame(4, 61);
		expect_frame(5, big);
	}
	expect_no_more();
	ck_assert_uint_eq(rig.p.alloc_q.cons, 8);
	kernel_sends(NULL, 70);
	serve();
	expect_frame(8, 70);
}
END_TEST

/* Frames behind one that waits for buffers were read, too. They wait with it, in order. */
START_TEST(many_wait_for_buffers)
{
	if (!reads_many())
		return;
	offer(3, NULL);
	rig.p.expected = 8;
	kernel_sends(NULL, 2 * BUFFER);
	kernel_sends(NULL, 60);
	kernel_sends(NULL, 61);
	serve();
	expect_no_more();
	ck_assert_uint_eq(rig.p.starved, 1);
	ck_assert_uint_eq(rig.p.alloc_q.cons, 0);
	serve();
	expect_no_more();
	offer(1, NULL);
	serve();
	expect_pieces(0, 3, 2 * BUFFER);
	expect_frame(1, 60);
	expect_frame(2, 61);
	expect_no_more();
	ck_assert_uint_eq(rig.p.alloc_q.cons, 4);
}
END_TEST

/* The kernel has no more, but the second one waits: the thread must come back to it. */
START_TEST(last_one_waits_for_buffers)
{
	if (!reads_many())
		return;
	offer(3, NULL);
	rig.p.expected = 8;
	kernel_sends(NULL, 2 * BUFFER);
	kernel_sends(NULL, 2 * BUFFER);
	serve();
	ck_assert_uint_eq(rig.p.starved, 1);
	ck_assert(rig.p.readable);
	expect_pieces(0, 2, 2 * BUFFER);
	offer(2, NULL); /* one more, to see that the kernel has nothing */
	serve();
	expect_pieces(1, 3, 2 * BUFFER);
	expect_no_more();
	ck_assert(!rig.p.readable);
}
END_TEST

/* The owner went away: each buffer that was taken goes back, empty, once. */
START_TEST(many_forgotten)
{
	uint32_t seen = 0, i;
	struct knit_desc d;

	if (!reads_many())
		return;
	offer(3, NULL);
	rig.p.expected = 8;
	kernel_sends(NULL, 2 * BUFFER);
	kernel_sends(NULL, 60);
	kernel_sends(NULL, 61);
	serve();
	knit_tap_tx_forget(&rig.p);
	ck_assert_uint_eq(rig.p.stats->drops[KNIT_ENGINE_DROP_TX_NO_WORKER], 3);
	ck_assert_uint_eq(rig.p.alloc_q.cons, 3);
	ck_assert_uint_eq(knit_ring_peek(&rig.tx_q, RING), 3);
	for (i = 0; i < 3; i++) {
		knit_desc_load(&d, knit_ring_entry(&rig.tx_q, i));
		ck_assert_uint_eq(d.len, 0);
		seen |= 1u << d.cookie;
	}
	ck_assert_uint_eq(seen, 7);
	knit_ring_release(&rig.tx_q, 3);
	offer(1, NULL);
	kernel_sends(NULL, 70);
	serve();
	expect_frame(3, 70);
}
END_TEST

/* Bad ones among good ones take no buffer, and the good ones stay in order. */
START_TEST(many_with_bad_ones)
{
	static const struct virtio_net_hdr bad = { .gso_type = 77, .gso_size = 10 };

	offer(BUFFERS, NULL);
	rig.p.expected = 8;
	kernel_sends(NULL, 4);
	kernel_sends(NULL, 60);
	kernel_sends(&bad, 100);
	kernel_sends(NULL, KNIT_FRAME_MAX + 1);
	kernel_sends(NULL, 61);
	serve();
	ck_assert_uint_eq(rig.p.stats->drops[KNIT_ENGINE_DROP_TX_BAD_FRAME], 3);
	expect_frame(0, 60);
	expect_frame(1, 61);
	expect_no_more();
	ck_assert_uint_eq(rig.p.alloc_q.cons, 2);
}
END_TEST

/* The frame has more pieces than an interface may get: its buffers go back empty. */
START_TEST(many_with_one_too_long)
{
	struct knit_desc d;
	unsigned int i;

	rig.iface.max_segs = 2;
	offer(BUFFERS, NULL);
	rig.p.expected = 8;
	kernel_sends(NULL, 3 * BUFFER);
	kernel_sends(NULL, 60);
	serve();
	ck_assert_uint_eq(rig.p.stats->drops[KNIT_ENGINE_DROP_TX_TOO_LONG], 1);
	for (i = 0; reads_many() && i < 2; i++) {
		ck_assert_uint_eq(knit_ring_peek(&rig.tx_q, 1), 1);
		knit_desc_load(&d, knit_ring_entry(&rig.tx_q, rig.tx_q.cons));
		ck_assert_uint_eq(d.len, 0);
		knit_ring_release(&rig.tx_q, 1);
	}
	expect_frame(reads_many() ? 1 : 0, 60);
	expect_no_more();
}
END_TEST

/* The same frames in the same order whichever way they are read. */
START_TEST(random_frames)
{
	uint32_t lens[8], n, i, round, starts = 0;
	struct knit_desc d;
	uint64_t bytes = 0;

	srand(7);
	for (round = 0; round < 2000; round++) {
		n = 1 + rand() % 8;
		for (i = 0; i < n; i++) {
			lens[i] = rand() % 4 ? 60 + rand() % 1500 : 60 + rand() % (4 * BUFFER);
			kernel_sends(NULL, lens[i]);
			bytes += lens[i];
		}
		for (i = 0; i < n;) {
			if (knit_ring_reserve(&rig.alloc_q, 8) == 8 && rand() % 2)
				offer(1 + rand() % 8, NULL);
			serve();
			rig.p.readable = true;
			for (; knit_ring_peek(&rig.tx_q, 1); knit_ring_release(&rig.tx_q, 1)) {
				knit_desc_load(&d, knit_ring_entry(&rig.tx_q, rig.tx_q.cons));
				ck_assert_uint_gt(d.len, 0);
				ck_assert_uint_le(starts + d.len, lens[i]);
				ck_assert_mem_eq((void *)(uintptr_t)d.addr,
						 rig.sent + VNET + starts, d.len);
				starts += d.len;
				ck_assert_uint_eq(!(d.flags & KNIT_DESC_MORE), starts == lens[i]);
				if (starts == lens[i]) {
					starts = 0;
					i++;
				}
			}
		}
	}
	ck_assert_uint_eq(rig.p.stats->tx_bytes, bytes);
	ck_assert_uint_eq(rig.p.alloc_q.cons, rig.p.tx_q.prod);
}
END_TEST

static void add(Suite *s, const char *name, const TTest *test)
{
	knit_add_fixture_test(s, name, test, 0, setup, teardown);
	knit_add_fixture_test(s, name, test, 0, setup_single, teardown);
}

KNIT_SUITE(tap_tx)
{
	add(s, "truncated frames", truncated);
	add(s, "oversized frames", oversized);
	add(s, "longer than the one buffer", longer_than_the_one_buffer);
	add(s, "headers that contradict", headers_that_contradict);
	add(s, "buffers are blank", blank);
	add(s, "waits for buffers", waits_for_buffers);
	add(s, "bad buffers", bad_buffers);
	add(s, "many at once", many);
	add(s, "many at once, and large ones", many_and_large_ones);
	add(s, "many wait for buffers", many_wait_for_buffers);
	add(s, "the last one waits for buffers", last_one_waits_for_buffers);
	add(s, "many forgotten", many_forgotten);
	add(s, "many with bad ones", many_with_bad_ones);
	add(s, "many with one too long", many_with_one_too_long);
	add(s, "random frames", random_frames);
}
