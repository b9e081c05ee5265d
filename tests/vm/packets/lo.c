// SPDX-License-Identifier: BSD-3-Clause
#include "test.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Loopback modes. The interfaces are down unless a test says otherwise. */

static bool comes_back(struct world *w, struct channel *c, uint32_t len, uint32_t seg)
{
	fill(w->out, len, len + seg);
	rx_put(c, w->out, len, seg, NULL);
	CHECK(take_frame(c, 0, &w->frame));
	CHECK(w->frame.len == len);
	CHECK(memcmp(w->frame.data, w->out, len) == 0);
	return true;
}

static bool sizes(struct world *w)
{
	static const uint32_t lens[] = { 0, 1, 13, 14, 60, 1514, 2048, 2049, 9014, 65535 };
	uint32_t i;

	CHECK(channel_attach(w->full) == 0);
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		CHECK(comes_back(w, w->full, lens[i], 0));
	CHECK(comes_back(w, w->full, 2, 1));
	CHECK(comes_back(w, w->full, 100, 7));
	CHECK(comes_back(w, w->full, 9014, 1000));
	CHECK(comes_back(w, w->full, KNIT_FRAME_MAX, 1024));
	CHECK(conserved(w->full));
	CHECK(channel_detach(w->full) == 0);
	return true;
}

static bool offloads(struct world *w)
{
	struct knit_desc gso = {
		.flags = KNIT_DESC_CSUM_PARTIAL | KNIT_DESC_VLAN,
		.vlan_tci = 77,
		.csum_start = 34,
		.csum_offset = 16,
		.gso_type = KNIT_GSO_TCPV4,
		.gso_size = 1448,
		.hdr_len = TCP_HEADERS,
	};
	struct knit_desc hash = { .flags = KNIT_DESC_HASH | KNIT_DESC_CSUM_GOOD, .hash = 0xabcdef };

	CHECK(channel_attach(w->full) == 0);
	tcp_frame(w->out, 9014, SUM_PSEUDO);
	rx_put(w->full, w->out, 9014, 0, &gso);
	CHECK(take_frame(w->full, 0, &w->frame));
	CHECK((w->frame.desc.flags & ~KNIT_DESC_MORE) == gso.flags);
	CHECK(w->frame.desc.vlan_tci == 77);
	CHECK(w->frame.desc.gso_type == KNIT_GSO_TCPV4 && w->frame.desc.gso_size == 1448);
	CHECK(w->frame.desc.hdr_len == TCP_HEADERS);
	CHECK(w->frame.desc.csum_start == 34 && w->frame.desc.csum_offset == 16);
	rx_put(w->full, w->out, 100, 0, &hash);
	CHECK(take_frame(w->full, 0, &w->frame));
	CHECK(w->frame.desc.flags == hash.flags && w->frame.desc.hash == 0xabcdef);
	CHECK(conserved(w->full));
	CHECK(channel_detach(w->full) == 0);
	return true;
}

static bool ten_are_back(struct channel *c)
{
	rx_idle(c);
	return c->next_cookie - c->returned == 90;
}

/* More than there are buffers for: they wait in rx_q, and no cookie is given up. */
static bool waits(struct world *w)
{
	struct channel *c = w->bare;
	uint32_t i, n = 0;

	CHECK(channel_attach(c) == 0);
	tx_offer(c, 10);
	for (i = 0; i < 100; i++) {
		fill(w->out, 60, i);
		rx_put(c, w->out, 60, 0, NULL);
	}
	while (n < 10) {
		if (tx_take(c, &w->frame))
			n++;
	}
	CHECK(!tx_take(c, &w->frame));
	CHECK(wait_until(ten_are_back, c));
	for (; n < 100; n++) {
		fill(w->out, 60, n);
		CHECK(take_frame(c, 0, &w->frame));
		CHECK(memcmp(w->frame.data, w->out, 60) == 0);
	}
	CHECK(conserved(c));
	CHECK(channel_detach(c) == 0);
	return true;
}

static bool too_long(struct world *w)
{
	uint64_t before = COUNT(w->bare, tx_too_long);

	CHECK(channel_attach(w->bare) == 0);
	tx_offer(w->bare, RING);
	fill(w->out, 9000, 1);
	rx_put(w->bare, w->out, 9000, 0, NULL);
	CHECK(comes_back(w, w->bare, 100, 0));
	CHECK(conserved(w->bare));
	CHECK(COUNT(w->bare, tx_too_long) == before + 1);
	CHECK(channel_detach(w->bare) == 0);
	return true;
}

/* The stack is not a second producer of tx_q. */
static bool stack_drops(struct world *w)
{
	uint64_t before = COUNT(w->bare, tx_no_worker);
	uint32_t i;
	int fd;

	CHECK(channel_attach(w->bare) == 0);
	iface_up(w->bare, false);
	fd = packet_socket(w->bare->ifindex, ETHERTYPE_TEST, false);
	tx_offer(w->bare, RING);
	fill(w->out, 100, 1);
	for (i = 0; i < 20; i++)
		CHECK(send(fd, w->out, 100, 0) == 100);
	CHECK(COUNT(w->bare, tx_no_worker) >= before + 20);
	CHECK(comes_back(w, w->bare, 333, 0));
	CHECK(!tx_take(w->bare, &w->frame));
	iface_down(w->bare);
	CHECK(channel_detach(w->bare) == 0);
	close(fd);
	return true;
}

const struct test lo_tests[] = {
	{ "loopback sizes", sizes },
	{ "loopback offloads", offloads },
	{ "loopback waits for buffers", waits },
	{ "loopback too long", too_long },
	{ "loopback: the stack's frames are dropped", stack_drops },
	{ NULL, NULL },
};
