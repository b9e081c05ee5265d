// SPDX-License-Identifier: BSD-3-Clause
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* From the kernel. */

#define MANY 300 /* more than a ring holds, less than a qdisc */

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

static bool send_all(int fd, const void *data, uint32_t len)
{
	return send(fd, data, len, 0) == (ssize_t)len;
}

static bool sizes_of(struct world *w, struct channel *c, uint32_t longest)
{
	static const uint32_t lens[] = { 60,   61,   64,   128,	 1000, 1514,
					 2048, 2049, 4096, 4097, 6000, 9014 };
	int fd = packet_socket(c->ifindex, ETHERTYPE_TEST, false);
	uint32_t i;

	CHECK(channel_attach(c) == 0);
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]) && lens[i] <= longest; i++) {
		fill(w->out, lens[i], i);
		CHECK(send_all(fd, w->out, lens[i]));
		CHECK(take_frame(c, ETHERTYPE_TEST, &w->frame));
		CHECK(w->frame.len == lens[i]);
		CHECK(w->frame.segs == (lens[i] + BUFFER - 1) / BUFFER);
		CHECK(memcmp(w->frame.data, w->out, lens[i]) == 0);
	}
	CHECK(channel_detach(c) == 0);
	CHECK(c->wrong_cookies == 0 && c->empty_returns == 0);
	close(fd);
	return true;
}

static bool sizes(struct world *w)
{
	return sizes_of(w, w->full, 9014) && sizes_of(w, w->bare, BUFFER);
}

static bool too_long(struct world *w)
{
	int fd = packet_socket(w->bare->ifindex, ETHERTYPE_TEST, false);
	uint64_t before = COUNT(w->bare, tx_too_long);

	CHECK(channel_attach(w->bare) == 0);
	tx_offer(w->bare, RING);
	fill(w->out, BUFFER + 1, 1);
	CHECK(send_all(fd, w->out, BUFFER + 1));
	CHECK(send_all(fd, w->out, 100));
	CHECK(take_frame(w->bare, ETHERTYPE_TEST, &w->frame));
	CHECK(w->frame.len == 100);
	CHECK(COUNT(w->bare, tx_too_long) == before + 1);
	CHECK(channel_detach(w->bare) == 0);
	close(fd);
	return true;
}

static bool send_udp(uint32_t len, int segment, const void *data)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(UDP_PORT),
		.sin_addr.s_addr = htonl(PEER_IP),
	};
	int fd = udp_socket(0);
	bool ok;

	ok = !segment || setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)) == 0;
	ok = ok && sendto(fd, data, len, 0, (struct sockaddr *)&to, sizeof(to)) == (ssize_t)len;
	close(fd);
	return ok;
}

static bool checksum(struct world *w)
{
	CHECK(channel_attach(w->full) == 0);
	fill(w->out, 3000, 1);
	CHECK(send_udp(3000, 0, w->out));
	CHECK(take_frame(w->full, 0x0800, &w->frame));
	CHECK(w->frame.len == UDP_HEADERS + 3000);
	CHECK(w->frame.desc.flags & KNIT_DESC_CSUM_PARTIAL);
	CHECK(w->frame.desc.csum_start == 34 && w->frame.desc.csum_offset == 6);
	CHECK(w->frame.desc.gso_type == KNIT_GSO_NONE);
	CHECK(sums_right(w->frame.data, w->frame.len, true));
	CHECK(memcmp(w->frame.data + UDP_HEADERS, w->out, 3000) == 0);
	CHECK(channel_detach(w->full) == 0);
	return true;
}

/* Whoever asks for it is told when a frame was handed to user space. */
static bool timestamp(struct world *w)
{
	struct ethtool_ts_info info = { .cmd = ETHTOOL_GET_TS_INFO };
	int fd = packet_socket(w->full->ifindex, ETHERTYPE_TEST, false);
	int want = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
	struct ifreq r = { .ifr_data = (char *)&info };
	char control[512];
	struct iovec iov = { w->in, sizeof(w->in) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control };
	struct cmsghdr *c;

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", w->full->name);
	CHECK(ioctl(fd, SIOCETHTOOL, &r) == 0);
	CHECK((info.so_timestamping & want) == (uint32_t)want);
	CHECK(setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &want, sizeof(want)) == 0);
	CHECK(channel_attach(w->full) == 0);
	fill(w->out, 100, 1);
	CHECK(send_all(fd, w->out, 100));
	CHECK(take_frame(w->full, ETHERTYPE_TEST, &w->frame));
	msg.msg_controllen = sizeof(control);
	CHECK(recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) == 100);
	for (c = CMSG_FIRSTHDR(&msg); c && c->cmsg_type != SO_TIMESTAMPING;)
		c = CMSG_NXTHDR(&msg, c);
	CHECK(c && ((struct timespec *)CMSG_DATA(c))->tv_sec > 0);
	CHECK(channel_detach(w->full) == 0);
	close(fd);
	return true;
}

static bool udp_gso(struct world *w)
{
	CHECK(channel_attach(w->full) == 0);
	fill(w->out, 40000, 1);
	CHECK(send_udp(40000, 1400, w->out));
	CHECK(take_frame(w->full, 0x0800, &w->frame));
	CHECK(w->frame.len == UDP_HEADERS + 40000);
	CHECK(w->frame.desc.gso_type == KNIT_GSO_UDP_L4);
	CHECK(w->frame.desc.gso_size == 1400);
	CHECK(w->frame.desc.hdr_len == UDP_HEADERS);
	CHECK(sums_right(w->frame.data, w->frame.len, true));
	CHECK(memcmp(w->frame.data + UDP_HEADERS, w->out, 40000) == 0);
	CHECK(channel_detach(w->full) == 0);
	return true;
}

static bool send_tcp_gso(struct world *w, const struct channel *c, uint32_t len)
{
	struct virtio_net_hdr h = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
		.gso_size = 1448,
		.hdr_len = TCP_HEADERS,
		.csum_start = 34,
		.csum_offset = 16,
	};
	int fd = packet_socket(c->ifindex, 0x0800, true);
	bool ok;

	tcp_frame(w->out + sizeof(h), len, SUM_PSEUDO);
	memcpy(w->out, &h, sizeof(h));
	ok = send_all(fd, w->out, sizeof(h) + len);
	close(fd);
	return ok;
}

static bool tcp_gso(struct world *w)
{
	uint32_t len = 60000;

	CHECK(channel_attach(w->full) == 0);
	CHECK(send_tcp_gso(w, w->full, len));
	CHECK(take_frame(w->full, 0x0800, &w->frame));
	CHECK(w->frame.len == len);
	CHECK(w->frame.desc.gso_type == KNIT_GSO_TCPV4);
	CHECK(w->frame.desc.gso_size == 1448);
	CHECK(w->frame.desc.hdr_len == TCP_HEADERS);
	CHECK(w->frame.desc.flags & KNIT_DESC_CSUM_PARTIAL);
	CHECK(sums_right(w->frame.data, len, true));
	CHECK(memcmp(w->frame.data, w->out + sizeof(struct virtio_net_hdr), len) == 0);
	CHECK(channel_detach(w->full) == 0);
	return true;
}

/* Without the features the kernel cuts and sums before it hands over. */
static bool software(struct world *w)
{
	uint32_t payload = 10000, got = 0, frames = 0;

	CHECK(channel_attach(w->bare) == 0);
	CHECK(send_tcp_gso(w, w->bare, TCP_HEADERS + payload));
	while (got < payload) {
		CHECK(take_frame(w->bare, 0x0800, &w->frame));
		CHECK(!(w->frame.desc.flags & KNIT_DESC_CSUM_PARTIAL));
		CHECK(w->frame.desc.gso_type == KNIT_GSO_NONE);
		CHECK(w->frame.len > TCP_HEADERS && w->frame.len <= TCP_HEADERS + 1448);
		CHECK(sums_right(w->frame.data, w->frame.len, false));
		got += w->frame.len - TCP_HEADERS;
		frames++;
	}
	CHECK(got == payload && frames == 7);
	CHECK(channel_detach(w->bare) == 0);
	return true;
}

static bool vlan_of(struct world *w, struct channel *c, bool in_desc)
{
	int fd = packet_socket(iface_vlan(c, 5), ETHERTYPE_TEST, false);

	CHECK(channel_attach(c) == 0);
	fill(w->out, 300, 5);
	CHECK(send_all(fd, w->out, 300));
	CHECK(take_frame(c, in_desc ? ETHERTYPE_TEST : 0x8100, &w->frame));
	if (in_desc) {
		CHECK(w->frame.len == 300);
		CHECK(w->frame.desc.flags & KNIT_DESC_VLAN);
		CHECK(w->frame.desc.vlan_tci == 5);
		CHECK(memcmp(w->frame.data, w->out, 300) == 0);
	} else {
		CHECK(w->frame.len == 304);
		CHECK(!(w->frame.desc.flags & KNIT_DESC_VLAN));
		CHECK(w->frame.data[15] == 5);
		CHECK(memcmp(w->frame.data + 16, w->out + 12, 288) == 0);
	}
	CHECK(channel_detach(c) == 0);
	close(fd);
	return true;
}

static bool vlan(struct world *w)
{
	return vlan_of(w, w->full, true) && vlan_of(w, w->bare, false);
}

static bool send_many(struct world *w, int fd, uint32_t n, uint32_t len)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		fill(w->out, len, i);
		CHECK(send_all(fd, w->out, len));
	}
	return true;
}

/* Takes everything back, so that nothing is on offer. */
static void withdraw(struct channel *c, struct frame *f)
{
	while (tx_take(c, f))
		continue;
	while (knit_ring_peek(&c->tx_q, 1))
		tx_take(c, f);
}

/* Nothing on offer: the queue stops, and later everything comes, in order. */
static bool stop_and_wake(struct world *w)
{
	int fd = packet_socket(w->bare->ifindex, ETHERTYPE_TEST, false);
	struct knit_ioc_stats before = stats_of(w->bare);
	uint32_t i;

	CHECK(channel_attach(w->bare) == 0);
	CHECK(send_many(w, fd, MANY, 200));
	CHECK(COUNT(w->bare, tx_stops) > before.tx_stops);
	for (i = 0; i < MANY; i++) {
		fill(w->out, 200, i);
		CHECK(take_frame(w->bare, ETHERTYPE_TEST, &w->frame));
		CHECK(memcmp(w->frame.data, w->out, 200) == 0);
	}
	CHECK(COUNT(w->bare, tx_wakes) > before.tx_wakes);
	CHECK(COUNT(w->bare, tx_packets) == before.tx_packets + MANY);
	CHECK(channel_detach(w->bare) == 0);
	close(fd);
	return true;
}

/* Until nothing is on offer. */
static bool use_up(struct world *w, struct channel *c)
{
	withdraw(c, &w->frame);
	while (c->n_idle < RING) {
		CHECK(send_udp(10, 0, w->out));
		CHECK(wait_until(rx_idle, c));
		while (tx_take(c, &w->frame))
			continue;
	}
	return true;
}

/* Fewer buffers than a frame needs: it waits for exactly as many as it needs. */
static bool waits_for_buffers(struct world *w)
{
	struct channel *c = w->full;
	uint64_t stops;

	CHECK(channel_attach(c) == 0);
	CHECK(use_up(w, c));
	stops = COUNT(c, tx_stops);
	tx_offer(c, 20);
	CHECK(send_tcp_gso(w, c, 60000));
	CHECK(COUNT(c, tx_stops) == stops + 1);
	CHECK(!tx_take(c, &w->frame));
	tx_offer(c, 10);
	CHECK(take_frame(c, 0x0800, &w->frame));
	while (w->frame.len != 60000)
		CHECK(take_frame(c, 0x0800, &w->frame));
	CHECK(w->frame.segs == 30);
	CHECK(channel_detach(c) == 0);
	return true;
}

static bool has_frame(struct channel *c)
{
	return knit_ring_peek(&c->tx_q, 1) > 0;
}

/* As long a frame as IPv4 allows, in n buffers of this size. */
static bool in_large_buffers(struct world *w, uint32_t room, uint32_t n)
{
	const uint32_t len = 65535;
	struct channel *c = w->full;

	/* more than it takes: the queue stops for want of buffers for another one like the last */
	tx_offer_large(c, n + 4, room);
	CHECK(send_tcp_gso(w, c, len));
	CHECK(wait_until(has_frame, c));
	CHECK(tx_take(c, &w->frame));
	CHECK(w->frame.len == len);
	CHECK(w->frame.segs == n);
	CHECK(memcmp(w->frame.data, w->out + sizeof(struct virtio_net_hdr), len) == 0);
	return use_up(w, c);
}

static bool large_buffers(struct world *w)
{
	CHECK(channel_attach(w->full) == 0);
	CHECK(use_up(w, w->full));
	CHECK(in_large_buffers(w, 16384, 4));
	CHECK(in_large_buffers(w, 32768, 2));
	CHECK(in_large_buffers(w, 65535, 1));
	CHECK(channel_detach(w->full) == 0);
	return true;
}

static uint64_t no_worker_goal;

static bool dropped(struct channel *c)
{
	return stats_of(c).tx_no_worker >= no_worker_goal;
}

static bool no_worker(struct world *w)
{
	int fd = packet_socket(w->bare->ifindex, ETHERTYPE_TEST, false);
	uint64_t before = COUNT(w->bare, tx_no_worker);

	CHECK(send_many(w, fd, 10, 100));
	no_worker_goal = before + 10;
	CHECK(wait_until(dropped, w->bare));
	CHECK(COUNT(w->bare, tx_no_worker) == before + 10);
	/* a queue stopped for an owner that goes away is emptied */
	CHECK(channel_attach(w->bare) == 0);
	withdraw(w->bare, &w->frame);
	CHECK(send_many(w, fd, MANY, 100));
	CHECK(channel_detach(w->bare) == 0);
	no_worker_goal = before + 10 + MANY - RING;
	CHECK(wait_until(dropped, w->bare));
	withdraw(w->bare, &w->frame);
	close(fd);
	return true;
}

struct flood {
	int fd;
	bool end;
	uint8_t frame[500];
};

static void *flood(void *arg)
{
	struct flood *f = arg;

	while (!__atomic_load_n(&f->end, __ATOMIC_RELAXED))
		send(f->fd, f->frame, sizeof(f->frame), 0);
	return NULL;
}

/* Rounds of attach and detach while frames flow both ways; a detached pair's memory stays still. */
static bool detach_under_traffic(struct world *w)
{
	struct flood f = { .fd = packet_socket(w->bare->ifindex, ETHERTYPE_TEST, false) };
	struct channel *c = w->bare;
	uint32_t round, i, still[4];
	pthread_t thread;

	fill(f.frame, sizeof(f.frame), 1);
	fill(w->out, 300, 1);
	CHECK(pthread_create(&thread, NULL, flood, &f) == 0);
	for (round = 0; round < 100; round++) {
		CHECK(channel_attach(c) == 0);
		for (i = 0; i < 50; i++)
			rx_put(c, w->out, 300, i % 2 ? 0 : 100, NULL);
		tx_offer(c, RING);
		while (i-- > 30)
			tx_take(c, &w->frame);
		CHECK(channel_detach(c) == 0);
		still[0] = knit_load(&c->tx_q.shm->producer);
		still[1] = knit_load(&c->alloc_q.shm->consumer);
		still[2] = knit_load(&c->rx_q.shm->consumer);
		still[3] = knit_load(&c->free_q.shm->producer);
		no_worker_goal = COUNT(c, tx_no_worker) + 20;
		CHECK(wait_until(dropped, c));
		CHECK(still[0] == knit_load(&c->tx_q.shm->producer));
		CHECK(still[1] == knit_load(&c->alloc_q.shm->consumer));
		CHECK(still[2] == knit_load(&c->rx_q.shm->consumer));
		CHECK(still[3] == knit_load(&c->free_q.shm->producer));
	}
	__atomic_store_n(&f.end, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	close(f.fd);
	CHECK(channel_attach(c) == 0);
	CHECK(conserved(c));
	CHECK(channel_detach(c) == 0);
	withdraw(c, &w->frame);
	CHECK(c->wrong_cookies == 0);
	return true;
}

const struct test tx_tests[] = {
	{ "tx sizes", sizes },
	{ "tx too long", too_long },
	{ "tx checksum", checksum },
	{ "tx timestamp", timestamp },
	{ "tx UDP GSO", udp_gso },
	{ "tx TCP GSO", tcp_gso },
	{ "tx without offloads", software },
	{ "tx VLAN", vlan },
	{ "tx queue stops and wakes", stop_and_wake },
	{ "tx waits for buffers", waits_for_buffers },
	{ "tx large buffers", large_buffers },
	{ "tx without a worker", no_worker },
	{ "detach under traffic", detach_under_traffic },
	{ NULL, NULL },
};
