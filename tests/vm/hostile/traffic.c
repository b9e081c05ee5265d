// SPDX-License-Identifier: BSD-3-Clause
#include "hostile.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/udp.h>
#include <linux/virtio_net.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5 /* Linux 6.2 */
#endif

struct sockets {
	int udp, tcp, raw, cut;
};

static struct sockaddr_in to_neighbour(uint8_t number)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr.s_addr = htonl(ADDRESS(number, 2)),
	};
}

static struct sockaddr_ll to_interface(uint8_t number)
{
	return (struct sockaddr_ll){
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = index_of(number),
	};
}

/* One datagram, or what is to become many. */
static void send_udp(const struct sockets *s, struct dice *d, uint8_t number)
{
	static char data[65000];
	struct sockaddr_in to = to_neighbour(number);
	int size = one_in(d, 2) ? 0 : 200 + below(d, 1200);
	size_t len = below(d, size ? 30000 : 1 << (1 + below(d, 15)));

	setsockopt(s->udp, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size));
	sendto(s->udp, data, len, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to));
}

static void send_raw(const struct sockets *s, struct dice *d, uint8_t number)
{
	struct target t = { .number = number };
	struct sockaddr_ll to = to_interface(number);
	static uint8_t data[70000];
	struct knit_desc desc;
	uint32_t len = frame_make(d, &t, data, &desc);

	if (!one_in(d, 4))
		len = len < 1514 ? len : 14 + below(d, 1500);
	sendto(s->raw, data, len, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to));
}

/* A frame that the interface is to cut, or somebody before it. */
static void send_cut(const struct sockets *s, struct dice *d, uint8_t number)
{
	struct virtio_net_hdr h = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM };
	static const uint8_t types[] = { 0, VIRTIO_NET_HDR_GSO_TCPV4, VIRTIO_NET_HDR_GSO_TCPV6,
					 VIRTIO_NET_HDR_GSO_UDP_L4 };
	static uint8_t data[sizeof(h) + 70000];
	struct target t = { .number = number };
	struct sockaddr_ll to = to_interface(number);
	struct knit_desc desc;
	uint32_t len;

	do
		len = frame_make(d, &t, data + sizeof(h), &desc);
	while (!(desc.flags & KNIT_DESC_CSUM_PARTIAL));
	h.gso_type = types[(desc.gso_type & KNIT_GSO_TYPE) % 4];
	h.gso_size = desc.gso_size;
	h.hdr_len = desc.hdr_len;
	h.csum_start = desc.csum_start;
	h.csum_offset = desc.csum_offset;
	if (one_in(d, 10))
		h.gso_size = edge(d);
	memcpy(data, &h, sizeof(h));
	sendto(s->cut, data, sizeof(h) + len, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to));
}

static void send_tcp(struct sockets *s, struct dice *d, uint8_t number)
{
	struct sockaddr_in to = to_neighbour(number);

	close(s->tcp);
	s->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	(void)connect(s->tcp, (struct sockaddr *)&to, sizeof(to));
}

void traffic(uint32_t round)
{
	struct dice d = dice_of(control->seed, round, 200);
	struct sockets s;
	int one = 1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	s.udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	s.tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	s.raw = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	s.cut = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (s.udp < 0 || s.tcp < 0 || s.raw < 0 || s.cut < 0)
		die("traffic: socket");
	setsockopt(s.cut, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one));
	for (;;) {
		switch (below(&d, 8)) {
		case 0:
			send_tcp(&s, &d, below(&d, TARGETS));
			break;
		case 1:
		case 2:
			send_cut(&s, &d, below(&d, TARGETS));
			break;
		case 3:
		case 4:
			send_raw(&s, &d, below(&d, TARGETS));
			break;
		default:
			send_udp(&s, &d, below(&d, TARGETS));
			break;
		}
		count(&control->sent);
		nap(below(&d, 500));
	}
}
