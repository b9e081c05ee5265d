// SPDX-License-Identifier: BSD-3-Clause
#include "unit.h"

#include "kni/engine/tap/tap_coalesce.h"

#include <arpa/inet.h>

/*
 * Rows of frames that become one. The judge is a segmenter of the test's own: what it cuts out of
 * the large frame must be, byte by byte, what went in.
 */

#define MAX_FRAME 1514
#define ROW 8

struct packet {
	uint8_t data[MAX_FRAME];
	struct iovec seg[3];
	struct knit_tap_frame f;
};

static struct packet packets[ROW];

static uint16_t sum16(const uint8_t *p, uint32_t n, uint32_t start)
{
	uint32_t sum = start, i;

	for (i = 0; i + 1 < n; i += 2)
		sum += p[i] << 8 | p[i + 1];
	if (n & 1)
		sum += p[n - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void store16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

/* Both checksums of an untagged frame whose IP header is at 14; len counts the Ethernet header. */
static void set_checksums(uint8_t *d, uint32_t len, bool v6, bool tcp)
{
	uint32_t l4 = v6 ? 54 : 34, l4_len = len - l4;
	uint8_t *field = d + l4 + (tcp ? 16 : 6);
	uint32_t pseudo;

	pseudo = sum16(v6 ? d + 22 : d + 26, v6 ? 32 : 8, l4_len + (tcp ? 6 : 17));
	store16(field, 0);
	store16(field, ~sum16(d + l4, l4_len, pseudo));
	if (v6)
		return;
	store16(d + 24, 0);
	store16(d + 24, ~sum16(d + 14, 20, 0));
}

struct shape {
	bool v6;
	bool tcp;
	uint32_t payload;
};

/* Packet i of a row: payload and lengths differ, all else continues. */
static void make(struct packet *p, const struct shape *s, int i)
{
	uint32_t l4 = s->v6 ? 54 : 34, hdr = l4 + (s->tcp ? 32 : 8), len = hdr + s->payload, k;
	uint8_t *d = p->data;

	memset(d, 0, sizeof(p->data));
	memset(d, 0x22, 12);
	store16(d + 12, s->v6 ? 0x86dd : 0x0800);
	if (s->v6) {
		d[14] = 0x60;
		store16(d + 18, len - 54);
		d[20] = s->tcp ? 6 : 17;
		d[21] = 64;
		memset(d + 22, 0xfd, 32);
	} else {
		d[14] = 0x45;
		store16(d + 16, len - 14);
		store16(d + 18, 100 + i);
		d[20] = 0x40;
		d[22] = 64;
		d[23] = s->tcp ? 6 : 17;
		memset(d + 26, 10, 8);
	}
	store16(d + l4, 1000);
	store16(d + l4 + 2, 2000);
	if (s->tcp) {
		store16(d + l4 + 6, 0xff00); /* sequence numbers run over a 16-bit border */
		d[l4 + 12] = 0x80;
		d[l4 + 13] = 0x10;
		store16(d + l4 + 14, 500);
		memset(d + l4 + 20, 1, 12);
	} else {
		store16(d + l4 + 4, len - l4);
	}
	for (k = hdr; k < len; k++)
		d[k] = k * 7 + i;
	p->seg[0] = (struct iovec){ d, len };
	p->f = (struct knit_tap_frame){ .seg = p->seg, .n_segs = 1, .len = len };
}

static void set_seq(struct packet *p, const struct shape *s, uint32_t seq)
{
	uint32_t be = htonl(seq);

	memcpy(p->data + (s->v6 ? 58 : 38), &be, 4);
}

/* A row of n good packets, the last one shorter. */
static void make_row(const struct shape *s, int n)
{
	struct shape last = *s;
	int i;

	last.payload -= 3;
	for (i = 0; i < n; i++) {
		make(&packets[i], i + 1 < n ? s : &last, i);
		if (s->tcp)
			set_seq(&packets[i], s, 0xfffffe00u + i * s->payload);
		set_checksums(packets[i].data, packets[i].f.len, s->v6, s->tcp);
	}
}

/* The first n packets into m; returns how many it took. */
static int merge(struct knit_tap_merge *m, int n)
{
	struct knit_tap_flow flow;
	int i;

	for (i = 0; i < n; i++) {
		if (!knit_tap_parse(&packets[i].f, &flow))
			return i;
		if (i == 0)
			knit_tap_merge_start(m, &packets[i].f, &flow);
		else if (!knit_tap_merge_same(m, &flow) ||
			 !knit_tap_merge_add(m, &packets[i].f, &flow))
			return i;
	}
	return n;
}

static uint32_t gather(const struct iovec *iov, uint32_t n, uint8_t *out)
{
	uint32_t i, len = 0;

	for (i = 1; i < n; i++) {
		memcpy(out + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	return len;
}

/* Cuts the large frame as a kernel does and compares with the packets. */
static void check_cut(const uint8_t *big, uint32_t len, const struct shape *s,
		      const struct virtio_net_hdr *vh)
{
	uint32_t at = vh->hdr_len, n, l4 = vh->csum_start, seq;
	uint8_t out[MAX_FRAME];
	int i;

	for (i = 0; at < len; i++, at += n) {
		n = len - at < vh->gso_size ? len - at : vh->gso_size;
		memcpy(out, big, vh->hdr_len);
		memcpy(out + vh->hdr_len, big + at, n);
		if (s->v6) {
			store16(out + 18, vh->hdr_len + n - 54);
		} else {
			store16(out + 16, vh->hdr_len + n - 14);
			store16(out + 18, 100 + i);
		}
		if (s->tcp) {
			memcpy(&seq, big + l4 + 4, 4);
			seq = htonl(ntohl(seq) + i * vh->gso_size);
			memcpy(out + l4 + 4, &seq, 4);
		} else {
			store16(out + l4 + 4, n + 8);
		}
		set_checksums(out, vh->hdr_len + n, s->v6, s->tcp);
		ck_assert_uint_eq(vh->hdr_len + n, packets[i].f.len);
		ck_assert_mem_eq(out, packets[i].data, packets[i].f.len);
	}
	ck_assert_int_eq(i, ROW);
}

START_TEST(row_can_be_cut_again)
{
	const struct shape s = { .v6 = _i & 1, .tcp = _i & 2, .payload = _i & 4 ? 1400 : 18 };
	static const uint8_t gso[] = { VIRTIO_NET_HDR_GSO_UDP_L4, VIRTIO_NET_HDR_GSO_UDP_L4,
				       VIRTIO_NET_HDR_GSO_TCPV4, VIRTIO_NET_HDR_GSO_TCPV6 };
	static uint8_t big[ROW * MAX_FRAME];
	struct iovec iov[KNIT_TAP_MERGE_IOV];
	uint8_t hdr[KNIT_TAP_HDR_MAX];
	struct virtio_net_hdr vh;
	struct knit_tap_merge m;
	uint32_t n, len, l4 = s.v6 ? 54 : 34, pseudo;

	make_row(&s, ROW);
	ck_assert_int_eq(merge(&m, ROW), ROW);
	ck_assert(m.closed); /* by the shorter last one */
	n = knit_tap_merge_build(&m, &vh, hdr, iov);
	ck_assert_uint_eq(n, ROW + 2);
	len = gather(iov, n, big);
	ck_assert_uint_eq(vh.gso_type, gso[_i & 3]);
	ck_assert_uint_eq(vh.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	ck_assert_uint_eq(vh.gso_size, s.payload);
	ck_assert_uint_eq(vh.csum_start, l4);
	ck_assert_uint_eq(vh.csum_offset, s.tcp ? 16 : 6);
	ck_assert_uint_eq(vh.hdr_len, l4 + (s.tcp ? 32 : 8));
	/* the checksum fields of the large frame itself */
	pseudo = sum16(s.v6 ? big + 22 : big + 26, s.v6 ? 32 : 8, len - l4 + (s.tcp ? 6 : 17));
	while (pseudo >> 16)
		pseudo = (pseudo & 0xffff) + (pseudo >> 16);
	n = l4 + vh.csum_offset;
	ck_assert_uint_eq(big[n] << 8 | big[n + 1], pseudo);
	if (!s.v6) {
		ck_assert_uint_eq(sum16(big + 14, 20, 0), 0xffff);
		ck_assert_uint_eq(big[16] << 8 | big[17], len - 14);
	}
	check_cut(big, len, &s, &vh);
}
END_TEST

START_TEST(chains_and_tags)
{
	const struct shape s = { .payload = 501 };
	struct iovec iov[KNIT_TAP_MERGE_IOV];
	static uint8_t big[ROW * MAX_FRAME];
	uint8_t hdr[KNIT_TAP_HDR_MAX];
	struct virtio_net_hdr vh;
	struct knit_tap_merge m;
	struct packet *p;
	uint32_t n;
	int i;

	make_row(&s, ROW);
	for (i = 0; i < ROW; i++) { /* odd borders: checksums over several segments */
		p = &packets[i];
		p->seg[0].iov_len = 77;
		p->seg[1] = (struct iovec){ p->data + 77, 123 };
		p->seg[2] = (struct iovec){ p->data + 200, p->f.len - 200 };
		p->f.n_segs = 3;
		p->f.desc.flags = KNIT_DESC_VLAN;
		p->f.desc.vlan_tci = 0x6007;
	}
	ck_assert_int_eq(merge(&m, ROW), ROW);
	n = knit_tap_merge_build(&m, &vh, hdr, iov);
	ck_assert_uint_le(n, m.n_iov + 2);
	gather(iov, n, big);
	ck_assert_mem_eq(big + 12, "\x81\x00\x60\x07\x08\x00", 6);
	ck_assert_uint_eq(vh.hdr_len, 46);
	ck_assert_uint_eq(vh.csum_start, 38);
	ck_assert_mem_eq(big + 46, packets[0].data + 42, 501);
	ck_assert_mem_eq(big + 46 + 501, packets[1].data + 42, 501);

	packets[3].f.desc.vlan_tci = 0x6008;
	ck_assert_int_eq(merge(&m, ROW), 3);
}
END_TEST

/* One byte of packet 2 changed (checksums made good again unless the checksum is the point). */
struct spoil {
	bool tcp;
	uint8_t at;
	uint8_t value;
	bool bad_sum;
	int taken; /* by the row */
};

START_TEST(rows_end_where_they_must)
{
	static const struct spoil cases[] = {
		{ false, 0, 0x24, false, 2 },	/* other MAC */
		{ false, 15, 0x04, false, 2 },	/* TOS */
		{ false, 20, 0x00, false, 2 },	/* may be fragmented */
		{ false, 20, 0x20, false, 2 },	/* is a fragment */
		{ false, 21, 0x01, false, 2 },	/* likewise */
		{ false, 22, 63, false, 2 },	/* TTL */
		{ false, 23, 1, false, 2 },	/* ICMP */
		{ false, 14, 0x46, false, 2 },	/* options */
		{ false, 26, 11, false, 2 },	/* source */
		{ false, 37, 1, false, 2 },	/* port */
		{ false, 39, 200, false, 2 },	/* UDP length is not IP's */
		{ false, 50, 1, true, 2 },	/* payload damaged */
		{ false, 24, 1, true, 2 },	/* IP checksum damaged */
		{ true, 41, 1, false, 2 },	/* sequence number */
		{ true, 45, 1, false, 2 },	/* acknowledgement */
		{ true, 47, 0x11, false, 2 },	/* FIN */
		{ true, 47, 0x30, false, 2 },	/* URG */
		{ true, 47, 0x90, false, 2 },	/* CWR */
		{ true, 49, 0, false, 2 },	/* window */
		{ true, 60, 9, false, 2 },	/* option */
		{ true, 46, 0x81, false, 2 },	/* reserved bits */
		{ true, 47, 0x18, false, 3 },	/* PSH: the last one of the row */
		{ true, 19, 0x77, false, ROW }, /* id does not matter with DF */
	};
	const struct spoil *c = &cases[_i];
	const struct shape s = { .tcp = c->tcp, .payload = 40 };
	struct knit_tap_merge m;

	make_row(&s, ROW);
	packets[2].data[c->at] = c->value;
	if (!c->bad_sum)
		set_checksums(packets[2].data, packets[2].f.len, false, c->tcp);
	ck_assert_int_eq(merge(&m, ROW), c->taken);
	ck_assert_uint_eq(m.n, c->taken);
}
END_TEST

static void set_id(struct packet *p, uint16_t id)
{
	store16(p->data + 18, id);
	p->data[20] = 0; /* no DF */
	set_checksums(p->data, p->f.len, false, false);
}

START_TEST(datagrams_that_may_be_fragmented)
{
	const struct shape s = { .payload = 40 };
	struct knit_tap_merge m;
	int i;

	make_row(&s, ROW);
	for (i = 0; i < ROW; i++)
		set_id(&packets[i], 0xfffe + i);
	ck_assert_int_eq(merge(&m, ROW), ROW);
	set_id(&packets[3], 77);
	ck_assert_int_eq(merge(&m, ROW), 3);
	for (i = 0; i < ROW; i++)
		set_id(&packets[i], 7);
	ck_assert_int_eq(merge(&m, ROW), ROW);
}
END_TEST

START_TEST(checksums_that_need_no_look)
{
	const struct shape s = { .payload = 40 };
	struct knit_tap_merge m;
	int i;

	make_row(&s, ROW);
	packets[0].data[45] ^= 1; /* damage in the first: nothing may join it */
	ck_assert_int_eq(merge(&m, ROW), 1);
	for (i = 0; i < ROW; i++) /* the port has looked */
		packets[i].f.desc.flags = KNIT_DESC_CSUM_GOOD;
	ck_assert_int_eq(merge(&m, ROW), ROW);
	for (i = 0; i < ROW; i++) { /* not yet summed */
		packets[i].f.desc.flags = KNIT_DESC_CSUM_PARTIAL;
		packets[i].f.desc.csum_start = 34;
		packets[i].f.desc.csum_offset = 6;
	}
	ck_assert_int_eq(merge(&m, ROW), ROW);
	packets[4].f.desc.csum_offset = 8; /* of something else */
	ck_assert_int_eq(merge(&m, ROW), 4);
	/* no checksum at all, and frames that are large already, never join */
	store16(packets[1].data + 40, 0);
	ck_assert_int_eq(merge(&m, ROW), 1);
	packets[0].f.desc.gso_type = KNIT_GSO_UDP_L4;
	ck_assert_int_eq(merge(&m, ROW), 0);
}
END_TEST

START_TEST(limits_hold)
{
	const struct shape s = { .payload = 1472 }, small = { .payload = 40 },
			   more = { .payload = 41 };
	static struct packet many[KNIT_TAP_MERGE_FRAMES];
	struct knit_tap_flow flow;
	struct knit_tap_merge m;
	int i;

	for (i = 0; i < KNIT_TAP_MERGE_FRAMES; i++) {
		make(&many[i], &s, i);
		set_checksums(many[i].data, many[i].f.len, false, false);
		ck_assert(knit_tap_parse(&many[i].f, &flow));
		if (i == 0)
			knit_tap_merge_start(&m, &many[i].f, &flow);
		else if (!knit_tap_merge_add(&m, &many[i].f, &flow))
			break;
	}
	ck_assert_int_eq(i, (65535 - 28) / 1472);
	ck_assert_uint_le(m.payload + 28, 65535);

	/* only the last one may differ, and only be shorter */
	make_row(&small, ROW);
	make(&packets[3], &more, 3);
	set_checksums(packets[3].data, packets[3].f.len, false, false);
	ck_assert_int_eq(merge(&m, ROW), 3);
}
END_TEST

/*
 * Nothing outside the given bytes is read: the sanitizers watch. Lengths in the headers lie at
 * will.
 */
START_TEST(noise_does_no_harm)
{
	struct knit_random random = { 11 };
	uint8_t mem[200], *d;
	struct knit_tap_frame f;
	struct knit_tap_flow flow;
	struct iovec seg;
	uint32_t i, k, len, parsed = 0;

	for (i = 0; i < 200000; i++) {
		len = 14 + knit_random_next(&random) % 120;
		d = mem + sizeof(mem) - len;
		for (k = 0; k < len; k++)
			d[k] = knit_random_next(&random) % 3 ? 0 : knit_random_next(&random);
		if (len > 60) {
			memcpy(d + 12, "\x08\x00\x45", 3);
			d[16] = 0;
			d[17] = len - 14 + knit_random_next(&random) % 3 - 1;
			d[20] = 0;
			d[21] = 0;
			d[23] = i & 1 ? 6 : 17;
			d[38] = 0;
			d[39] = len - 34;
			d[46] = 0x50;
			d[47] = 0x10;
		}
		seg = (struct iovec){ d, len };
		f = (struct knit_tap_frame){ .seg = &seg, .n_segs = 1, .len = len };
		if (!knit_tap_parse(&f, &flow))
			continue;
		parsed++;
		ck_assert_uint_le(f.hdr_len + f.payload, len);
		ck_assert_uint_gt(f.payload, 0);
	}
	ck_assert_uint_gt(parsed, 100);
}
END_TEST

KNIT_SUITE(tap_coalesce)
{
	TCase *tc = tcase_create("rows");

	tcase_add_loop_test(tc, row_can_be_cut_again, 0, 8);
	tcase_add_loop_test(tc, rows_end_where_they_must, 0, 23);
	suite_add_tcase(s, tc);
	knit_add_test(s, "chains and tags", chains_and_tags, 0);
	knit_add_test(s, "datagrams that may be fragmented", datagrams_that_may_be_fragmented, 0);
	knit_add_test(s, "checksums that need no look", checksums_that_need_no_look, 0);
	knit_add_test(s, "limits hold", limits_hold, 0);
	knit_add_test(s, "noise does no harm", noise_does_no_harm, 20);
}
