// SPDX-License-Identifier: BSD-3-Clause
#include "unit.h"

#include "kni/base/handover.h"
#include "kni/engine/tap/tap.h"
#include "kni/engine/tap/tap_owner.h"
#include "kni/kick.h"

#include <rte_malloc.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * A process that serves its pair itself. The kernel is the far end of a socket that keeps datagrams
 * apart; the engine's thread is what these tests write into struct knit_server.
 */
#define RING 128
#define BUFFER 2048
#define N_BUFFERS 32
#define VNET sizeof(struct virtio_net_hdr)

static struct {
	struct rte_kni *kni;
	struct knit_ring rx_q, free_q, alloc_q, tx_q; /* the worker's ends */
	uint8_t (*buffer)[BUFFER];
	uint32_t offered;
	int kernel;
} rig;

static void bind_queue(struct knit_ring *r, enum knit_queue q)
{
	knit_ring_bind(r, (char *)rig.kni->shm + knit_shm_queue_off(RING, 0, q), RING,
		       sizeof(struct knit_desc));
}

static const struct knit_kick *owner_open(enum knit_handover handover, bool io_uring)
{
	int fd[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fd), 0);
	rig.kernel = fd[0];
	rig.kni->handover = handover;
	rig.kni->io_uring = io_uring;
	knit_tap_owner_open(rig.kni, 0, fd[1]);
	rig.kni->pair[0].server.tx_given = 1;
	return knit_kick_of(rig.kni, 0);
}

static void setup(void)
{
	size_t bytes = knit_shm_queue_off(RING, 1, KNIT_RX_Q);

	memset(&rig, 0, sizeof(rig));
	rig.kni = aligned_alloc(64, RTE_ALIGN_CEIL(sizeof(*rig.kni), 64));
	ck_assert_ptr_nonnull(rig.kni);
	memset(rig.kni, 0, sizeof(*rig.kni));
	rig.kni->shm = aligned_alloc(64, RTE_ALIGN_CEIL(bytes, 64));
	ck_assert_ptr_nonnull(rig.kni->shm);
	memset(rig.kni->shm, 0, bytes);
	rig.buffer = rte_zmalloc(NULL, N_BUFFERS * BUFFER, 0);
	ck_assert_ptr_nonnull(rig.buffer);
	rig.kni->index = 5;
	rig.kni->generation = 77;
	rig.kni->n_pairs = 1;
	rig.kni->ring_size = RING;
	rig.kni->features = KNIT_FEAT_ALL;
	rig.kni->max_segs = KNIT_DESC_MAX_SEGS;
	rig.kni->pair[0].engine_doorbell = KNIT_DOORBELL_NONE;
	bind_queue(&rig.rx_q, KNIT_RX_Q);
	bind_queue(&rig.free_q, KNIT_FREE_Q);
	bind_queue(&rig.alloc_q, KNIT_ALLOC_Q);
	bind_queue(&rig.tx_q, KNIT_TX_Q);
}

static void teardown(void)
{
	knit_tap_owner_close(rig.kni, 0);
	close(rig.kernel);
	rte_free(rig.buffer);
	free(rig.kni->shm);
	free(rig.kni);
}

static void offer(uint32_t n)
{
	for (; n; n--, rig.offered++) {
		*(struct knit_desc *)knit_ring_entry(&rig.alloc_q, rig.alloc_q.prod) =
			(struct knit_desc){ .addr = (uintptr_t)rig.buffer[rig.offered],
					    .len = BUFFER,
					    .cookie = rig.offered };
		knit_ring_submit(&rig.alloc_q, 1);
	}
}

static void kernel_sends(uint32_t len)
{
	static uint8_t frame[VNET + 4 * BUFFER];

	ck_assert_int_eq(send(rig.kernel, frame, VNET + len, 0), VNET + len);
}

/* As a worker that polls: the descriptors in tx_q, once there are so many. */
static bool arrives(const struct knit_kick *k, uint32_t n)
{
	uint64_t end = knit_now_ns() + UINT64_C(2000000000);

	do
		k->from_kernel(rig.kni, 0, k->arg);
	while (knit_ring_peek(&rig.tx_q, RING) < n && knit_now_ns() < end);
	return knit_ring_peek(&rig.tx_q, RING) == n;
}

/* Until the owner has found the queue empty and has it watched. */
static void becomes_quiet(const struct knit_kick *k)
{
	uint64_t calls = UINT64_MAX;

	while (calls != rig.kni->pair[0].by_owner.calls) {
		calls = rig.kni->pair[0].by_owner.calls;
		k->from_kernel(rig.kni, 0, k->arg);
		usleep(1000);
		k->from_kernel(rig.kni, 0, k->arg);
	}
}

START_TEST(reads_what_the_kernel_sends)
{
	const struct knit_kick *k = owner_open(KNIT_HANDOVER_AUTO, true);
	uint32_t i;

	if (k->from_kernel == NULL) /* no io_uring here */
		return;
	ck_assert_uint_eq(rig.kni->pair[0].server.tx_wanted, 1);
	ck_assert_int_ge(k->fd, 0);
	offer(20);
	for (i = 0; i < 10; i++) {
		becomes_quiet(k);
		ck_assert_uint_eq(knit_ring_peek(&rig.tx_q, RING), 2 * i);
		kernel_sends(60 + i);
		kernel_sends(60 + i);
		ck_assert(arrives(k, 2 * i + 2));
	}
	ck_assert_uint_eq(rig.kni->pair[0].by_owner.tx_packets, 20);
	ck_assert(!k->holds(k->arg));
}
END_TEST

static void submit(uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		*(struct knit_desc *)knit_ring_entry(&rig.rx_q, rig.rx_q.prod) = (struct knit_desc){
			.addr = (uintptr_t)rig.buffer[i], .len = 60, .cookie = i
		};
		knit_ring_submit(&rig.rx_q, 1);
	}
}

static uint32_t kernel_gets(void)
{
	uint8_t frame[VNET + BUFFER];
	uint32_t n = 0;

	while (recv(rig.kernel, frame, sizeof(frame), 0) == (ssize_t)VNET + 60)
		n++;
	return n;
}

START_TEST(quiet_queue_costs_no_call)
{
	const struct knit_kick *k = owner_open(KNIT_HANDOVER_AUTO, true);
	uint64_t calls;
	uint32_t i;

	if (k->from_kernel == NULL)
		return;
	offer(4);
	kernel_sends(60);
	ck_assert(arrives(k, 1));
	becomes_quiet(k);
	calls = rig.kni->pair[0].by_owner.calls;
	for (i = 0; i < 1000; i++)
		k->from_kernel(rig.kni, 0, k->arg);
	ck_assert_uint_eq(rig.kni->pair[0].by_owner.calls, calls);
}
END_TEST

/* Calls of the owner while it polls for so long. */
static uint64_t calls_in(const struct knit_kick *k, unsigned int us)
{
	uint64_t before = rig.kni->pair[0].by_owner.calls, end = knit_now_ns() + us * 1000;

	while (knit_now_ns() < end)
		k->from_kernel(rig.kni, 0, k->arg);
	return rig.kni->pair[0].by_owner.calls - before;
}

static bool sends_one(const struct knit_kick *k)
{
	bool itself;

	submit(1);
	itself = k->to_kernel(rig.kni, 0, k->arg, false);
	kernel_gets();
	return itself;
}

/*
 * What was sent to the kernel may be answered soon: the queue is read, once at least, however long
 * the test stands still meanwhile. Where nobody ever answers, it is not, until the kernel sends
 * something.
 */
START_TEST(waits_for_an_answer)
{
	const struct knit_kick *k = owner_open(KNIT_HANDOVER_INLINE, true);
	unsigned int i;

	if (k->from_kernel == NULL)
		return;
	offer(4);
	becomes_quiet(k);
	ck_assert(sends_one(k));
	ck_assert_uint_ge(calls_in(k, 1000), 1);
	for (i = 0; i < 4; i++) {
		ck_assert(sends_one(k));
		becomes_quiet(k);
	}
	ck_assert(sends_one(k));
	ck_assert_uint_eq(calls_in(k, 1000), 0);
	kernel_sends(60);
	ck_assert(arrives(k, 1));
	becomes_quiet(k);
	ck_assert(sends_one(k));
	ck_assert_uint_ge(calls_in(k, 1000), 1);
}
END_TEST

/* Until the thread has given the device away, it is not touched. */
START_TEST(waits_until_it_is_given)
{
	const struct knit_kick *k = owner_open(KNIT_HANDOVER_AUTO, true);

	if (k->from_kernel == NULL)
		return;
	rig.kni->pair[0].server.tx_given = 0;
	offer(4);
	kernel_sends(60);
	k->from_kernel(rig.kni, 0, k->arg);
	ck_assert_uint_eq(knit_ring_peek(&rig.tx_q, RING), 0);
	ck_assert_uint_eq(rig.kni->pair[0].by_owner.calls, 0);
	rig.kni->pair[0].server.tx_given = 1;
	ck_assert(arrives(k, 1));
}
END_TEST

/* The queue is quiet again, and the frame in hand lacks buffers: their arrival is enough. */
START_TEST(frame_in_hand)
{
	const struct knit_kick *k = owner_open(KNIT_HANDOVER_AUTO, true);

	if (k->from_kernel == NULL)
		return;
	becomes_quiet(k);
	offer(2);
	kernel_sends(3 * BUFFER);
	while (!k->holds(k->arg))
		k->from_kernel(rig.kni, 0, k->arg);
	k->from_kernel(rig.kni, 0, k->arg);
	ck_assert_uint_eq(knit_ring_peek(&rig.tx_q, RING), 0);
	offer(2);
	ck_assert(arrives(k, 3));
	ck_assert(!k->holds(k->arg));
	ck_assert_uint_eq(rig.kni->pair[0].by_owner.tx_packets, 1);
}
END_TEST

/* Without io_uring it could not wait for frames: the thread reads. */
START_TEST(without_io_uring)
{
	const struct knit_kick *k = owner_open(KNIT_HANDOVER_AUTO, false);

	ck_assert_ptr_nonnull(k);
	ck_assert_ptr_null(k->from_kernel);
	ck_assert_int_eq(k->fd, -1);
	ck_assert_uint_eq(rig.kni->pair[0].server.tx_wanted, 0);
}
END_TEST

/* As if the kernel refused io_uring from now on. */
static void lose_the_ring(void)
{
	char path[64], target[64];
	ssize_t len;
	int fd;

	for (fd = 3; fd < 1024; fd++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		len = readlink(path, target, sizeof(target) - 1);
		target[len > 0 ? len : 0] = '\0';
		if (strstr(target, "io_uring"))
			close(fd);
	}
}

/* The thread reads again, and only it; whoever polls the owner's file finds out. */
START_TEST(ring_lost)
{
	const struct knit_kick *k = owner_open(KNIT_HANDOVER_AUTO, true);

	if (k->from_kernel == NULL)
		return;
	offer(8);
	lose_the_ring();
	while (k->from_kernel)
		k->from_kernel(rig.kni, 0, k->arg);
	ck_assert_ptr_eq(k, knit_kick_of(rig.kni, 0));
	ck_assert_int_eq(k->fd, -1);
	ck_assert(!k->holds(k->arg));
	ck_assert_uint_eq(rig.kni->pair[0].server.tx_wanted, 0);
	kernel_sends(60);
	ck_assert_uint_eq(knit_ring_peek(&rig.tx_q, RING), 0);
}
END_TEST

static void writes(enum knit_handover handover, uint32_t n, bool itself)
{
	const struct knit_kick *k = owner_open(handover, true);

	submit(n);
	ck_assert(!k->to_kernel(rig.kni, 0, k->arg, true)); /* buffers: the engine's affair */
	ck_assert_int_eq(k->to_kernel(rig.kni, 0, k->arg, false), itself);
	ck_assert_uint_eq(kernel_gets(), itself ? n : 0);
	ck_assert_uint_eq(knit_ring_peek(&rig.free_q, RING), itself ? n : 0);
	ck_assert_uint_eq(rig.kni->pair[0].by_owner.kicks, itself);
	ck_assert_uint_eq(rig.kni->pair[0].server.rx, KNIT_SERVER_NOBODY);
}

START_TEST(writes_a_few)
{
	writes(KNIT_HANDOVER_AUTO, 8, true);
}
END_TEST

START_TEST(leaves_many_to_the_thread)
{
	writes(KNIT_HANDOVER_AUTO, 9, false);
}
END_TEST

START_TEST(writes_all_inline)
{
	writes(KNIT_HANDOVER_INLINE, 20, true);
}
END_TEST

START_TEST(leaves_the_thread_its_turn)
{
	const struct knit_kick *k = owner_open(KNIT_HANDOVER_INLINE, true);

	submit(1);
	rig.kni->pair[0].server.rx = KNIT_SERVER_THREAD;
	ck_assert(!k->to_kernel(rig.kni, 0, k->arg, false));
	ck_assert_uint_eq(kernel_gets(), 0);
}
END_TEST

START_TEST(closes)
{
	struct rte_kni other = { .index = rig.kni->index };

	owner_open(KNIT_HANDOVER_AUTO, true);
	knit_tap_owner_close(&other, 0); /* one that was never published */
	ck_assert_ptr_nonnull(knit_kick_of(rig.kni, 0));
	knit_tap_owner_close(rig.kni, 0);
	ck_assert_ptr_null(knit_kick_of(rig.kni, 0));
	ck_assert_uint_eq(rig.kni->pair[0].server.tx_wanted, 0);
	ck_assert_int_eq(send(rig.kernel, "x", 1, MSG_NOSIGNAL), -1);
	knit_tap_owner_close(rig.kni, 0);
}
END_TEST

static void add(Suite *s, const char *name, const TTest *test)
{
	knit_add_fixture_test(s, name, test, 0, setup, teardown);
}

KNIT_SUITE_EAL(tap_owner, knit_eal_small_pages)
{
	add(s, "reads what the kernel sends", reads_what_the_kernel_sends);
	add(s, "quiet queue costs no call", quiet_queue_costs_no_call);
	add(s, "waits for an answer", waits_for_an_answer);
	add(s, "waits until it is given", waits_until_it_is_given);
	add(s, "frame in hand", frame_in_hand);
	add(s, "without io_uring", without_io_uring);
	add(s, "ring lost", ring_lost);
	add(s, "writes a few", writes_a_few);
	add(s, "leaves many to the thread", leaves_many_to_the_thread);
	add(s, "writes all inline", writes_all_inline);
	add(s, "leaves the thread its turn", leaves_the_thread_its_turn);
	add(s, "closes", closes);
}
