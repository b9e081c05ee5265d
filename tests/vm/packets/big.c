// SPDX-License-Identifier: BSD-3-Clause
#include "test.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

/* TCP to be cut that is longer than 64 KiB: where the interface has it, and in no other frame. */

#define MSS 1448

static struct knit_desc gso_desc(uint32_t hdr_len)
{
	return (struct knit_desc){
		.flags = KNIT_DESC_CSUM_PARTIAL,
		.csum_start = hdr_len - 20,
		.csum_offset = 16,
		.gso_type = hdr_len == TCP_HEADERS ? KNIT_GSO_TCPV4 : KNIT_GSO_TCPV6,
		.gso_size = MSS,
		.hdr_len = hdr_len,
	};
}

static void ipv4_frame(uint8_t *frame, uint32_t len)
{
	tcp_frame(frame, len, SUM_PSEUDO);
	frame[16] = frame[17] = 0;
}

/* To nobody; with the option that says how long it is, or without. */
static uint32_t ipv6_frame(uint8_t *frame, uint32_t len, bool option)
{
	static const uint8_t start[] = { 0x86, 0xdd, 0x60, 0, 0, 0, 0, 0, IPPROTO_TCP, 64 };
	const uint32_t l4 = ETH_HLEN + 40 + (option ? 8 : 0);
	const uint32_t jumbo = htonl(len - ETH_HLEN - 40);
	uint8_t *opt = frame + ETH_HLEN + 40;

	tcp_frame(frame, len, SUM_PSEUDO);
	memset(frame + 12, 0, l4 + 20 - 12);
	memcpy(frame + 12, start, sizeof(start));
	frame[ETH_HLEN + 8] = frame[ETH_HLEN + 24] = 0xfd;
	frame[l4 + 12] = 0x50;
	if (option) {
		frame[ETH_HLEN + 6] = IPPROTO_HOPOPTS;
		opt[0] = IPPROTO_TCP;
		opt[2] = 0xc2;
		opt[3] = 4;
		memcpy(opt + 4, &jumbo, sizeof(jumbo));
	}
	return l4 + 20;
}

static bool arrives(struct world *w, int fd, uint32_t len, uint32_t seg, uint32_t hdr_len)
{
	const struct knit_desc d = gso_desc(hdr_len);

	rx_put(w->big, w->out, len, seg, &d);
	CHECK(receive(fd, w->in, sizeof(w->in)) == len);
	CHECK(memcmp(w->in, w->out, len) == 0);
	return true;
}

static bool whole(struct world *w)
{
	static const uint32_t lens[] = { 65535,
					 65536,
					 KNIT_FRAME_MAX,
					 KNIT_FRAME_MAX + 1,
					 KNIT_BIG_FRAME_MAX - 1,
					 KNIT_BIG_FRAME_MAX };
	int v4 = packet_socket(w->big->ifindex, ETH_P_IP, false);
	int v6 = packet_socket(w->big->ifindex, ETH_P_IPV6, false);
	struct knit_ioc_stats before = stats_of(w->big);
	uint32_t i;

	CHECK(channel_attach(w->big) == 0);
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		ipv4_frame(w->out, lens[i]);
		CHECK(arrives(w, v4, lens[i], 16384, TCP_HEADERS));
		CHECK(arrives(w, v4, lens[i], KNIT_BIG_BUFFER_MIN, TCP_HEADERS));
		CHECK(arrives(w, v6, lens[i], 65535, ipv6_frame(w->out, lens[i], true)));
		CHECK(arrives(w, v6, lens[i], 9000, ipv6_frame(w->out, lens[i], false)));
	}
	CHECK(conserved(w->big));
	CHECK(COUNT(w->big, rx_packets) - before.rx_packets == 4 * i);
	CHECK(channel_detach(w->big) == 0);
	close(v4);
	close(v6);
	return true;
}

#define REJECTED(w, c, len, desc, field)                           \
	do {                                                       \
		struct knit_ioc_stats before_ = stats_of(c);       \
		rx_put(c, (w)->out, len, 16384, &(desc));          \
		CHECK(conserved(c));                               \
		CHECK(COUNT(c, field) == before_.field + 1);       \
		CHECK(COUNT(c, rx_packets) == before_.rx_packets); \
	} while (0)

static bool rejects(struct world *w)
{
	struct knit_desc tcp = gso_desc(TCP_HEADERS), tcp6 = tcp, udp = tcp, plain = { 0 };

	udp.gso_type = KNIT_GSO_UDP_L4;
	udp.csum_offset = 6;
	udp.hdr_len = UDP_HEADERS;
	CHECK(channel_attach(w->big) == 0);
	CHECK(channel_attach(w->full) == 0);
	ipv4_frame(w->out, KNIT_BIG_FRAME_MAX);
	REJECTED(w, w->big, KNIT_BIG_FRAME_MAX + 1, tcp, bad_len);
	REJECTED(w, w->big, KNIT_FRAME_MAX + 1, plain, bad_len);
	REJECTED(w, w->big, KNIT_FRAME_MAX + 1, udp, bad_len);
	REJECTED(w, w->full, KNIT_FRAME_MAX + 1, tcp, bad_len);
	/* a segment for each byte or so */
	tcp.gso_size = (KNIT_BIG_FRAME_MAX - TCP_HEADERS) / KNIT_GSO_MAX_SEGS;
	REJECTED(w, w->big, KNIT_BIG_FRAME_MAX, tcp, bad_gso);
	tcp.gso_size = MSS;
	/* a length that is not its own */
	w->out[17] = 60;
	REJECTED(w, w->big, KNIT_BIG_FRAME_MAX, tcp, bad_gso);
	tcp6 = gso_desc(ipv6_frame(w->out, KNIT_BIG_FRAME_MAX, true));
	w->out[ETH_HLEN + 4] = 0xff;
	REJECTED(w, w->big, KNIT_BIG_FRAME_MAX, tcp6, bad_gso);
	/* one that UDP has */
	udp_frame(w->out, 1000, SUM_PSEUDO);
	w->out[16] = w->out[17] = 0;
	REJECTED(w, w->big, KNIT_BIG_FRAME_MAX, tcp, bad_gso);
	CHECK(channel_detach(w->big) == 0);
	CHECK(channel_detach(w->full) == 0);
	return true;
}

/* In a thousand ways to be in pieces, none of which loses a byte. */
static bool in_pieces(struct world *w)
{
	int fd = packet_socket(w->big->ifindex, ETH_P_IP, false);
	uint32_t i, len;

	CHECK(channel_attach(w->big) == 0);
	for (i = 0; i < 40; i++) {
		len = KNIT_FRAME_MAX + 1 + i * 3276;
		ipv4_frame(w->out, len);
		CHECK(arrives(w, fd, len, KNIT_BIG_BUFFER_MIN + i * 1600, TCP_HEADERS));
	}
	CHECK(channel_detach(w->big) == 0);
	close(fd);
	return true;
}

const struct test big_tests[] = {
	{ "big frames arrive whole", whole },
	{ "big frames in pieces", in_pieces },
	{ "big frames that are none", rejects },
	{ NULL, NULL },
};
