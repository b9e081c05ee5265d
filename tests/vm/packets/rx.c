// SPDX-License-Identifier: BSD-3-Clause
#include "test.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Towards the kernel. */

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

/* One frame, in segments of seg bytes, arrives as it is. */
static bool arrives(struct world *w, struct channel *c, int fd, uint32_t len, uint32_t seg)
{
	fill(w->out, len, len + seg);
	rx_put(c, w->out, len, seg, NULL);
	CHECK(receive(fd, w->in, sizeof(w->in)) == len);
	CHECK(memcmp(w->in, w->out, len) == 0);
	return true;
}

static bool sizes_of(struct world *w, struct channel *c)
{
	static const uint32_t sizes[] = { 14,	60,   61,   64,	  128,	1000, 1514, 1518,  2048,
					  3700, 3711, 3712, 3713, 3776, 4096, 9014, 32768, 65535 };
	int fd = packet_socket(c->ifindex, ETHERTYPE_TEST, false);
	struct knit_ioc_stats before = stats_of(c);
	uint64_t bytes = 0;
	uint32_t i;

	CHECK(channel_attach(c) == 0);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		CHECK(arrives(w, c, fd, sizes[i], 0));
		bytes += sizes[i];
	}
	CHECK(conserved(c));
	CHECK(COUNT(c, rx_packets) - before.rx_packets == i);
	CHECK(COUNT(c, rx_bytes) - before.rx_bytes == bytes);
	CHECK(channel_detach(c) == 0);
	close(fd);
	return true;
}

static bool sizes(struct world *w)
{
	return sizes_of(w, w->full) && sizes_of(w, w->bare);
}

static bool segments(struct world *w)
{
	int fd = packet_socket(w->full->ifindex, ETHERTYPE_TEST, false);

	CHECK(channel_attach(w->full) == 0);
	CHECK(arrives(w, w->full, fd, 60, 1));
	CHECK(arrives(w, w->full, fd, 65, 1));
	CHECK(arrives(w, w->full, fd, 100, 13));
	CHECK(arrives(w, w->full, fd, 1514, 100));
	CHECK(arrives(w, w->full, fd, 9014, 2048));
	CHECK(arrives(w, w->full, fd, KNIT_FRAME_MAX, 1024));
	CHECK(arrives(w, w->full, fd, KNIT_FRAME_MAX, 65535));
	CHECK(conserved(w->full));
	CHECK(channel_detach(w->full) == 0);
	close(fd);
	return true;
}

/* Many at once, more than a visit and more than the ring, in order. */
static bool bursts(struct world *w)
{
	int fd = packet_socket(w->full->ifindex, ETHERTYPE_TEST, false);
	uint32_t i;

	CHECK(channel_attach(w->full) == 0);
	for (i = 0; i < 5 * RING; i++) {
		fill(w->out, 100, i);
		rx_put(w->full, w->out, 100, i % 3 ? 0 : 40, NULL);
	}
	for (i = 0; i < 5 * RING; i++) {
		fill(w->out, 100, i);
		CHECK(receive(fd, w->in, sizeof(w->in)) == 100);
		CHECK(memcmp(w->in, w->out, 100) == 0);
	}
	CHECK(conserved(w->full));
	CHECK(channel_detach(w->full) == 0);
	close(fd);
	return true;
}

/* The thread sleeps when nothing comes: one frame at a time, until one rang. */
static bool rung_asleep(struct channel *c, struct world *w)
{
	uint64_t end = now_us() + PATIENCE_MS * 1000;
	uint32_t rings = c->rings;

	do {
		while (!knit_ring_data_wanted(&c->rx_q))
			if (now_us() > end)
				return false;
		rx_put(c, w->out, 60, 0, NULL);
	} while (c->rings == rings);
	return true;
}

/*
 * However long the thread takes to wake up, it is rung once for each time it sleeps, or was about
 * to: a frame that comes just then rings, too, and keeps it awake. Fed without a pause, it may doze
 * instead.
 */
static bool rings(struct world *w)
{
	struct channel *c = w->full;
	uint32_t rings = c->rings, i;
	uint64_t wakeups, kicks;

	CHECK(channel_attach(c) == 0);
	wakeups = COUNT(c, wakeups);
	kicks = COUNT(c, kicks);
	fill(w->out, 60, 1);
	for (i = 0; i < 10; i++)
		CHECK(rung_asleep(c, w));
	for (i = 0; i < 2000; i++)
		rx_put(c, w->out, 60, 0, NULL);
	CHECK(conserved(c));
	CHECK(c->rings - rings >= 10);
	if (c->kicks) /* nothing is left to the thread, but what it had just begun */
		CHECK(COUNT(c, wakeups) - wakeups <= 10 && COUNT(c, kicks) - kicks >= 10);
	else
		CHECK(c->rings - rings <= COUNT(c, wakeups) - wakeups + 100);
	CHECK(channel_detach(c) == 0);
	return true;
}

static bool checksums(struct world *w)
{
	struct knit_desc good = { .flags = KNIT_DESC_CSUM_GOOD };
	struct knit_desc partial = {
		.flags = KNIT_DESC_CSUM_PARTIAL,
		.csum_start = 34,
		.csum_offset = 6,
	};
	int fd = udp_socket(UDP_PORT);
	uint32_t len;

	CHECK(channel_attach(w->full) == 0);
	for (len = 60; len < 9014; len += 1789) {
		/* unmarked: the kernel sums it itself, so the bad one never comes */
		udp_frame(w->out, len, SUM_BAD);
		rx_put(w->full, w->out, len, 0, NULL);
		udp_frame(w->out, len, SUM_GOOD);
		rx_put(w->full, w->out, len, 0, NULL);
		udp_frame(w->out, len + 1, SUM_BAD);
		rx_put(w->full, w->out, len + 1, 0, &good);
		udp_frame(w->out, len + 2, SUM_PSEUDO);
		rx_put(w->full, w->out, len + 2, 150, &partial);
		CHECK(receive(fd, w->in, sizeof(w->in)) == len - UDP_HEADERS);
		CHECK(receive(fd, w->in, sizeof(w->in)) == len + 1 - UDP_HEADERS);
		CHECK(receive(fd, w->in, sizeof(w->in)) == len + 2 - UDP_HEADERS);
		CHECK(memcmp(w->in, w->out + UDP_HEADERS, len + 2 - UDP_HEADERS) == 0);
	}
	CHECK(conserved(w->full));
	CHECK(channel_detach(w->full) == 0);
	close(fd);
	return true;
}

static bool tcp_gso(struct world *w)
{
	struct knit_desc d = {
		.flags = KNIT_DESC_CSUM_PARTIAL,
		.csum_start = 34,
		.csum_offset = 16,
		.gso_type = KNIT_GSO_TCPV4 | KNIT_GSO_ECN,
		.gso_size = 1448,
		.hdr_len = TCP_HEADERS,
	};
	int fd = packet_socket(w->full->ifindex, 0x0800, true);
	struct virtio_net_hdr *h = (struct virtio_net_hdr *)w->in;
	uint32_t len = 30000;

	CHECK(channel_attach(w->full) == 0);
	tcp_frame(w->out, len, SUM_PSEUDO);
	rx_put(w->full, w->out, len, 2000, &d);
	CHECK(receive(fd, w->in, sizeof(w->in)) == len + sizeof(*h));
	CHECK(h->gso_type == (VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN));
	CHECK(h->gso_size == 1448);
	CHECK(h->flags == VIRTIO_NET_HDR_F_NEEDS_CSUM);
	CHECK(h->csum_start == 34 && h->csum_offset == 16);
	CHECK(memcmp(w->in + sizeof(*h), w->out, len) == 0);
	/* what fits into one segment comes as an ordinary frame */
	tcp_frame(w->out, 1000, SUM_PSEUDO);
	rx_put(w->full, w->out, 1000, 0, &d);
	CHECK(receive(fd, w->in, sizeof(w->in)) == 1000 + sizeof(*h));
	CHECK(h->gso_type == VIRTIO_NET_HDR_GSO_NONE);
	CHECK(conserved(w->full));
	CHECK(channel_detach(w->full) == 0);
	close(fd);
	return true;
}

/* The kernel cuts it on the way to a socket that does not take such frames. */
static bool udp_gso(struct world *w)
{
	struct knit_desc d = {
		.flags = KNIT_DESC_CSUM_PARTIAL,
		.csum_start = 34,
		.csum_offset = 6,
		.gso_type = KNIT_GSO_UDP_L4,
		.gso_size = 1000,
		.hdr_len = UDP_HEADERS,
	};
	int fd = udp_socket(UDP_PORT);
	uint32_t i;

	CHECK(channel_attach(w->full) == 0);
	udp_frame(w->out, UDP_HEADERS + 3500, SUM_PSEUDO);
	rx_put(w->full, w->out, UDP_HEADERS + 3500, 0, &d);
	for (i = 0; i < 3500; i += 1000) {
		CHECK(receive(fd, w->in, sizeof(w->in)) == (i < 3000 ? 1000 : 500));
		CHECK(memcmp(w->in, w->out + UDP_HEADERS + i, i < 3000 ? 1000 : 500) == 0);
	}
	CHECK(conserved(w->full));
	CHECK(channel_detach(w->full) == 0);
	close(fd);
	return true;
}

/* TCP segments in a row are merged on their way to the stack. */
static bool gro(struct world *w)
{
	int fd = packet_socket(w->full->ifindex, 0x0800, true);
	struct virtio_net_hdr *h = (struct virtio_net_hdr *)w->in;
	struct knit_desc good = { .flags = KNIT_DESC_CSUM_GOOD };
	uint32_t i, len, got = 0, frames = 0;

	tcp_frame(w->out, TCP_HEADERS + 1000, SUM_GOOD);
	for (i = 0; i < 40; i++) {
		uint32_t seq = 1 + i * 1000;

		w->out[40] = seq >> 8;
		w->out[41] = seq;
		rx_put(w->full, w->out, TCP_HEADERS + 1000, 0, &good);
	}
	/* they are there before the pair is served: one visit finds all */
	CHECK(channel_attach(w->full) == 0);
	while (got < 40 * 1000) {
		len = receive(fd, w->in, sizeof(w->in));
		CHECK(len > TCP_HEADERS + sizeof(*h));
		got += len - TCP_HEADERS - sizeof(*h);
		frames++;
	}
	CHECK(got == 40 * 1000);
	CHECK(frames <= 4);
	CHECK(conserved(w->full));
	CHECK(channel_detach(w->full) == 0);
	close(fd);
	return true;
}

/* Of datagrams GRO makes one for a socket that asks for it. */
static bool gro_datagrams(struct world *w)
{
	struct knit_desc good = { .flags = KNIT_DESC_CSUM_GOOD };
	uint32_t i, len, got = 0, pieces = 0;
	int fd = udp_socket(UDP_PORT), one = 1;

	CHECK(setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof(one)) == 0);
	for (i = 0; i < 40; i++) {
		udp_frame(w->out, UDP_HEADERS + 1000, SUM_GOOD);
		rx_put(w->full, w->out, UDP_HEADERS + 1000, 0, &good);
	}
	CHECK(channel_attach(w->full) == 0);
	while (got < 40 * 1000) {
		len = receive(fd, w->in, sizeof(w->in));
		CHECK(len > 0 && len % 1000 == 0);
		for (i = 0; i < len; i += 1000)
			CHECK(memcmp(w->in + i, w->out + UDP_HEADERS, 1000) == 0);
		got += len;
		pieces++;
	}
	CHECK(got == 40 * 1000);
	CHECK(pieces <= 4);
	CHECK(conserved(w->full));
	CHECK(channel_detach(w->full) == 0);
	close(fd);
	return true;
}

static bool vlan(struct world *w)
{
	struct knit_desc d = { .flags = KNIT_DESC_VLAN, .vlan_tci = 0x2005 };
	int fd = packet_socket(w->full->ifindex, ETH_P_ALL, false);
	char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	struct iovec iov = { w->in, sizeof(w->in) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct tpacket_auxdata aux;

	CHECK(!iface_keep_tags(w->full));
	CHECK(channel_attach(w->full) == 0);
	fill(w->out, 200, 1);
	rx_put(w->full, w->out, 200, 0, &d);
	CHECK(recvmsg(fd, &msg, 0) == 200);
	memcpy(&aux, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(aux));
	CHECK(aux.tp_status & TP_STATUS_VLAN_VALID);
	CHECK(aux.tp_vlan_tci == 0x2005);
	CHECK(memcmp(w->in, w->out, 200) == 0);
	CHECK(conserved(w->full));
	CHECK(channel_detach(w->full) == 0);
	close(fd);
	return true;
}

static bool down(struct world *w)
{
	uint64_t before = COUNT(w->bare, rx_down);

	CHECK(channel_attach(w->bare) == 0);
	iface_down(w->bare);
	fill(w->out, 100, 1);
	rx_put(w->bare, w->out, 100, 30, NULL);
	rx_put(w->bare, w->out, 100, 0, NULL);
	CHECK(conserved(w->bare));
	CHECK(COUNT(w->bare, rx_down) == before + 2);
	iface_up(w->bare, false);
	CHECK(channel_detach(w->bare) == 0);
	return true;
}

const struct test rx_tests[] = {
	{ "rx sizes", sizes },
	{ "rx segments", segments },
	{ "rx bursts in order", bursts },
	{ "rx rings", rings },
	{ "rx checksums good, bad, partial", checksums },
	{ "rx TCP GSO", tcp_gso },
	{ "rx UDP GSO", udp_gso },
	{ "rx GRO", gro },
	{ "rx GRO of datagrams", gro_datagrams },
	{ "rx VLAN", vlan },
	{ "rx while down", down },
	{ NULL, NULL },
};
