// SPDX-License-Identifier: BSD-3-Clause
#include "rows.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/mroute.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* UDP datagrams that follow each other, towards the kernel: together only if nobody would see. */

/* Bytes, at most, that the module copied before it handed some over. */
static uint32_t longest_visit(void)
{
	FILE *f = fopen(TRACE "trace", "r");
	uint32_t bytes = 0, most = 0;
	char line[512], *len;

	while (f && fgets(line, sizeof(line), f)) {
		len = strstr(line, " len=");
		if (strstr(line, " kni_rx_stack: "))
			bytes = 0;
		else if (len && strstr(line, " kni_rx_take: "))
			bytes += strtoul(len + 5, NULL, 10);
		most = bytes > most ? bytes : most;
	}
	if (f)
		fclose(f);
	return most;
}

/* Of what the module handed over since the last call of handed_over. */
static uint32_t least_headroom(void)
{
	FILE *f = fopen(TRACE "trace", "r");
	uint32_t least = UINT32_MAX, room;
	char line[512], *at;

	while (f && fgets(line, sizeof(line), f)) {
		at = strstr(line, " kni_rx_stack: ");
		at = at ? strstr(at, " headroom=") : NULL;
		room = at ? strtoul(at + 10, NULL, 10) : least;
		least = room < least ? room : least;
	}
	if (f)
		fclose(f);
	return least;
}

/* However long frames are, a visit ends with the one that makes 256 KiB. */
static bool long_frames(struct world *w)
{
	uint32_t i, len = 60000;

	fill(w->out, len, 1);
	for (i = 0; i < 16; i++)
		rx_put(w->full, w->out, len, 0, NULL);
	handed_over();
	CHECK(write_to(TRACE "events/kni/kni_rx_take/enable", 0, "1"));
	CHECK(channel_attach(w->full) == 0);
	CHECK(conserved(w->full));
	CHECK(channel_detach(w->full) == 0);
	CHECK(write_to(TRACE "events/kni/kni_rx_take/enable", 0, "0"));
	CHECK(longest_visit() == (256u << 10) / len * len + len);
	CHECK(handed_over() == 16);
	return true;
}

/* This kernel has not what the module needs to merge. */
static bool never_merged(struct world *w)
{
	int udp = udp_socket(UDP_PORT);

	CHECK(!iface_can_lro(w->full));
	CHECK(row_as(w, 100) == ROW);
	CHECK(row_arrived(w, udp, 100));
	close(udp);
	return true;
}

/* Off unless somebody asks for it, and what is sent is what everybody sees. */
static bool off_by_default(struct world *w)
{
	int udp = udp_socket(UDP_PORT), sniffer;

	CHECK(!iface_has_lro(w->full));
	CHECK(row_as(w, 100) == ROW);
	CHECK(row_arrived(w, udp, 100));
	iface_lro(w->full, true);
	CHECK(iface_has_lro(w->full));
	CHECK(row_as(w, 100) == 1);
	CHECK(row_arrived(w, udp, 100));
	sniffer = packet_socket(w->full->ifindex, ETH_P_IP, false);
	CHECK(row_as(w, 100) == ROW);
	CHECK(row_arrived(w, udp, 100));
	CHECK(pieces(w, sniffer) == ROW);
	close(sniffer);
	CHECK(row_as(w, 100) == 1);
	close(udp);
	return true;
}

/* A row passes the stack as one, and the socket gets what was sent. */
static bool merged(struct world *w)
{
	static const uint32_t sizes[] = {
		UDP_HEADERS + 1, 60, 64, 100, 1514, 3000, 3390, 3500, 8000
	};
	int udp = udp_socket(UDP_PORT);
	uint64_t packets, bytes;
	uint32_t i;

	iface_lro(w->full, true);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		/* 65535 bytes of IP packet at most, and none of what is not in one piece */
		uint32_t n = 1 + (ROW - 1) / (65507 / (sizes[i] - UDP_HEADERS));

		packets = COUNT(w->full, rx_packets);
		bytes = COUNT(w->full, rx_bytes);
		CHECK(row_as(w, sizes[i]) == (sizes[i] > 3390 ? ROW : n));
		CHECK(row_arrived(w, udp, sizes[i]));
		CHECK(COUNT(w->full, rx_packets) - packets == ROW);
		CHECK(COUNT(w->full, rx_bytes) - bytes == (uint64_t)ROW * sizes[i]);
	}
	close(udp);
	return true;
}

#define HEX8 "0102030405060708"
#define HEX32 HEX8 HEX8 HEX8 HEX8
#define GENEVE_OPTIONS (2 * (4 + 96))
#define OUTER (14 + 20 + 8 + 8 + GENEVE_OPTIONS)

/*
 * A macvlan's owner sends what comes to him through a tunnel, whose headers are longer than the
 * headroom of an skb.
 */
static bool tunnelled(struct world *w)
{
	struct knit_desc good = { .flags = KNIT_DESC_CSUM_GOOD };
	struct frame *f = &w->frame;
	uint32_t i;

	iface_lro(w->full, true);
	iface_address(w->bare, ROUTED_IP - 1);
	run("ip link add mv0 link full address 02:00:00:00:00:09 type macvlan mode bridge;"
	    "ip link set mv0 up; ip link add gv0 type geneve external; ip link set gv0 up;"
	    "tc qdisc add dev mv0 clsact;"
	    "tc filter add dev mv0 ingress matchall action tunnel_key set src_ip 10.0.1.1"
	    " dst_ip 10.0.1.2 id 7 dst_port 6081 nocsum geneve_opts"
	    " 0102:01:" HEX32 HEX32 HEX32 ",0102:02:" HEX32 HEX32 HEX32
	    " action mirred egress redirect dev gv0");
	for (i = 0; i < ROW; i++) {
		udp_frame(w->out, 100, SUM_GOOD);
		memcpy(w->out, "\2\0\0\0\0\11", 6);
		w->out[UDP_HEADERS] = i;
		rx_put(w->full, w->out, 100, 0, &good);
	}
	CHECK(channel_attach(w->bare) == 0);
	CHECK(channel_attach(w->full) == 0);
	CHECK(conserved(w->full));
	for (i = 0; i < ROW; i++) {
		w->out[UDP_HEADERS] = i;
		CHECK(take_frame(w->bare, ETH_P_IP, f));
		CHECK(f->len == OUTER + 100);
		CHECK(memcmp(f->data + OUTER, w->out, 100) == 0);
	}
	CHECK(channel_detach(w->full) == 0);
	CHECK(channel_detach(w->bare) == 0);
	run("ip link del gv0; ip link del mv0");
	return true;
}

/*
 * Should a row leave after all: its datagrams have room for the outer headers of geneve over IPv6
 * with all options.
 */
static bool room_for_headers(struct world *w)
{
	iface_lro(w->full, true);
	handed_over();
	CHECK(row_of_datagrams(w, 100));
	CHECK(least_headroom() >= 14 + 40 + 8 + 8 + 252 + 14);
	CHECK(handed_over() == 1);
	iface_lro(w->full, false);
	CHECK(row_of_datagrams(w, 100));
	CHECK(least_headroom() < 256);
	return true;
}

#define FULL_ROW 64 /* frames per visit */

static bool default_buffer(int fd)
{
	int fresh = socket(AF_INET, SOCK_DGRAM, 0), size = 0;
	socklen_t len = sizeof(size);

	getsockopt(fresh, SOL_SOCKET, SO_RCVBUF, &size, &len);
	close(fresh);
	size /= 2; /* the kernel takes twice what it is told */
	return size > 0 && setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) == 0;
}

/* Who has not read yet has them all, as if each had come alone. */
static bool ordinary_socket(struct world *w)
{
	struct knit_desc good = { .flags = KNIT_DESC_CSUM_GOOD };
	int udp = udp_socket(UDP_PORT);
	uint32_t i;

	iface_lro(w->full, true);
	CHECK(default_buffer(udp));
	for (i = 0; i < FULL_ROW; i++) {
		udp_frame(w->out, 1514, SUM_GOOD);
		rx_put(w->full, w->out, 1514, 0, &good);
	}
	CHECK(channel_attach(w->full) == 0);
	CHECK(conserved(w->full));
	CHECK(channel_detach(w->full) == 0);
	CHECK(pieces(w, udp) == FULL_ROW);
	close(udp);
	return true;
}

static bool forwarding(bool on)
{
	return write_to("/proc/sys/net/ipv4/ip_forward", 0, on ? "1" : "0");
}

static bool leaves_as_it_came(struct world *w, uint8_t number)
{
	struct frame *f = &w->frame;

	CHECK(take_frame(w->bare, ETH_P_IP, f));
	CHECK(f->len == 100);
	CHECK(f->data[22] == 63);
	CHECK(f->data[UDP_HEADERS] == number);
	CHECK(sums_right(f->data, f->len, false));
	return true;
}

/* What the stack changes in a header it changes in each: it asks for no merging where it routes. */
static bool routed(struct world *w)
{
	struct knit_desc good = { .flags = KNIT_DESC_CSUM_GOOD };
	uint32_t i;

	iface_address(w->bare, ROUTED_IP - 1);
	iface_lro(w->full, true);
	CHECK(forwarding(true));
	CHECK(!iface_has_lro(w->full));
	for (i = 0; i < ROW; i++) {
		routed_frame(w->out, 100, w->full, i);
		rx_put(w->full, w->out, 100, 0, &good);
	}
	CHECK(channel_attach(w->bare) == 0);
	CHECK(channel_attach(w->full) == 0);
	CHECK(conserved(w->full));
	for (i = 0; i < ROW; i++)
		CHECK(leaves_as_it_came(w, i));
	CHECK(forwarding(false));
	CHECK(channel_detach(w->full) == 0);
	CHECK(channel_detach(w->bare) == 0);
	return true;
}

/* From full to bare. The socket: it ends with it. */
static int multicast_router(const struct world *w)
{
	struct vifctl in = { .vifc_vifi = 0, .vifc_flags = VIFF_USE_IFINDEX, .vifc_threshold = 1 };
	struct vifctl out = { .vifc_vifi = 1, .vifc_flags = VIFF_USE_IFINDEX, .vifc_threshold = 1 };
	struct mfcctl route = {
		.mfcc_origin.s_addr = htonl(PEER_IP),
		.mfcc_mcastgrp.s_addr = htonl(GROUP_IP),
		.mfcc_parent = 0,
		.mfcc_ttls = { 0, 1 },
	};
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_IGMP), one = 1;

	in.vifc_lcl_ifindex = w->full->ifindex;
	out.vifc_lcl_ifindex = w->bare->ifindex;
	if (setsockopt(fd, IPPROTO_IP, MRT_INIT, &one, sizeof(one)) ||
	    setsockopt(fd, IPPROTO_IP, MRT_ADD_VIF, &in, sizeof(in)) ||
	    setsockopt(fd, IPPROTO_IP, MRT_ADD_VIF, &out, sizeof(out)) ||
	    setsockopt(fd, IPPROTO_IP, MRT_ADD_MFC, &route, sizeof(route)))
		die("multicast routing");
	return fd;
}

/* Groups are routed though nothing else is, and a row would be longer than the MTU. */
static bool routed_to_group(struct world *w)
{
	struct knit_desc good = { .flags = KNIT_DESC_CSUM_GOOD };
	uint32_t i;
	int router;

	iface_lro(w->full, true);
	router = multicast_router(w);
	for (i = 0; i < ROW; i++) {
		udp_frame_to(w->out, 100, GROUP_IP, i);
		rx_put(w->full, w->out, 100, 0, &good);
	}
	CHECK(channel_attach(w->bare) == 0);
	CHECK(channel_attach(w->full) == 0);
	CHECK(conserved(w->full));
	for (i = 0; i < ROW; i++)
		CHECK(leaves_as_it_came(w, i));
	CHECK(channel_detach(w->full) == 0);
	CHECK(channel_detach(w->bare) == 0);
	close(router);
	return true;
}

/* GRO's own lists know no room for headers, either: whoever looks sees each datagram. */
static bool no_lists(struct world *w)
{
	char command[] = "ethtool -K full rx-gro-list on";
	int udp = udp_socket(UDP_PORT), sniffer, status;

	iface_lro(w->full, false);
	status = run_one(command);
	sniffer = packet_socket(w->full->ifindex, ETH_P_IP, false);
	CHECK(row_of_datagrams(w, 100));
	CHECK(pieces(w, sniffer) == ROW);
	CHECK(row_arrived(w, udp, 100));
	CHECK(status == 1);
	close(sniffer);
	close(udp);
	return true;
}

/*
 * Flows, more than there are rows, take turns; some of their datagrams are of another size, have no
 * checksum that is known, or are in several pieces. Each flow's order is kept.
 */
static bool flows(struct world *w)
{
	struct knit_desc good = { .flags = KNIT_DESC_CSUM_GOOD }, unknown = { 0 };
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	uint32_t next[64] = { 0 }, i, flow, seq;
	int udp = udp_socket(UDP_PORT);

	iface_lro(w->full, true);
	for (i = 0; i < 3 * RING; i++) {
		uint32_t len = 100 + (i * i % 7 == 2 ? i % 50 : 0);

		udp_frame(w->out, len, SUM_GOOD);
		w->out[35] = 100 + i * i % 41;
		w->out[UDP_HEADERS] = next[i * i % 41]++;
		/* what nobody vouches for is summed by the stack: a datagram without checksum */
		if (i % 11 == 3)
			memset(w->out + 40, 0, 2);
		rx_put(w->full, w->out, len, i % 5 ? 0 : 50, i % 11 == 3 ? &unknown : &good);
		if (i == RING / 2)
			CHECK(channel_attach(w->full) == 0);
	}
	memset(next, 0, sizeof(next));
	for (i = 0; i < 3 * RING; i++) {
		CHECK(recvfrom(udp, w->in, sizeof(w->in), 0, (struct sockaddr *)&from, &from_len) >
		      0);
		flow = ntohs(from.sin_port) - 100;
		seq = w->in[0];
		CHECK(flow < 41);
		CHECK(seq == (next[flow]++ & 0xff));
	}
	CHECK(conserved(w->full));
	CHECK(channel_detach(w->full) == 0);
	close(udp);
	return true;
}

const struct test long_tests[] = {
	{ "rx long frames", long_frames },
	{ NULL, NULL },
};

const struct test never_merged_tests[] = {
	{ "rx datagrams in a row come one by one, and LRO is refused", never_merged },
	{ NULL, NULL },
};

const struct test merge_tests[] = {
	{ "rx datagrams in a row come one by one, unless LRO is on", off_by_default },
	{ "rx datagrams in a row", merged },
	{ "rx datagrams in a row, socket of the default size", ordinary_socket },
	{ "rx datagrams that leave by a tunnel", tunnelled },
	{ "rx datagrams in a row have room for headers", room_for_headers },
	{ "rx datagrams routed", routed },
	{ "rx datagrams routed to a group", routed_to_group },
	{ "rx lists of GRO are refused", no_lists },
	{ "rx datagrams of many flows", flows },
	{ NULL, NULL },
};
