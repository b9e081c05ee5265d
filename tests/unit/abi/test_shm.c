// SPDX-License-Identifier: BSD-3-Clause
#include "unit.h"

#include "abi/knit_shm.h"

/* One part of the block: where it starts and how long it is. */
struct part {
	size_t off;
	size_t bytes;
};

static unsigned int list_parts(struct part *parts, __u32 ring_size, __u32 n_pairs)
{
	unsigned int n = 0;
	__u32 pair;
	__u32 q;

	parts[n++] = (struct part){ 0, sizeof(struct knit_shm_hdr) };
	parts[n++] = (struct part){ knit_shm_state_off(), sizeof(struct knit_iface_state) };
	parts[n++] = (struct part){ knit_shm_req_off(), knit_shm_req_bytes() };
	parts[n++] = (struct part){ knit_shm_resp_off(), knit_shm_req_bytes() };
	for (pair = 0; pair < n_pairs; pair++)
		for (q = 0; q < KNIT_QUEUES; q++)
			parts[n++] = (struct part){ knit_shm_queue_off(ring_size, pair, q),
						    knit_shm_queue_bytes(ring_size) };
	return n;
}

START_TEST(offsets_tile_the_block)
{
	struct part parts[4 + KNIT_MAX_PAIRS * KNIT_QUEUES];
	__u32 ring_size;
	unsigned int n;
	unsigned int i;
	__u32 n_pairs;
	size_t end;

	for (ring_size = KNIT_RING_MIN; ring_size <= KNIT_RING_MAX; ring_size *= 2) {
		for (n_pairs = 1; n_pairs <= KNIT_MAX_PAIRS; n_pairs++) {
			n = list_parts(parts, ring_size, n_pairs);
			end = 0;
			for (i = 0; i < n; i++) {
				ck_assert_uint_eq(parts[i].off % KNIT_CACHE_LINE, 0);
				ck_assert_uint_eq(parts[i].off, end);
				end += parts[i].bytes;
			}
			ck_assert_uint_eq(knit_shm_bytes(ring_size, n_pairs), end);
		}
	}
}
END_TEST

START_TEST(queue_holds_header_and_entries)
{
	__u32 size;

	for (size = KNIT_RING_MIN; size <= KNIT_RING_MAX; size *= 2)
		ck_assert_uint_eq(knit_shm_queue_bytes(size),
				  4 * KNIT_CACHE_LINE + (size_t)size * 32);
	ck_assert_uint_eq(knit_shm_req_bytes(), 4 * KNIT_CACHE_LINE + KNIT_REQ_RING * 64);
}
END_TEST

START_TEST(ring_sizes)
{
	__u32 size;

	for (size = 0; size <= 2 * KNIT_RING_MAX; size++)
		ck_assert_int_eq(knit_ring_size_ok(size),
				 size >= 64 && size <= 32768 && __builtin_popcount(size) == 1);
	ck_assert(!knit_ring_size_ok(0x80000000));
	ck_assert(!knit_ring_size_ok(0xffffffff));
	ck_assert(knit_ring_size_ok(KNIT_REQ_RING));
}
END_TEST

START_TEST(magic_reads_as_knit)
{
	__u32 magic = KNIT_MAGIC;

	if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
		ck_assert_mem_eq(&magic, "knit", 4);
}
END_TEST

KNIT_SUITE(shm)
{
	knit_add_test(s, "offsets tile the block", offsets_tile_the_block, 0);
	knit_add_test(s, "queue holds header and entries", queue_holds_header_and_entries, 0);
	knit_add_test(s, "ring sizes", ring_sizes, 0);
	knit_add_test(s, "magic reads as knit", magic_reads_as_knit, 0);
}
