// SPDX-License-Identifier: BSD-3-Clause
#include "test.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What user space may write and should not: each is counted once, and its cookie comes back. */

#define OK_LEN 200

static struct knit_desc good_desc(const struct channel *c)
{
	return (struct knit_desc){ .addr = (uintptr_t)c->area, .len = OK_LEN };
}

static uint64_t counter(const struct knit_ioc_stats *s, size_t off)
{
	uint64_t value;

	memcpy(&value, (const char *)s + off, sizeof(value));
	return value;
}

/* Expects the counter at offset off of the statistics to move by one for these descriptors. */
static bool rejected(struct world *w, struct knit_desc *d, uint32_t n, size_t off)
{
	struct knit_ioc_stats before = stats_of(w->full), after;

	rx_put_raw(w->full, d, n);
	CHECK(conserved(w->full));
	after = stats_of(w->full);
	CHECK(counter(&after, off) == counter(&before, off) + 1);
	CHECK(after.rx_packets == before.rx_packets);
	return true;
}

#define REJECTED(w, field, ...)                                                     \
	do {                                                                        \
		struct knit_desc d_ = good_desc((w)->full);                         \
		__VA_ARGS__;                                                        \
		CHECK(rejected(w, &d_, 1, offsetof(struct knit_ioc_stats, field))); \
	} while (0)

static bool fields(struct world *w)
{
	uint64_t end = (uintptr_t)w->full->shm + w->full->memory_len;

	CHECK(channel_attach(w->full) == 0);
	udp_frame(w->full->area, OK_LEN, SUM_PSEUDO);
	REJECTED(w, bad_flags, d_.flags = 0x20);
	REJECTED(w, bad_flags, d_.flags = 0x8000);
	REJECTED(w, bad_flags, d_.reserved = 1);
	REJECTED(w, bad_flags, d_.flags = KNIT_DESC_CSUM_PARTIAL | KNIT_DESC_HASH);
	REJECTED(w, bad_len, d_.len = 0);
	REJECTED(w, bad_len, d_.len = 13);
	REJECTED(w, bad_len, d_.len = 65536);
	REJECTED(w, bad_len, d_.len = UINT32_MAX);
	REJECTED(w, bad_addr, d_.addr = 0);
	REJECTED(w, bad_addr, d_.addr = UINT64_MAX - 10);
	REJECTED(w, bad_addr, d_.addr = 0xffff888000000000);
	REJECTED(w, bad_addr, d_.addr = end - OK_LEN + 1);
	REJECTED(w, bad_addr, d_.addr = (uintptr_t)w);
	REJECTED(w, bad_csum, d_.flags = KNIT_DESC_CSUM_PARTIAL, d_.csum_start = OK_LEN);
	REJECTED(w, bad_csum, d_.flags = KNIT_DESC_CSUM_PARTIAL, d_.csum_start = 13);
	REJECTED(w, bad_csum, d_.flags = KNIT_DESC_CSUM_PARTIAL, d_.csum_start = 34,
		 d_.csum_offset = 0xffff);
	CHECK(channel_detach(w->full) == 0);
	return true;
}

static bool segmentation(struct world *w)
{
	struct knit_desc gso = {
		.addr = (uintptr_t)w->full->area,
		.len = OK_LEN,
		.flags = KNIT_DESC_CSUM_PARTIAL,
		.csum_start = 34,
		.csum_offset = 6,
		.gso_type = KNIT_GSO_UDP_L4,
		.gso_size = 100,
		.hdr_len = UDP_HEADERS,
	};

	CHECK(channel_attach(w->full) == 0);
	udp_frame(w->full->area, OK_LEN, SUM_PSEUDO);
	REJECTED(w, bad_gso, d_ = gso, d_.gso_type = 4);
	REJECTED(w, bad_gso, d_ = gso, d_.gso_type |= KNIT_GSO_ECN);
	REJECTED(w, bad_gso, d_ = gso, d_.gso_size = 0);
	REJECTED(w, bad_gso, d_ = gso, d_.gso_size = 0xffff);
	REJECTED(w, bad_gso, d_ = gso, d_.hdr_len = 201);
	REJECTED(w, bad_gso, d_ = gso, d_.hdr_len = 41);
	REJECTED(w, bad_gso, d_ = gso, d_.flags = 0);
	REJECTED(w, bad_gso, d_ = gso, d_.gso_type = KNIT_GSO_TCPV4);
	REJECTED(w, bad_gso, d_ = gso, d_.gso_type = KNIT_GSO_TCPV6, d_.csum_offset = 16,
		 d_.hdr_len = TCP_HEADERS);
	/* inside the headers, but not where UDP is */
	REJECTED(w, bad_gso, d_ = gso, d_.csum_start = 14);
	REJECTED(w, bad_gso, d_ = gso, d_.csum_start = 33);
	REJECTED(w, bad_gso, d_ = gso, d_.csum_start = 35, d_.hdr_len = 43);
	REJECTED(w, bad_gso, d_ = gso, d_.hdr_len = 43);
	w->full->area[23] = IPPROTO_TCP;
	REJECTED(w, bad_gso, d_ = gso);
	w->full->area[23] = IPPROTO_UDP;
	w->full->area[12] = 0x86; /* neither IPv4 nor IPv6 */
	REJECTED(w, bad_gso, d_ = gso);
	CHECK(channel_detach(w->full) == 0);
	return true;
}

/* The same on an interface without the features. */
static bool features(struct world *w)
{
	struct knit_ioc_stats before = stats_of(w->bare);
	struct knit_desc d = {
		.addr = (uintptr_t)w->bare->area,
		.len = OK_LEN,
		.flags = KNIT_DESC_CSUM_PARTIAL,
		.csum_start = 34,
		.csum_offset = 6,
	};
	struct knit_desc tag = {
		.addr = (uintptr_t)w->bare->area,
		.len = OK_LEN,
		.flags = KNIT_DESC_VLAN,
		.vlan_tci = 5,
	};

	CHECK(channel_attach(w->bare) == 0);
	udp_frame(w->bare->area, OK_LEN, SUM_PSEUDO);
	rx_put_raw(w->bare, &d, 1);
	rx_put_raw(w->bare, &tag, 1);
	CHECK(conserved(w->bare));
	CHECK(COUNT(w->bare, bad_flags) == before.bad_flags + 2);
	CHECK(channel_detach(w->bare) == 0);
	return true;
}

static bool chains(struct world *w)
{
	struct knit_desc d[KNIT_DESC_MAX_SEGS + 20];
	uint32_t i;

	for (i = 0; i < KNIT_DESC_MAX_SEGS + 20; i++) {
		d[i] = good_desc(w->full);
		d[i].flags = KNIT_DESC_MORE;
	}
	CHECK(channel_attach(w->full) == 0);
	/* no end */
	CHECK(rejected(w, d, 3, offsetof(struct knit_ioc_stats, bad_chain)));
	/* one too many */
	d[KNIT_DESC_MAX_SEGS].flags = 0;
	CHECK(rejected(w, d, KNIT_DESC_MAX_SEGS + 1, offsetof(struct knit_ioc_stats, bad_chain)));
	/* too many bytes */
	d[2].flags = 0;
	d[0].len = 40000;
	d[1].len = 40000;
	CHECK(rejected(w, d, 3, offsetof(struct knit_ioc_stats, bad_len)));
	/* a bad one in the middle takes the others along */
	d[0].len = OK_LEN;
	d[1].len = OK_LEN;
	d[1].addr = 4096;
	CHECK(rejected(w, d, 3, offsetof(struct knit_ioc_stats, bad_addr)));
	CHECK(channel_detach(w->full) == 0);
	return true;
}

/* Empty segments are nothing but a cookie, wherever they point. */
static bool empty_segments(struct world *w)
{
	int fd = packet_socket(w->full->ifindex, ETHERTYPE_TEST, false);
	struct knit_desc d[4] = { good_desc(w->full),
				  { .addr = 1, .flags = KNIT_DESC_MORE },
				  good_desc(w->full),
				  { .addr = UINT64_MAX } };

	CHECK(channel_attach(w->full) == 0);
	fill(w->full->area, OK_LEN, 1);
	d[0].flags = KNIT_DESC_MORE;
	d[2].flags = KNIT_DESC_MORE;
	rx_put_raw(w->full, d, 4);
	CHECK(receive(fd, w->in, sizeof(w->in)) == 2 * OK_LEN);
	CHECK(conserved(w->full));
	CHECK(channel_detach(w->full) == 0);
	close(fd);
	return true;
}

static uint64_t goal;

static bool index_counted(struct channel *c)
{
	uint64_t one = 1;

	return write(c->packet_doorbell, &one, sizeof(one)) == sizeof(one) &&
	       stats_of(c).bad_index >= goal;
}

/* Impossible indexes are not used; once they are possible again all goes on. */
static bool indexes(struct world *w)
{
	int fd = packet_socket(w->full->ifindex, ETHERTYPE_TEST, false);
	struct channel *c = w->full;

	CHECK(channel_attach(c) == 0);
	goal = COUNT(c, bad_index) + 5;
	knit_store(&c->rx_q.shm->producer, c->rx_q.prod + RING + 1);
	CHECK(wait_until(index_counted, c));
	knit_store(&c->rx_q.shm->producer, c->rx_q.prod - 1);
	goal += 5;
	CHECK(wait_until(index_counted, c));
	knit_store(&c->rx_q.shm->producer, c->rx_q.prod);
	fill(w->out, 100, 1);
	rx_put(c, w->out, 100, 0, NULL);
	CHECK(receive(fd, w->in, sizeof(w->in)) == 100);
	CHECK(conserved(c));
	CHECK(channel_detach(c) == 0);
	close(fd);
	return true;
}

static void spoil(struct channel *c, uint32_t i, struct knit_desc d)
{
	struct knit_desc *to =
		knit_ring_entry(&c->alloc_q, knit_load(&c->alloc_q.shm->consumer) + i);

	d.cookie = to->cookie;
	*to = d;
}

/* Bad buffers come back empty, with the good ones before them; the frame takes those behind. */
static bool buffers(struct world *w)
{
	int fd = packet_socket(w->full->ifindex, ETHERTYPE_TEST, false);
	struct knit_ioc_stats before = stats_of(w->full);
	struct channel *c = w->full;
	uint32_t empty = c->empty_returns;

	CHECK(channel_attach(c) == 0);
	while (tx_take(c, &w->frame))
		continue;
	tx_offer(c, RING);
	spoil(c, 1, (struct knit_desc){ .addr = 4096, .len = BUFFER });
	spoil(c, 2, (struct knit_desc){ .addr = (uintptr_t)c->buffers, .len = 255 });
	spoil(c, 3, (struct knit_desc){ .addr = (uintptr_t)c->buffers, .len = 1 << 20 });
	spoil(c, 4, (struct knit_desc){ .addr = (uintptr_t)c->buffers, .len = 512, .flags = 1 });
	fill(w->out, 3000, 1);
	CHECK(send(fd, w->out, 3000, 0) == 3000);
	CHECK(take_frame(c, ETHERTYPE_TEST, &w->frame));
	CHECK(w->frame.len == 3000 && w->frame.segs == 2);
	CHECK(memcmp(w->frame.data, w->out, 3000) == 0);
	CHECK(c->empty_returns == empty + 5);
	CHECK(COUNT(c, bad_addr) == before.bad_addr + 1);
	CHECK(COUNT(c, bad_len) == before.bad_len + 2);
	CHECK(COUNT(c, bad_flags) == before.bad_flags + 1);
	CHECK(channel_detach(c) == 0);
	c->empty_returns = 0;
	close(fd);
	return true;
}

const struct test bad_tests[] = {
	{ "bad fields", fields },
	{ "bad segmentation", segmentation },
	{ "features not agreed on", features },
	{ "bad chains", chains },
	{ "empty segments", empty_segments },
	{ "bad indexes", indexes },
	{ "bad buffers", buffers },
	{ NULL, NULL },
};
