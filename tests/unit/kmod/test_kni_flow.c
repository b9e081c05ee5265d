// SPDX-License-Identifier: BSD-3-Clause
#include "kni_flow.h"
#include "unit.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define IP4_HEADERS (14 + 20 + 8)
#define IP6_HEADERS (14 + 40 + 8)
#define ROOM 2048

struct frame {
	uint8_t b[ROOM];
	uint32_t len;
	uint32_t headers;
};

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static void ip4_sum(struct frame *f)
{
	uint8_t *ip = f->b + 14;
	uint32_t sum = 0, i;

	put16(ip + 10, 0);
	for (i = 0; i < 20; i += 2)
		sum += ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	put16(ip + 10, ~sum);
}

static struct frame udp4(uint32_t payload)
{
	static const uint8_t hdr[IP4_HEADERS] = {
		2,    0, 0,  0, 0,    1,    2,	  0,	0,    0,    0, 2, 8,	0,
		0x45, 0, 0,  0, 0x12, 0x34, 0,	  0x00, 64,   17,   0, 0, 10,	0,
		0,    2, 10, 0, 0,    1,    0x30, 0x39, 0x1e, 0x61, 0, 0, 0xab, 0xcd,
	};
	struct frame f = { .len = IP4_HEADERS + payload, .headers = IP4_HEADERS };

	memcpy(f.b, hdr, sizeof(hdr));
	memset(f.b + IP4_HEADERS, 0x5a, payload);
	put16(f.b + 16, 28 + payload);
	put16(f.b + 38, 8 + payload);
	ip4_sum(&f);
	return f;
}

static struct frame udp6(uint32_t payload)
{
	struct frame f = { .len = IP6_HEADERS + payload, .headers = IP6_HEADERS };
	uint32_t i;

	for (i = 0; i < f.len; i++)
		f.b[i] = i * 7 + 1;
	put16(f.b + 12, 0x86dd);
	f.b[14] = 0x60;
	put16(f.b + 18, 8 + payload);
	f.b[20] = 17;
	put16(f.b + 58, 8 + payload);
	return f;
}

static enum kni_flow_kind kind(const struct frame *f)
{
	struct kni_flow flow;

	return kni_flow_parse(&flow, f->b, f->len);
}

static bool goes_on(struct kni_row *row, const struct frame *f)
{
	struct kni_flow flow;

	ck_assert_int_eq(kni_flow_parse(&flow, f->b, f->len), KNI_FLOW_DATAGRAM);
	return kni_row_add(row, &flow);
}

static void start(struct kni_row *row, const struct frame *f)
{
	struct kni_flow flow;

	ck_assert_int_eq(kni_flow_parse(&flow, f->b, f->len), KNI_FLOW_DATAGRAM);
	kni_row_start(row, &flow);
}

START_TEST(finds_a_datagram)
{
	struct frame v4 = udp4(100), v6 = udp6(100);
	struct kni_flow flow;

	ck_assert_int_eq(kni_flow_parse(&flow, v4.b, v4.len), KNI_FLOW_DATAGRAM);
	ck_assert_uint_eq(flow.hdr_len, IP4_HEADERS);
	ck_assert_uint_eq(flow.payload, 100);
	ck_assert_uint_eq(flow.id, 0x1234);
	ck_assert(flow.ip4 && !flow.df);
	ck_assert_int_eq(kni_flow_parse(&flow, v6.b, v6.len), KNI_FLOW_DATAGRAM);
	ck_assert_uint_eq(flow.hdr_len, IP6_HEADERS);
	ck_assert_uint_eq(flow.payload, 100);
	ck_assert(!flow.ip4 && flow.df);
}
END_TEST

START_TEST(padding_is_not_payload)
{
	struct frame f = udp4(1);
	struct kni_flow flow;

	f.len = 60;
	ck_assert_int_eq(kni_flow_parse(&flow, f.b, f.len), KNI_FLOW_DATAGRAM);
	ck_assert_uint_eq(flow.payload, 1);
}
END_TEST

/* One byte of a good datagram is another one. */
static enum kni_flow_kind changed(struct frame f, uint32_t at, uint8_t value, bool sum)
{
	f.b[at] = value;
	if (sum)
		ip4_sum(&f);
	return kind(&f);
}

START_TEST(what_is_none)
{
	static const struct {
		uint32_t at;
		uint8_t value;
		bool sum;
		enum kni_flow_kind kind;
	} of_ip4[] = {
		{ 13, 6, false, KNI_FLOW_OTHER },      /* ARP */
		{ 12, 0x81, false, KNI_FLOW_UNKNOWN }, /* 0x8100: a tag */
		{ 23, 6, true, KNI_FLOW_OTHER },       /* TCP */
		{ 23, 1, true, KNI_FLOW_UNKNOWN },     /* ICMP */
		{ 14, 0x46, true, KNI_FLOW_UNKNOWN },  /* options */
		{ 14, 0x65, true, KNI_FLOW_UNKNOWN },  /* version */
		{ 20, 0x20, true, KNI_FLOW_UNKNOWN },  /* more fragments */
		{ 21, 1, true, KNI_FLOW_UNKNOWN },     /* a later fragment */
		{ 20, 0x80, true, KNI_FLOW_UNKNOWN },  /* the evil bit */
		{ 22, 63, false, KNI_FLOW_UNKNOWN },   /* IP's checksum */
		{ 17, 129, true, KNI_FLOW_UNKNOWN },   /* longer than the frame */
		{ 17, 127, true, KNI_FLOW_UNKNOWN },   /* not UDP's length */
		{ 39, 107, false, KNI_FLOW_UNKNOWN },  /* not IP's length */
		{ 39, 109, false, KNI_FLOW_UNKNOWN },  { 30, 223, true, KNI_FLOW_DATAGRAM },
		{ 30, 224, true, KNI_FLOW_UNKNOWN }, /* to a group */
		{ 30, 255, true, KNI_FLOW_UNKNOWN }, /* to all */
	};
	static const struct {
		uint32_t at;
		uint8_t value;
		enum kni_flow_kind kind;
	} of_ip6[] = {
		{ 20, 6, KNI_FLOW_OTHER },	 { 20, 0, KNI_FLOW_UNKNOWN },
		{ 20, 44, KNI_FLOW_UNKNOWN },	 { 14, 0x40, KNI_FLOW_UNKNOWN },
		{ 19, 109, KNI_FLOW_UNKNOWN },	 { 59, 107, KNI_FLOW_UNKNOWN },
		{ 38, 0xfe, KNI_FLOW_DATAGRAM }, { 38, 0xff, KNI_FLOW_UNKNOWN },
	};
	struct frame v4 = udp4(100), v6 = udp6(100);
	unsigned int i;

	for (i = 0; i < sizeof(of_ip4) / sizeof(of_ip4[0]); i++)
		ck_assert_msg(changed(v4, of_ip4[i].at, of_ip4[i].value, of_ip4[i].sum) ==
				      of_ip4[i].kind,
			      "IPv4, case %u", i);
	for (i = 0; i < sizeof(of_ip6) / sizeof(of_ip6[0]); i++)
		ck_assert_msg(changed(v6, of_ip6[i].at, of_ip6[i].value, false) == of_ip6[i].kind,
			      "IPv6, case %u", i);
}
END_TEST

START_TEST(none_without_checksum_or_payload)
{
	struct frame f = udp4(100);

	put16(f.b + 40, 0);
	ck_assert_int_eq(kind(&f), KNI_FLOW_UNKNOWN);
	f = udp4(0);
	ck_assert_int_eq(kind(&f), KNI_FLOW_UNKNOWN);
	f = udp6(0);
	ck_assert_int_eq(kind(&f), KNI_FLOW_UNKNOWN);
}
END_TEST

/* Nothing behind len is looked at: ASan sees to that. */
START_TEST(cut_off_anywhere)
{
	struct frame v4 = udp4(100), v6 = udp6(100);
	struct kni_flow flow;
	uint8_t *copy;
	uint32_t len;

	for (len = 0; len < v6.len; len++) {
		copy = malloc(len ? len : 1);
		ck_assert_ptr_nonnull(copy);
		memcpy(copy, v6.b, len);
		ck_assert_int_eq(kni_flow_parse(&flow, copy, len), KNI_FLOW_UNKNOWN);
		if (len < v4.len) {
			memcpy(copy, v4.b, len);
			ck_assert_int_eq(kni_flow_parse(&flow, copy, len), KNI_FLOW_UNKNOWN);
		}
		free(copy);
	}
}
END_TEST

START_TEST(row_counts)
{
	struct frame f = udp4(1000), last = udp4(999);
	struct kni_row row;

	start(&row, &f);
	ck_assert(goes_on(&row, &f));
	ck_assert(goes_on(&row, &f));
	ck_assert_uint_eq(row.n, 3);
	ck_assert_uint_eq(row.payload, 3000);
	ck_assert(!row.closed);
	ck_assert(goes_on(&row, &last));
	ck_assert_uint_eq(row.n, 4);
	ck_assert_uint_eq(row.payload, 3999);
	/* a shorter one is the last one */
	ck_assert(!goes_on(&row, &f));
	ck_assert(!goes_on(&row, &last));
	ck_assert_uint_eq(row.n, 4);
	ck_assert_uint_eq(row.payload, 3999);
}
END_TEST

START_TEST(row_takes_none_that_is_longer)
{
	struct frame f = udp4(100), longer = udp4(101);
	struct kni_row row;

	start(&row, &f);
	ck_assert(!goes_on(&row, &longer));
	ck_assert(goes_on(&row, &f));
}
END_TEST

START_TEST(row_fits_into_an_ip_packet)
{
	struct frame v4 = udp4(1000), v6 = udp6(1000);
	struct kni_row row;

	start(&row, &v4);
	while (goes_on(&row, &v4))
		ck_assert_uint_lt(row.n, 100);
	ck_assert_uint_eq(row.payload + 28, 65028);
	start(&row, &v6);
	while (goes_on(&row, &v6))
		ck_assert_uint_lt(row.n, 100);
	ck_assert_uint_eq(row.payload + 48, 65048);
}
END_TEST

/* Whether it is merged if byte `at` of the headers differs; -1: it is no datagram then. */
static int with_other_byte(const struct frame *f, uint32_t at)
{
	struct frame other = *f;
	struct kni_flow flow;
	struct kni_row row;

	start(&row, f);
	other.b[at] ^= 0x10;
	if (f->headers == IP4_HEADERS && at >= 14 && at < 34 && at != 24 && at != 25)
		ip4_sum(&other);
	if (kni_flow_parse(&flow, other.b, other.len) != KNI_FLOW_DATAGRAM)
		return -1;
	return kni_row_add(&row, &flow);
}

START_TEST(headers_are_the_same)
{
	struct frame v4 = udp4(100), v6 = udp6(100);
	uint32_t at;

	/* lengths and IP's checksum make another byte no datagram at all */
	for (at = 0; at < IP4_HEADERS; at++)
		ck_assert_msg((with_other_byte(&v4, at) == 1) == (at == 40 || at == 41),
			      "byte %u of IPv4", at);
	for (at = 0; at < IP6_HEADERS; at++)
		ck_assert_msg((with_other_byte(&v6, at) == 1) == (at == 60 || at == 61),
			      "byte %u of IPv6", at);
}
END_TEST

static struct frame with_id(uint16_t id, bool df)
{
	struct frame f = udp4(100);

	put16(f.b + 18, id);
	f.b[20] = df ? 0x40 : 0;
	ip4_sum(&f);
	return f;
}

START_TEST(identification)
{
	struct frame first = with_id(0xffff, false), next = with_id(0, false);
	struct frame after = with_id(1, false), gap = with_id(3, false);
	struct frame df = with_id(0xffff, true), any = with_id(0x7777, true);
	struct kni_row row;

	start(&row, &first);
	ck_assert(goes_on(&row, &next));
	ck_assert(goes_on(&row, &after));
	ck_assert(!goes_on(&row, &gap));
	start(&row, &first);
	ck_assert(goes_on(&row, &first));
	ck_assert(goes_on(&row, &first));
	ck_assert(!goes_on(&row, &gap));
	ck_assert(!goes_on(&row, &df));
	start(&row, &df);
	ck_assert(goes_on(&row, &any));
	ck_assert(!goes_on(&row, &first));
}
END_TEST

START_TEST(families_do_not_mix)
{
	struct frame v4 = udp4(100), v6 = udp6(100);
	struct kni_flow a, b;
	struct kni_row row;

	ck_assert_int_eq(kni_flow_parse(&a, v4.b, v4.len), KNI_FLOW_DATAGRAM);
	ck_assert_int_eq(kni_flow_parse(&b, v6.b, v6.len), KNI_FLOW_DATAGRAM);
	b.hash = a.hash;
	kni_row_start(&row, &a);
	ck_assert(!kni_row_add(&row, &b));
	kni_row_start(&row, &b);
	ck_assert(!kni_row_add(&row, &a));
}
END_TEST

KNIT_SUITE(kni_flow)
{
	knit_add_test(s, "finds_a_datagram", finds_a_datagram, 0);
	knit_add_test(s, "padding_is_not_payload", padding_is_not_payload, 0);
	knit_add_test(s, "what_is_none", what_is_none, 0);
	knit_add_test(s, "none_without_checksum_or_payload", none_without_checksum_or_payload, 0);
	knit_add_test(s, "cut_off_anywhere", cut_off_anywhere, 0);
	knit_add_test(s, "row_counts", row_counts, 0);
	knit_add_test(s, "row_takes_none_that_is_longer", row_takes_none_that_is_longer, 0);
	knit_add_test(s, "row_fits_into_an_ip_packet", row_fits_into_an_ip_packet, 0);
	knit_add_test(s, "headers_are_the_same", headers_are_the_same, 0);
	knit_add_test(s, "identification", identification, 0);
	knit_add_test(s, "families_do_not_mix", families_do_not_mix, 0);
}
