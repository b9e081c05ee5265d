// SPDX-License-Identifier: BSD-3-Clause
#include "unit.h"

#include "kni/engine/tap/tap.h"
#include "kni/engine/tap/tap_region.h"
#include "kni/engine/tap/vnet.h"

#include <stdlib.h>

/*
 * Of the tap engine what neither EAL nor a device is needed for: frame headers and the memory
 * table.
 */

#define FRAME 64

static void fill_frame(uint8_t *frame, bool tagged)
{
	int i;

	for (i = 0; i < FRAME; i++)
		frame[i] = i;
	frame[12] = tagged ? 0x81 : 0x08;
	frame[13] = 0x00;
	frame[14] = 0xa0;
	frame[15] = 0x05;
	frame[34 + 12] = 0x80; /* TCP at 34: 32 bytes of header */
}

START_TEST(header_to_kernel)
{
	struct knit_desc d = { .flags = KNIT_DESC_CSUM_PARTIAL | KNIT_DESC_VLAN,
			       .gso_type = KNIT_GSO_TCPV6 | KNIT_GSO_ECN,
			       .gso_size = 1440,
			       .hdr_len = 74,
			       .csum_start = 54,
			       .csum_offset = 16 };
	struct virtio_net_hdr h;

	knit_vnet_from_desc(&h, &d);
	ck_assert_uint_eq(h.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	ck_assert_uint_eq(h.gso_type, VIRTIO_NET_HDR_GSO_TCPV6 | VIRTIO_NET_HDR_GSO_ECN);
	ck_assert_uint_eq(h.gso_size, 1440);
	ck_assert_uint_eq(h.hdr_len, 78);    /* the tag will be in the data */
	ck_assert_uint_eq(h.csum_start, 58); /* likewise */
	ck_assert_uint_eq(h.csum_offset, 16);

	d = (struct knit_desc){ .flags = KNIT_DESC_CSUM_GOOD };
	knit_vnet_from_desc(&h, &d);
	ck_assert_uint_eq(h.flags, VIRTIO_NET_HDR_F_DATA_VALID);
	ck_assert_uint_eq(h.gso_type, VIRTIO_NET_HDR_GSO_NONE);

	/* the hash shares room with the checksum fields and must not leak into them */
	d = (struct knit_desc){ .flags = KNIT_DESC_HASH, .hash = 0xdeadbeef };
	knit_vnet_from_desc(&h, &d);
	ck_assert_uint_eq(h.flags | h.csum_start | h.csum_offset, 0);
}
END_TEST

START_TEST(header_from_kernel)
{
	struct virtio_net_hdr h = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				    .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
				    .gso_size = 1448,
				    .hdr_len = 9999, /* Linux: what is linear, not the headers */
				    .csum_start = 34,
				    .csum_offset = 16 };
	struct knit_desc d = { 0 };
	uint8_t frame[FRAME];

	fill_frame(frame, false);
	ck_assert(knit_vnet_to_desc(&h, &d, frame, FRAME));
	ck_assert_uint_eq(d.flags, KNIT_DESC_CSUM_PARTIAL);
	ck_assert_uint_eq(d.gso_type, KNIT_GSO_TCPV4);
	ck_assert_uint_eq(d.gso_size, 1448);
	ck_assert_uint_eq(d.hdr_len, 34 + 32);
	ck_assert_uint_eq(d.csum_start, 34);

	/* header beyond what can be seen, unknown type, UDP fragmentation offload */
	ck_assert(!knit_vnet_to_desc(&h, &d, frame, 34 + 19));
	h.gso_type = 77;
	ck_assert(!knit_vnet_to_desc(&h, &d, frame, FRAME));
	h.gso_type = VIRTIO_NET_HDR_GSO_UDP;
	ck_assert(!knit_vnet_to_desc(&h, &d, frame, FRAME));
	h.gso_type = VIRTIO_NET_HDR_GSO_UDP_L4;
	ck_assert(knit_vnet_to_desc(&h, &d, frame, FRAME));
	ck_assert_uint_eq(d.hdr_len, 42);
	h.csum_start = 65535;
	ck_assert(!knit_vnet_to_desc(&h, &d, frame, FRAME));
}
END_TEST

START_TEST(tag_is_taken_out)
{
	struct knit_desc d = { .flags = KNIT_DESC_CSUM_PARTIAL,
			       .gso_type = KNIT_GSO_UDP_L4,
			       .hdr_len = 46,
			       .csum_start = 38 };
	uint8_t frame[FRAME], before[FRAME];

	fill_frame(frame, true);
	memcpy(before, frame, FRAME);
	ck_assert_uint_eq(knit_vnet_strip_vlan(&d, frame, FRAME), 4);
	ck_assert_uint_eq(d.vlan_tci, 0xa005);
	ck_assert_uint_eq(d.flags, KNIT_DESC_CSUM_PARTIAL | KNIT_DESC_VLAN);
	ck_assert_uint_eq(d.csum_start, 34);
	ck_assert_uint_eq(d.hdr_len, 42);
	ck_assert_mem_eq(frame + 4, before, 12);
	ck_assert_mem_eq(frame + 16, before + 16, FRAME - 16);

	/* too short for a tag; no tag; checksum inside the tag */
	fill_frame(frame, true);
	d = (struct knit_desc){ 0 };
	ck_assert_uint_eq(knit_vnet_strip_vlan(&d, frame, 17), 0);
	d = (struct knit_desc){ .flags = KNIT_DESC_CSUM_PARTIAL, .csum_start = 17 };
	ck_assert_uint_eq(knit_vnet_strip_vlan(&d, frame, FRAME), 0);
	fill_frame(frame, false);
	ck_assert_uint_eq(knit_vnet_strip_vlan(&d, frame, FRAME), 0);
	ck_assert_uint_eq(d.flags & KNIT_DESC_VLAN, 0);
}
END_TEST

/* Applies one change and frees the table before it. */
static struct knit_region_table *change(struct knit_region_table *t, bool add, uint64_t start,
					uint64_t end)
{
	struct knit_region_table *next =
		add ? knit_region_add(t, start, end) : knit_region_del(t, start, end);

	ck_assert_ptr_nonnull(next);
	free(t);
	return next;
}

START_TEST(regions_merge_and_split)
{
	struct knit_region_table *t = calloc(1, sizeof(*t));

	t = change(t, true, 300, 400);
	t = change(t, true, 100, 200);
	t = change(t, true, 500, 600);
	ck_assert_uint_eq(t->n, 3);
	t = change(t, true, 200, 300); /* touches both sides */
	ck_assert_uint_eq(t->n, 2);
	ck_assert_uint_eq(t->r[0].start, 100);
	ck_assert_uint_eq(t->r[0].end, 400);
	t = change(t, true, 150, 160); /* known already */
	ck_assert_uint_eq(t->n, 2);
	t = change(t, false, 200, 550);
	ck_assert_uint_eq(t->n, 2);
	ck_assert_uint_eq(t->r[0].end, 200);
	ck_assert_uint_eq(t->r[1].start, 550);
	t = change(t, false, 120, 130);
	ck_assert_uint_eq(t->n, 3);
	t = change(t, false, 0, UINT64_MAX);
	ck_assert_uint_eq(t->n, 0);
	free(t);
}
END_TEST

START_TEST(addresses_are_checked)
{
	struct knit_region_table *t = calloc(1, sizeof(*t));
	uint32_t hint;

	t = change(t, true, 0x1000, 0x2000);
	t = change(t, true, 0x3000, 0x4000);
	for (hint = 0; hint < 4; hint++) { /* a hint is never more than that */
		uint32_t h = hint;

		ck_assert_ptr_eq(knit_region_ptr(t, &h, 0x1000, 0x1000), (void *)0x1000);
		ck_assert_ptr_eq(knit_region_ptr(t, &h, 0x3fff, 1), (void *)0x3fff);
		ck_assert_uint_eq(h, 1);
		h = hint;
		ck_assert_ptr_null(knit_region_ptr(t, &h, 0x3fff, 2));
		ck_assert_ptr_null(knit_region_ptr(t, &h, 0x0fff, 2));
		ck_assert_ptr_null(knit_region_ptr(t, &h, 0x2000, 1));
		ck_assert_ptr_null(knit_region_ptr(t, &h, 0x1800, 0x1000));
		ck_assert_ptr_null(knit_region_ptr(t, &h, 0x1000, UINT32_MAX));
		ck_assert_ptr_null(knit_region_ptr(t, &h, UINT64_MAX, 2));
		ck_assert_ptr_null(knit_region_ptr(t, &h, UINT64_MAX - 1, UINT32_MAX));
		ck_assert_ptr_null(knit_region_ptr(t, &h, 0, 1));
	}
	free(t);
}
END_TEST

START_TEST(regions_agree_with_a_bitmap)
{
	struct knit_region_table *t = calloc(1, sizeof(*t));
	struct knit_random random = { 7 };
	uint64_t start, end, addr;
	bool map[257] = { false };
	bool add, all;
	int i, k;

	for (i = 0; i < 2000; i++) {
		start = knit_random_next(&random) % 256;
		end = start + 1 + knit_random_next(&random) % (256 - start);
		add = knit_random_next(&random) % 2;
		t = change(t, add, start, end);
		memset(map + start, add, end - start);
		addr = knit_random_next(&random) % 256;
		all = map[addr] && map[addr + 1] && map[addr + 2];
		for (k = 1; k < (int)t->n; k++)
			ck_assert_uint_lt(t->r[k - 1].end, t->r[k].start);
		if (addr < 254)
			ck_assert_int_eq(knit_region_find(t, addr, 3) >= 0, all);
	}
	free(t);
}
END_TEST

KNIT_SUITE(tap)
{
	knit_add_test(s, "header to the kernel", header_to_kernel, 0);
	knit_add_test(s, "header from the kernel", header_from_kernel, 0);
	knit_add_test(s, "VLAN tag taken out", tag_is_taken_out, 0);
	knit_add_test(s, "regions merge and split", regions_merge_and_split, 0);
	knit_add_test(s, "addresses are checked", addresses_are_checked, 0);
	knit_add_test(s, "regions agree with a bitmap", regions_agree_with_a_bitmap, 0);
}
