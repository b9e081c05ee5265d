// SPDX-License-Identifier: BSD-3-Clause
#include "ioctl.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* The user side of one pair: no more of it than these tests need. */
struct user {
	struct bed *bed;
	uint64_t id;
	struct knit_ring rx_q;
	struct knit_ring free_q;
	uint8_t *frame;
};

static void ring_of(struct knit_ring *r, const struct bed *b, enum knit_queue q)
{
	knit_ring_bind(r, (uint8_t *)b->shm + knit_shm_queue_off(RING, 0, q), RING,
		       sizeof(struct knit_desc));
}

static void submit(struct user *u, const struct knit_desc *d)
{
	*(struct knit_desc *)knit_ring_entry(&u->rx_q, u->rx_q.prod) = *d;
	knit_ring_submit(&u->rx_q, 1);
	if (knit_ring_data_wanted(&u->rx_q))
		eventfd_write(packet_doorbell, 1);
}

static bool returned(const void *arg)
{
	return knit_ring_peek((struct knit_ring *)arg, 1) == 1;
}

/* Submits d; its cookie must come back. */
static void round_trip(struct user *u, const char *name, struct knit_desc d, uint32_t cookie)
{
	d.cookie = cookie;
	submit(u, &d);
	if (!is_true(name, wait_until(2, returned, &u->free_q)))
		return;
	is("packets: its cookie comes back",
	   ((struct knit_desc *)knit_ring_entry(&u->free_q, u->free_q.cons))->cookie, cookie);
	knit_ring_release(&u->free_q, 1);
}

static void rejects(struct user *u, const struct knit_desc *good)
{
	struct knit_ioc_stats s;
	struct knit_desc bad;

	bad = *good;
	bad.addr = (uintptr_t)u->bed->mem + u->bed->len - 10;
	round_trip(u, "packets: beyond the memory", bad, 4);
	bad.addr = 0xffff888000001000UL;
	round_trip(u, "packets: in the kernel", bad, 5);
	stats(u->bed->fd, u->id, 0, &s);
	is("packets: both are counted", s.bad_addr, 2);
	bad = *good;
	bad.reserved = 1;
	round_trip(u, "packets: reserved field", bad, 6);
	bad = *good;
	bad.len = 0;
	round_trip(u, "packets: no length", bad, 7);
	stats(u->bed->fd, u->id, 0, &s);
	is("packets: bad flags are counted", s.bad_flags, 1);
	is("packets: bad lengths are counted", s.bad_len, 1);
}

static void memory_goes(struct user *u, const struct knit_desc *good)
{
	uint8_t *extra = memory(2 * PAGE);
	struct knit_desc d = *good;
	struct knit_ioc_stats s;
	uint64_t before;

	is("packets: more memory", mem_add(u->bed->fd, extra, PAGE, PAGE), 0);
	is("packets: and more that touches it", mem_add(u->bed->fd, extra + PAGE, PAGE, PAGE), 0);
	stats(u->bed->fd, u->id, 0, &s);
	before = s.rx_packets;
	d.addr = (uintptr_t)extra + PAGE - d.len / 2;
	memcpy(extra + PAGE - d.len / 2, u->frame, d.len);
	round_trip(u, "packets: over the border of two regions", d, 8);
	stats(u->bed->fd, u->id, 0, &s);
	is("packets: it was received", s.rx_packets - before, 1);
	is("packets: half of the memory is deleted", mem_del(u->bed->fd, extra + PAGE, PAGE, PAGE),
	   0);
	round_trip(u, "packets: what reaches into it", d, 9);
	stats(u->bed->fd, u->id, 0, &s);
	is("packets: is a reject now", s.bad_addr, 3);
}

void test_packets(void)
{
	struct knit_desc good = { .len = 60 };
	struct knit_ioc_stats s;
	struct user u;
	struct bed b;

	bed_open(&b);
	u.bed = &b;
	ring_of(&u.rx_q, &b, KNIT_RX_Q);
	ring_of(&u.free_q, &b, KNIT_FREE_Q);
	u.frame = b.mem + b.len - PAGE;
	memset(u.frame, 0xff, 12);
	u.frame[12] = 0x88;
	u.frame[13] = 0xb5; /* local experimental EtherType */
	good.addr = (uintptr_t)u.frame;
	if (!is("packets: create", create(&b, "kp0", &u.id), 0))
		return;
	is("packets: attach", attach(b.fd, u.id, KNIT_ATTACH_PAIR, 0), 0);
	round_trip(&u, "packets: while the interface is down", good, 1);
	stats(b.fd, u.id, 0, &s);
	is("packets: it is dropped", s.rx_down, 1);
	is("packets: up", set_up("kp0", true), 0);
	round_trip(&u, "packets: while it is up", good, 2);
	stats(b.fd, u.id, 0, &s);
	is("packets: it is received", s.rx_packets, 1);
	is("packets: its bytes", s.rx_bytes, 60);
	rejects(&u, &good);
	memory_goes(&u, &good);
	is("packets: detach", detach(b.fd, u.id, KNIT_ATTACH_PAIR, 0), 0);
	submit(&u, &good);
	is("packets: attach again", attach(b.fd, u.id, KNIT_ATTACH_PAIR, 0), 0);
	is_true("packets: what came meanwhile is received", wait_until(2, returned, &u.free_q));
	bed_close(&b);
}
