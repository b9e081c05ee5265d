// SPDX-License-Identifier: BSD-3-Clause
#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

bool wait_until(bool (*is)(struct channel *c), struct channel *c)
{
	uint64_t end = now_us() + PATIENCE_MS * 1000;

	while (!is(c)) {
		if (now_us() > end)
			return false;
		poll(NULL, 0, 1);
	}
	return true;
}

static void *memory(int file, size_t len, size_t page_size)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
	struct knit_ioc_mem mem = { .size = sizeof(mem), .page_size = page_size };
	void *p;

	if (page_size > 4096)
		flags |= MAP_HUGETLB;
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (p == MAP_FAILED)
		die("mmap");
	mem.addr = (uintptr_t)p;
	mem.len = len;
	if (ioctl(file, KNIT_IOC_MEM_ADD, &mem) < 0)
		die("KNIT_IOC_MEM_ADD");
	return p;
}

static void bind_rings(struct channel *c)
{
	struct knit_ring *rings[] = { &c->rx_q, &c->free_q, &c->alloc_q, &c->tx_q };
	enum knit_queue q;

	for (q = 0; q < KNIT_QUEUES; q++) {
		knit_ring_bind(rings[q], c->shm + knit_shm_queue_off(RING, 0, q), RING,
			       sizeof(struct knit_desc));
		knit_ring_reset(rings[q]);
	}
}

static void create(struct channel *c, uint32_t features)
{
	struct knit_ioc_create create = {
		.size = sizeof(create),
		.flags = KNIT_CREATE_CARRIER,
		.shm = (uintptr_t)c->shm,
		.ring_size = RING,
		.n_pairs = 1,
		.features = features,
		.netns_fd = -1,
		.mtu = 9000,
		.min_mtu = 68,
		.max_mtu = 65535,
		.packet_doorbell_fd = c->packet_doorbell,
		.request_doorbell_fd = c->packet_doorbell, /* no requests, no answers */
	};

	memcpy(create.name, c->name, sizeof(create.name));
	if (ioctl(c->file, KNIT_IOC_CREATE, &create) < 0)
		die("KNIT_IOC_CREATE");
	c->id = create.id;
	c->ifindex = create.ifindex;
}

struct channel *channel_new(int file, const char *name, uint32_t features, size_t page_size)
{
	size_t shm = (knit_shm_bytes(RING, 1) + 4095) & ~4095ul;
	size_t len = shm + RX_AREA + RING * BUFFER;
	struct channel *c = calloc(1, sizeof(*c));
	struct knit_shm_hdr *hdr;
	uint32_t i;

	if (!c)
		die("calloc");
	c->file = file;
	snprintf(c->name, sizeof(c->name), "%s", name);
	c->memory_len = (len + page_size - 1) & ~(page_size - 1);
	c->shm = memory(file, c->memory_len, page_size);
	/* off the page boundary, so that segments straddle pages */
	c->area = c->shm + shm;
	c->buffers = c->area + RX_AREA - 1000;
	hdr = (struct knit_shm_hdr *)c->shm;
	*hdr = (struct knit_shm_hdr){ .magic = KNIT_MAGIC, .version = KNIT_ABI_VERSION };
	bind_rings(c);
	c->packet_doorbell = eventfd(0, EFD_NONBLOCK);
	c->user_doorbell = eventfd(0, EFD_NONBLOCK);
	for (i = 0; i < RING; i++)
		c->idle[c->n_idle++] = i;
	create(c, features);
	return c;
}

int channel_attach(struct channel *c)
{
	struct knit_ioc_attach a = {
		.size = sizeof(a),
		.role = KNIT_ATTACH_PAIR,
		.id = c->id,
		.doorbell_fd = c->user_doorbell,
	};

	return ioctl(c->file, KNIT_IOC_ATTACH, &a) < 0 ? -errno : 0;
}

int channel_detach(struct channel *c)
{
	struct knit_ioc_attach a = {
		.size = sizeof(a),
		.role = KNIT_ATTACH_PAIR,
		.id = c->id,
		.doorbell_fd = -1,
	};

	return ioctl(c->file, KNIT_IOC_DETACH, &a) < 0 ? -errno : 0;
}

static struct knit_ioc_info info_of(int file)
{
	struct knit_ioc_info info = { .size = sizeof(info) };

	if (ioctl(file, KNIT_IOC_INFO, &info) < 0)
		die("KNIT_IOC_INFO");
	return info;
}

uint32_t info_flags(int file)
{
	return info_of(file).flags;
}

uint32_t info_features(int file)
{
	return info_of(file).features;
}

struct knit_ioc_stats stats_of(const struct channel *c)
{
	struct knit_ioc_stats s = { .size = sizeof(s), .id = c->id };

	if (ioctl(c->file, KNIT_IOC_STATS, &s) < 0)
		die("KNIT_IOC_STATS");
	return s;
}

static void ring(struct channel *c)
{
	struct knit_ioc_kick kick = { .size = sizeof(kick), .id = c->id };
	uint64_t one = 1;

	c->rings++;
	/* what is submitted while nobody has the pair waits for its next owner */
	if (c->kicks && ioctl(c->file, KNIT_IOC_KICK, &kick) < 0 && errno != EPERM)
		die("KNIT_IOC_KICK");
	else if (!c->kicks && write(c->packet_doorbell, &one, sizeof(one)) < 0 && errno != EAGAIN)
		die("doorbell");
}

void rx_put_raw(struct channel *c, const struct knit_desc *d, uint32_t n)
{
	struct knit_desc *to;
	uint32_t i;

	/* what is out at a time fits free_q, too */
	while (c->next_cookie - c->returned + n > RING || knit_ring_reserve(&c->rx_q, n) < n)
		rx_idle(c);
	for (i = 0; i < n; i++) {
		to = knit_ring_entry(&c->rx_q, c->rx_q.prod + i);
		*to = d[i];
		to->cookie = c->next_cookie++ & 0xffff;
		c->given[to->cookie] = 1;
	}
	knit_ring_submit(&c->rx_q, n);
	if (knit_ring_data_wanted(&c->rx_q) && !c->silent)
		ring(c);
}

void rx_put(struct channel *c, const void *data, uint32_t len, uint32_t seg,
	    const struct knit_desc *first)
{
	struct knit_desc d[KNIT_DESC_MAX_SEGS + 1];
	uint32_t n = 0, at = 0;

	if (c->area_at + len > RX_AREA - 2000)
		c->area_at = 0;
	memcpy(c->area + c->area_at, data, len);
	do {
		d[n] = n == 0 && first ? *first : (struct knit_desc){ 0 };
		d[n].addr = (uintptr_t)c->area + c->area_at + at;
		d[n].len = seg && seg < len - at ? seg : len - at;
		at += d[n].len;
		d[n++].flags |= at < len ? KNIT_DESC_MORE : 0;
	} while (at < len);
	c->area_at += len;
	rx_put_raw(c, d, n);
}

bool rx_idle(struct channel *c)
{
	const struct knit_desc *d;
	uint32_t n, i;

	while ((n = knit_ring_peek(&c->free_q, RING)) != 0) {
		for (i = 0; i < n; i++) {
			d = knit_ring_entry(&c->free_q, c->free_q.cons + i);
			if (d->cookie > 0xffff || !c->given[d->cookie])
				c->wrong_cookies++;
			else
				c->given[d->cookie] = 0;
			c->returned++;
		}
		knit_ring_release(&c->free_q, n);
	}
	return c->returned == c->next_cookie;
}

static void offer_one(struct channel *c, uint32_t i, uint8_t *place, uint32_t room)
{
	uint32_t cookie = c->idle[--c->n_idle];

	c->place[cookie] = place ? place : c->buffers + cookie * BUFFER;
	c->room[cookie] = room;
	*(struct knit_desc *)knit_ring_entry(&c->alloc_q, c->alloc_q.prod + i) = (struct knit_desc){
		.addr = (uintptr_t)c->place[cookie],
		.len = room,
		.cookie = cookie,
	};
}

static void offer_submit(struct channel *c, uint32_t n)
{
	if (n == 0)
		return;
	knit_ring_submit(&c->alloc_q, n);
	if (knit_ring_data_wanted(&c->alloc_q))
		ring(c);
}

void tx_offer(struct channel *c, uint32_t n)
{
	uint32_t i;

	n = n < c->n_idle ? n : c->n_idle;
	n = knit_ring_reserve(&c->alloc_q, n);
	for (i = 0; i < n; i++)
		offer_one(c, i, NULL, BUFFER);
	offer_submit(c, n);
}

void tx_offer_large(struct channel *c, uint32_t n, uint32_t room)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		offer_one(c, i, c->buffers + i * room, room);
	offer_submit(c, n);
}

static void take_segment(struct channel *c, struct frame *f, const struct knit_desc *d)
{
	uint64_t start;

	if (d->cookie >= RING) {
		c->wrong_cookies++;
		return;
	}
	start = (uintptr_t)c->place[d->cookie];
	c->idle[c->n_idle++] = d->cookie;
	if (d->len == 0) {
		c->empty_returns++;
		return;
	}
	if (d->addr < start || d->addr + d->len > start + c->room[d->cookie] ||
	    f->len + d->len > FRAME_ROOM) {
		c->wrong_cookies++;
		return;
	}
	memcpy(f->data + f->len, (void *)(uintptr_t)d->addr, d->len);
	f->len += d->len;
	f->segs++;
}

bool tx_take(struct channel *c, struct frame *f)
{
	struct knit_desc d = { 0 };
	uint32_t n = 0, have;

	f->len = 0;
	f->segs = 0;
	have = knit_ring_peek(&c->tx_q, RING);
	if (have == 0)
		return false;
	do {
		knit_desc_load(&d, knit_ring_entry(&c->tx_q, c->tx_q.cons + n));
		if (n++ == 0)
			f->desc = d;
		take_segment(c, f, &d);
	} while (d.flags & KNIT_DESC_MORE && n < have);
	knit_ring_release(&c->tx_q, n);
	if (knit_ring_space_wanted(&c->tx_q))
		ring(c);
	return true;
}
