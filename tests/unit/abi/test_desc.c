// SPDX-License-Identifier: BSD-3-Clause
#include "unit.h"

#include "abi/knit_desc.h"

#include <string.h>

#define ANY_LEN 1514

/* A segment or the first segment of a frame, and what is to be said of it. */
struct seg_case {
	const char *what;
	struct knit_desc desc;
	enum knit_reject expected;
	bool further; /* not the first */
};

static const struct seg_case seg_cases[] = {
	{ "one byte", { .len = 1 }, KNIT_REJECT_NONE },
	{ "longest", { .len = KNIT_DESC_MAX_LEN }, KNIT_REJECT_NONE },
	{ "every flag", { .len = 60, .flags = KNIT_DESC_FLAGS }, KNIT_REJECT_NONE },
	{ "empty", { .len = 0 }, KNIT_REJECT_BAD_LEN },
	{ "empty behind the first", { .len = 0 }, KNIT_REJECT_NONE, true },
	{ "too long behind the first",
	  { .len = KNIT_DESC_MAX_LEN + 1 },
	  KNIT_REJECT_BAD_LEN,
	  true },
	{ "empty with unknown flag", { .flags = 0x0020 }, KNIT_REJECT_BAD_FLAGS, true },
	{ "one too long", { .len = KNIT_DESC_MAX_LEN + 1 }, KNIT_REJECT_BAD_LEN },
	{ "negative length", { .len = 0xffffffff }, KNIT_REJECT_BAD_LEN },
	{ "first unknown flag", { .len = 60, .flags = 0x0020 }, KNIT_REJECT_BAD_FLAGS },
	{ "last unknown flag", { .len = 60, .flags = 0x8000 }, KNIT_REJECT_BAD_FLAGS },
	{ "reserved set", { .len = 60, .reserved = 1 }, KNIT_REJECT_BAD_FLAGS },
	{ "reserved high bit", { .len = 60, .reserved = 1U << 31 }, KNIT_REJECT_BAD_FLAGS },
};

struct frame_case {
	const char *what;
	struct knit_desc desc;
	__u32 len;
	enum knit_reject expected;
};

#define PARTIAL(start, offset) \
	.flags = KNIT_DESC_CSUM_PARTIAL, .csum_start = (start), .csum_offset = (offset)
#define GSO(type, size, hdr) .gso_type = (type), .gso_size = (size), .hdr_len = (hdr)

static const struct frame_case frame_cases[] = {
	{ "shortest", { 0 }, KNIT_ETH_HLEN, KNIT_REJECT_NONE },
	{ "longest", { 0 }, KNIT_FRAME_MAX, KNIT_REJECT_NONE },
	{ "shorter than a header", { 0 }, KNIT_ETH_HLEN - 1, KNIT_REJECT_BAD_LEN },
	{ "empty", { 0 }, 0, KNIT_REJECT_BAD_LEN },
	{ "one too long", { 0 }, KNIT_FRAME_MAX + 1, KNIT_REJECT_BAD_LEN },
	{ "hash", { .flags = KNIT_DESC_HASH, .hash = ~0U }, ANY_LEN, KNIT_REJECT_NONE },
	{ "vlan", { .flags = KNIT_DESC_VLAN, .vlan_tci = 0xffff }, ANY_LEN, KNIT_REJECT_NONE },
	{ "partial and hash",
	  { .flags = KNIT_DESC_CSUM_PARTIAL | KNIT_DESC_HASH, .csum_start = 34, .csum_offset = 16 },
	  ANY_LEN,
	  KNIT_REJECT_BAD_FLAGS },
	{ "tcp checksum", { PARTIAL(34, 16) }, ANY_LEN, KNIT_REJECT_NONE },
	{ "sum ends with the frame", { PARTIAL(34, 16) }, 52, KNIT_REJECT_NONE },
	{ "sum ends past the frame", { PARTIAL(34, 16) }, 51, KNIT_REJECT_BAD_CSUM },
	{ "start after the header", { PARTIAL(14, 0) }, ANY_LEN, KNIT_REJECT_NONE },
	{ "start in the header", { PARTIAL(13, 0) }, ANY_LEN, KNIT_REJECT_BAD_CSUM },
	{ "start and offset overflow", { PARTIAL(0xffff, 0xffff) }, ANY_LEN, KNIT_REJECT_BAD_CSUM },
	{ "sum wraps 16 bits", { PARTIAL(0xfff0, 0x0020) }, ANY_LEN, KNIT_REJECT_BAD_CSUM },
	{ "tso 4", { PARTIAL(34, 16), GSO(1, 1448, 66) }, 9000, KNIT_REJECT_NONE },
	{ "tso 6", { PARTIAL(54, 16), GSO(2, 1428, 86) }, 65000, KNIT_REJECT_NONE },
	{ "longest tso 4", { PARTIAL(34, 16), GSO(1, 1448, 66) }, 196630, KNIT_REJECT_NONE },
	{ "longest tso 6", { PARTIAL(62, 16), GSO(2, 1428, 94) }, 196630, KNIT_REJECT_NONE },
	{ "tso too long", { PARTIAL(34, 16), GSO(1, 1448, 66) }, 196631, KNIT_REJECT_BAD_LEN },
	{ "uso too long",
	  { PARTIAL(34, 6), GSO(3, 1472, 42) },
	  KNIT_FRAME_MAX + 1,
	  KNIT_REJECT_BAD_LEN },
	{ "uso", { PARTIAL(34, 6), GSO(3, 1472, 42) }, 9000, KNIT_REJECT_NONE },
	{ "tso with ecn", { PARTIAL(34, 16), GSO(0x81, 1448, 66) }, 9000, KNIT_REJECT_NONE },
	{ "uso with ecn", { PARTIAL(34, 6), GSO(0x83, 1472, 42) }, 9000, KNIT_REJECT_BAD_GSO },
	{ "ecn alone", { PARTIAL(34, 16), GSO(0x80, 1448, 66) }, 9000, KNIT_REJECT_BAD_GSO },
	{ "unknown type", { PARTIAL(34, 16), GSO(4, 1448, 66) }, 9000, KNIT_REJECT_BAD_GSO },
	{ "last type", { PARTIAL(34, 16), GSO(0x7f, 1448, 66) }, 9000, KNIT_REJECT_BAD_GSO },
	{ "no segment size", { PARTIAL(34, 16), GSO(1, 0, 66) }, 9000, KNIT_REJECT_BAD_GSO },
	{ "no header", { PARTIAL(34, 16), GSO(1, 1448, 0) }, 9000, KNIT_REJECT_BAD_GSO },
	{ "short header", { PARTIAL(14, 0), GSO(1, 1448, 13) }, 9000, KNIT_REJECT_BAD_GSO },
	{ "header past the frame", { PARTIAL(34, 16), GSO(1, 1448, 66) }, 65, KNIT_REJECT_BAD_GSO },
	{ "sum starts in payload",
	  { PARTIAL(66, 16), GSO(1, 1448, 66) },
	  9000,
	  KNIT_REJECT_BAD_GSO },
	{ "gso without partial", { GSO(1, 1448, 66) }, 9000, KNIT_REJECT_BAD_GSO },
	{ "sizes without a type", { GSO(0, 1448, 66) }, 9000, KNIT_REJECT_NONE },
};

START_TEST(segments)
{
	enum knit_reject got;
	unsigned int i;

	for (i = 0; i < sizeof(seg_cases) / sizeof(seg_cases[0]); i++) {
		got = knit_desc_check_seg(&seg_cases[i].desc, !seg_cases[i].further);
		ck_assert_msg(got == seg_cases[i].expected, "%s: %d, expected %d",
			      seg_cases[i].what, got, seg_cases[i].expected);
	}
}
END_TEST

START_TEST(load_copies_all)
{
	struct knit_desc from, to = { 0 };
	unsigned int i;

	for (i = 0; i < sizeof(from); i++)
		((__u8 *)&from)[i] = i + 1;
	knit_desc_load(&to, &from);
	ck_assert_mem_eq(&to, &from, sizeof(to));
}
END_TEST

START_TEST(frames)
{
	enum knit_reject got;
	unsigned int i;

	for (i = 0; i < sizeof(frame_cases) / sizeof(frame_cases[0]); i++) {
		got = knit_desc_check_frame(&frame_cases[i].desc, frame_cases[i].len);
		ck_assert_msg(got == frame_cases[i].expected, "%s: %d, expected %d",
			      frame_cases[i].what, got, frame_cases[i].expected);
	}
}
END_TEST

/* What the engines rely on, written out a second time and not shared with the header. */
static bool seg_usable(const struct knit_desc *d)
{
	return d->len >= 1 && d->len <= 65535 && d->flags < 32 && d->reserved == 0;
}

static bool gso_usable(const struct knit_desc *d, __u32 len)
{
	__u8 type = d->gso_type & 0x7f;

	return type >= 1 && type <= 3 && d->gso_type != (3 | 0x80) && d->gso_size > 0 &&
	       d->hdr_len >= 14 && d->hdr_len <= len && d->csum_start < d->hdr_len &&
	       d->flags & KNIT_DESC_CSUM_PARTIAL;
}

static bool frame_usable(const struct knit_desc *d, __u32 len)
{
	if (len < 14 || len > ((d->gso_type & 0x7f) - 1u < 2 ? 196608 + 22 : 65536 + 22))
		return false;
	if (d->flags & KNIT_DESC_CSUM_PARTIAL) {
		if (d->flags & KNIT_DESC_HASH || d->csum_start < 14)
			return false;
		if ((uint64_t)d->csum_start + d->csum_offset + 2 > len)
			return false;
	}
	return d->gso_type == 0 || gso_usable(d, len);
}

/* Mostly plausible values, so that a fair share passes each check and meets the next one. */
static void random_desc(struct knit_desc *d, struct knit_random *r)
{
	uint64_t dice = knit_random_next(r);

	*d = (struct knit_desc){ 0 };
	d->len = dice & 1 ? knit_random_next(r) % 70000 : knit_random_next(r) % 200;
	d->flags = dice & 2 ? knit_random_next(r) : knit_random_next(r) & 0x1f;
	if (dice & 4)
		d->flags &= ~KNIT_DESC_HASH;
	d->gso_type = dice & 8 ? knit_random_next(r) & 0x83 : (dice & 16 ? 0 : dice >> 32);
	d->gso_size = knit_random_next(r) % 3000;
	d->hdr_len = knit_random_next(r);
	d->csum_start = dice & 32 ? knit_random_next(r) % 100 : knit_random_next(r);
	d->csum_offset = dice & 64 ? knit_random_next(r) % 20 : knit_random_next(r);
	if ((dice & 0xf00) == 0)
		d->reserved = knit_random_next(r);
}

START_TEST(what_passes_is_usable)
{
	unsigned int seen[KNIT_REJECT_COUNT] = { 0 };
	struct knit_random random = { 20221128 };
	enum knit_reject reject;
	struct knit_desc desc;
	unsigned int gso = 0;
	unsigned int i;
	__u32 len;

	for (i = 0; i < 3000000; i++) {
		random_desc(&desc, &random);
		reject = knit_desc_check_seg(&desc, true);
		if (reject == KNIT_REJECT_NONE && !seg_usable(&desc))
			ck_abort_msg("segment %u passed and is not usable", i);
		seen[reject]++;
		len = i & 1 ? desc.len : knit_random_next(&random) % (i & 2 ? 70000 : 200000);
		reject = knit_desc_check_frame(&desc, len);
		if (reject == KNIT_REJECT_NONE) {
			if (!frame_usable(&desc, len))
				ck_abort_msg("frame %u passed and is not usable", i);
			gso += desc.gso_type != 0;
		}
		seen[reject]++;
	}
	/* the fuzz is only worth something if it gets everywhere */
	ck_assert_uint_gt(gso, 1000);
	ck_assert_uint_gt(seen[KNIT_REJECT_NONE], 1000);
	ck_assert_uint_gt(seen[KNIT_REJECT_BAD_FLAGS], 1000);
	ck_assert_uint_gt(seen[KNIT_REJECT_BAD_LEN], 1000);
	ck_assert_uint_gt(seen[KNIT_REJECT_BAD_CSUM], 1000);
	ck_assert_uint_gt(seen[KNIT_REJECT_BAD_GSO], 1000);
}
END_TEST

KNIT_SUITE(desc)
{
	knit_add_test(s, "segments", segments, 0);
	knit_add_test(s, "frames", frames, 0);
	knit_add_test(s, "load copies all", load_copies_all, 0);
	knit_add_test(s, "what passes is usable", what_passes_is_usable, 60);
}
