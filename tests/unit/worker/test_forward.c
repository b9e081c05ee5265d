// SPDX-License-Identifier: BSD-3-Clause
#include "unit.h"

#include "worker/datapath/forward.h"

#include <stdlib.h>
#include <string.h>

#define N 40
#define KERNEL 3
#define PEER 7

/* Frames that only have a destination: what forward.c may look at. */
static struct rte_mbuf mbufs[N];
static struct rte_mbuf *ptrs[N];
static uint8_t data[N][64];
static uint16_t to[N];

static struct knit_topo_port port = { .mac = { 0x02, 0x11, 0x22, 0x33, 0x44, 0x55 } };
static struct knit_burst burst = { .m = ptrs };

static const uint8_t own[6] = { 0x02, 0x11, 0x22, 0x33, 0x44, 0x55 };
static const uint8_t other[6] = { 0x02, 0x11, 0x22, 0x33, 0x44, 0x56 };
static const uint8_t group[6] = { 0x33, 0x33, 0, 0, 0, 1 };
static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static void frame(unsigned int i, const uint8_t dst[6])
{
	memset(data[i], 0xa5, sizeof(data[i]));
	memcpy(data[i] + 10, dst, 6);
	mbufs[i] = (struct rte_mbuf){ .buf_addr = data[i], .data_off = 10, .data_len = 54 };
	ptrs[i] = &mbufs[i];
	burst.n = i + 1;
}

static struct knit_input input(uint16_t kernel, uint16_t peer)
{
	memset(to, 0xee, sizeof(to));
	return (struct knit_input){
		.end = KNIT_END_PORT, .kernel = kernel, .peer = peer, .port = &port
	};
}

/* As after knit_port_rx */
static uint16_t decide(const struct knit_input *in)
{
	if (in->kernel != in->peer)
		knit_burst_sum_two_ways(&burst, in->port);
	return knit_forward(in, &burst, to);
}

static uint16_t decide_one(const uint8_t dst[6])
{
	struct knit_input in = input(KERNEL, PEER);

	frame(0, dst);
	return decide(&in);
}

START_TEST(single_frames)
{
	uint8_t near[6];
	unsigned int i;

	ck_assert_uint_eq(decide_one(own), KERNEL);
	ck_assert_uint_eq(decide_one(group), KERNEL);
	ck_assert_uint_eq(decide_one(everybody), KERNEL);
	ck_assert_uint_eq(decide_one(other), PEER);
	/* Every bit of the address counts; the lowest of the first byte makes it a group's. */
	for (i = 0; i < 48; i++) {
		memcpy(near, own, sizeof(near));
		near[i / 8] ^= 1 << i % 8;
		ck_assert_uint_eq(decide_one(near), i == 0 ? KERNEL : PEER);
	}
}
END_TEST

/* The two bytes behind the port's address, and those behind the frame's, belong to others. */
START_TEST(six_bytes_are_compared)
{
	port.mac[6] = 0x77;
	ck_assert_uint_eq(decide_one(own), KERNEL);
	port.mac[6] = 0;
}
END_TEST

START_TEST(whole_bursts)
{
	struct knit_input in = input(KERNEL, PEER);
	unsigned int i;

	for (i = 0; i < N; i++)
		frame(i, other);
	ck_assert_uint_eq(decide(&in), PEER);
	for (i = 0; i < N; i++)
		frame(i, i % 2 ? own : group);
	ck_assert_uint_eq(decide(&in), KERNEL);
}
END_TEST

/* One that differs, at each place; then all mixtures of a short burst. */
START_TEST(mixed_bursts)
{
	struct knit_input in = input(KERNEL, PEER);
	unsigned int i, k;

	for (k = 0; k < N; k++) {
		for (i = 0; i < N; i++)
			frame(i, i == k ? own : other);
		ck_assert_uint_eq(decide(&in), KNIT_OUT_MIXED);
		for (i = 0; i < N; i++)
			ck_assert_uint_eq(to[i], i == k ? KERNEL : PEER);
	}
	for (k = 1; k < 255; k++) {
		for (i = 0; i < 8; i++)
			frame(i, k & 1U << i ? everybody : other);
		ck_assert_uint_eq(decide(&in), KNIT_OUT_MIXED);
		for (i = 0; i < 8; i++)
			ck_assert_uint_eq(to[i], k & 1U << i ? KERNEL : PEER);
	}
}
END_TEST

/* Every field of the summary, also of bursts of an odd size; and lanes beside them do not count. */
static void check_summary(void)
{
	struct knit_burst plain = burst;
	uint64_t word = knit_port_mac(&port);

	knit_burst_pass_scalar(&plain, true, word);
	knit_burst_pass(&burst, true, word);
	ck_assert_uint_eq(burst.max_len, plain.max_len);
	ck_assert_uint_eq(burst.segs, plain.segs);
	ck_assert_uint_eq(burst.flags, plain.flags);
	ck_assert_uint_eq(burst.bytes, plain.bytes);
	ck_assert_uint_eq(burst.any_for_kernel, plain.any_for_kernel);
	knit_burst_pass(&burst, false, word);
	ck_assert_uint_eq(burst.max_len, plain.max_len);
	ck_assert_uint_eq(burst.segs, plain.segs);
	ck_assert_uint_eq(burst.flags, plain.flags);
	ck_assert_uint_eq(burst.bytes, plain.bytes);
	ck_assert(!burst.any_for_kernel);
}

START_TEST(summary)
{
	unsigned int n, i, round, for_kernel = 0;

	srandom(7);
	for (round = 0; round < 2000; round++) {
		n = 1 + random() % N;
		for (i = 0; i < n; i++) {
			frame(i, random() % 64 ? other : random() % 2 ? own : group);
			mbufs[i].refcnt = random();
			mbufs[i].nb_segs = random();
			mbufs[i].port = random();
			mbufs[i].ol_flags = (uint64_t)random() << 33 ^ random();
			mbufs[i].packet_type = random();
			mbufs[i].pkt_len = random() % 65536;
			mbufs[i].vlan_tci = random();
			mbufs[i].hash.rss = random();
		}
		check_summary();
		knit_burst_sum_two_ways(&burst, &port);
		for_kernel += burst.any_for_kernel;
	}
	ck_assert_uint_gt(for_kernel, 200);
	ck_assert_uint_lt(for_kernel, 1800);
}
END_TEST

/* An input with one way out does not look at frames at all. */
START_TEST(one_way_out)
{
	struct knit_input in = input(PEER, PEER);

	frame(0, own);
	frame(1, other);
	mbufs[0].buf_addr = NULL;
	ck_assert_uint_eq(decide(&in), PEER);
}
END_TEST

/* A port without an interface: output 0 drops what the kernel would get. */
START_TEST(no_interface)
{
	struct knit_input in = input(0, PEER);

	frame(0, everybody);
	frame(1, other);
	ck_assert_uint_eq(decide(&in), KNIT_OUT_MIXED);
	ck_assert_uint_eq(to[0], 0);
	ck_assert_uint_eq(to[1], PEER);
}
END_TEST

/* The MAC changes under traffic: the next burst knows. */
START_TEST(new_mac)
{
	ck_assert_uint_eq(decide_one(other), PEER);
	memcpy(port.mac, other, 6);
	ck_assert_uint_eq(decide_one(other), KERNEL);
	ck_assert_uint_eq(decide_one(own), PEER);
	memcpy(port.mac, own, 6);
}
END_TEST

static void further(unsigned int n, const uint8_t (*list)[6])
{
	struct rte_ether_addr addr[KNIT_RXLIST_MAX] = { 0 };
	unsigned int i;

	for (i = 0; i < n; i++)
		memcpy(addr[i].addr_bytes, list[i], 6);
	knit_macs_set(&port.further, addr, n);
}

/* What the kernel wants to receive besides the port's own address, until it does not any more. */
START_TEST(further_addresses)
{
	static const uint8_t vrrp[2][6] = { { 0, 0, 0x5e, 0, 1, 7 }, { 0, 0, 0x5e, 0, 1, 8 } };
	struct knit_input in = input(KERNEL, PEER);
	unsigned int i;

	ck_assert_uint_eq(decide_one(vrrp[1]), PEER);
	further(2, vrrp);
	ck_assert_uint_eq(decide_one(vrrp[0]), KERNEL);
	ck_assert_uint_eq(decide_one(vrrp[1]), KERNEL);
	ck_assert_uint_eq(decide_one(own), KERNEL);
	ck_assert_uint_eq(decide_one(everybody), KERNEL);
	ck_assert_uint_eq(decide_one(other), PEER);
	for (i = 0; i < N; i++)
		frame(i, i % 3 ? other : vrrp[1]);
	ck_assert_uint_eq(decide(&in), KNIT_OUT_MIXED);
	for (i = 0; i < N; i++)
		ck_assert_uint_eq(to[i], i % 3 ? PEER : KERNEL);
	further(1, vrrp);
	ck_assert_uint_eq(decide_one(vrrp[0]), KERNEL);
	ck_assert_uint_eq(decide_one(vrrp[1]), PEER);
	further(0, vrrp);
	ck_assert_uint_eq(decide_one(vrrp[0]), PEER);
	ck_assert_uint_eq(decide_one(own), KERNEL);
}
END_TEST

/* What is told of a decision is what was decided, whatever the addresses. */
START_TEST(reasons)
{
	static const uint8_t vrrp[1][6] = { { 0, 0, 0x5e, 0, 1, 7 } };
	static const struct {
		const uint8_t *dst;
		enum knit_watch_why why;
	} cases[] = {
		{ own, KNIT_WATCH_WHY_OWN },	     { other, KNIT_WATCH_WHY_OTHER },
		{ group, KNIT_WATCH_WHY_GROUP },     { everybody, KNIT_WATCH_WHY_GROUP },
		{ vrrp[0], KNIT_WATCH_WHY_FURTHER },
	};
	struct knit_input in = input(KERNEL, PEER), one = input(PEER, PEER);
	unsigned int i;

	further(1, vrrp);
	for (i = 0; i < RTE_DIM(cases); i++) {
		ck_assert_uint_eq(decide_one(cases[i].dst),
				  cases[i].why == KNIT_WATCH_WHY_OTHER ? PEER : KERNEL);
		ck_assert_uint_eq(knit_forward_why(&in, &mbufs[0]), cases[i].why);
		ck_assert_uint_eq(knit_forward_why(&one, &mbufs[0]), KNIT_WATCH_WHY_ONLY);
	}
	further(0, vrrp);
	frame(0, vrrp[0]);
	ck_assert_uint_eq(knit_forward_why(&in, &mbufs[0]), KNIT_WATCH_WHY_OTHER);
}
END_TEST

/* As many as there may be, near each other; an address that is listed twice; zero is nobody's. */
START_TEST(many_addresses)
{
	static uint8_t list[KNIT_RXLIST_MAX][6];
	uint8_t mac[6] = { 0x02, 0, 0, 0, 0, 0 };
	unsigned int i, round;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < KNIT_RXLIST_MAX; i++) {
			memcpy(list[i], mac, 6);
			list[i][4] = i >> 8;
			list[i][5] = i;
			list[i][3] = round;
		}
		memcpy(list[1], list[0], 6);
		memset(list[2], 0, 6);
		further(KNIT_RXLIST_MAX, list);
		for (i = 0; i < KNIT_RXLIST_MAX; i++) {
			ck_assert_uint_eq(decide_one(list[i]), i == 2 ? PEER : KERNEL);
			list[i][2] = 1;
			ck_assert_uint_eq(decide_one(list[i]), PEER);
			list[i][2] = 0;
		}
	}
	further(0, list);
}
END_TEST

KNIT_SUITE(forward)
{
	knit_add_test(s, "single frames", single_frames, 0);
	knit_add_test(s, "six bytes are compared", six_bytes_are_compared, 0);
	knit_add_test(s, "whole bursts", whole_bursts, 0);
	knit_add_test(s, "mixed bursts", mixed_bursts, 0);
	knit_add_test(s, "summary", summary, 0);
	knit_add_test(s, "one way out", one_way_out, 0);
	knit_add_test(s, "no interface", no_interface, 0);
	knit_add_test(s, "new mac", new_mac, 0);
	knit_add_test(s, "further addresses", further_addresses, 0);
	knit_add_test(s, "reasons", reasons, 0);
	knit_add_test(s, "many addresses", many_addresses, 0);
}
