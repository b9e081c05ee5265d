// SPDX-License-Identifier: BSD-3-Clause
#include "hostile.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAME "innocent"
#define RING 256
#define BATCH 32
#define SLOT 9216 /* for a frame of MTU 9000 */
#define BUFFER 2048
#define HEADER 14
#define PROTO_IN 0x88b5
#define PROTO_OUT 0x88b6
#define PATIENCE_MS 120000 /* the machine is busy */

static struct {
	int file, in, out, doorbells[3];
	uint64_t id;
	uint8_t *shm, *slots, *buffers;
	struct knit_ring rx_q, free_q, alloc_q, tx_q, req_q, resp_q;
	uint32_t seq_in, seq_out;
	uint32_t put, returned; /* cookies */
	uint64_t deadline;
} me;

/* The first that went wrong is kept; there is no going on. */
static void __attribute__((format(printf, 1, 2), noreturn)) wrong(const char *why, ...)
{
	va_list ap;

	va_start(ap, why);
	vsnprintf(control->why, sizeof(control->why), why, ap);
	va_end(ap);
	count(&control->wrong);
	_exit(1);
}

static uint32_t frame_len(uint32_t seq)
{
	return HEADER + 4 + seq * 7919u % 8990;
}

static uint8_t byte_of(uint32_t seq, uint32_t at)
{
	return seq * 31 + at * 7 + (at >> 8);
}

static uint32_t write_frame(uint8_t *to, uint32_t seq, uint16_t proto)
{
	const uint16_t be = htons(proto);
	uint32_t len = frame_len(seq), at;

	memset(to, 0xff, 6);
	mac_of(to + 6, 99, 9);
	memcpy(to + 12, &be, sizeof(be));
	memcpy(to + HEADER, &seq, sizeof(seq));
	for (at = HEADER + 4; at < len; at++)
		to[at] = byte_of(seq, at);
	return len;
}

/* As many bytes as that frame has. */
static void check_frame(const uint8_t *data, uint32_t len, uint32_t seq, const char *way)
{
	uint32_t got, at;

	memcpy(&got, data + HEADER, sizeof(got));
	if (got != seq)
		wrong("%s: frame %u instead of %u", way, got, seq);
	if (len != frame_len(seq))
		wrong("%s: frame %u has %u bytes instead of %u", way, seq, len, frame_len(seq));
	for (at = HEADER + 4; at < len; at++)
		if (data[at] != byte_of(seq, at))
			wrong("%s: frame %u, byte %u of %u", way, seq, at, len);
}

static void patience(const char *what)
{
	if (now_ms() > me.deadline)
		wrong("%s: nothing for %d s", what, PATIENCE_MS / 1000);
	nap(200);
}

static void ring(uint32_t doorbell)
{
	const uint64_t one = 1;

	if (write(me.doorbells[doorbell], &one, sizeof(one)) < 0)
		wrong("doorbell: %s", strerror(errno));
}

/* Wakes the kernel's side of the pair: in every other batch it is served by this call. */
static void wake(uint32_t batch)
{
	struct knit_ioc_kick k = { .size = sizeof(k), .id = me.id };
	int err = 0;

	if (batch % 2)
		ring(0);
	else
		err = call(me.file, KNIT_IOC_KICK, &k);
	if (err)
		wrong("kick: %s", strerror(-err));
}

static void serve_requests(void)
{
	struct knit_req r;

	while (knit_ring_peek(&me.req_q, 1)) {
		knit_req_load(&r, knit_ring_entry(&me.req_q, me.req_q.cons));
		r.result = 0;
		if (knit_ring_reserve(&me.resp_q, 1) == 0)
			return;
		memcpy(knit_ring_entry(&me.resp_q, me.resp_q.prod), &r, sizeof(r));
		knit_ring_submit(&me.resp_q, 1);
		knit_ring_release(&me.req_q, 1);
		if (knit_ring_data_wanted(&me.resp_q))
			ring(1);
	}
}

/* Each descriptor's comes back once, in order. */
static void take_cookies(void)
{
	const struct knit_desc *d;

	for (; me.returned != me.put; me.returned++) {
		while (knit_ring_peek(&me.free_q, 1) == 0)
			patience("a buffer back");
		d = knit_ring_entry(&me.free_q, me.free_q.cons);
		if (d->cookie != me.returned)
			wrong("cookie %u instead of %u", d->cookie, me.returned);
		knit_ring_release(&me.free_q, 1);
	}
}

/* In two segments as often as in one. */
static void put_frame(uint32_t seq, uint8_t *slot)
{
	uint32_t len = write_frame(slot, seq, PROTO_IN);
	uint32_t first = seq % 2 ? len : 1 + seq % (len - 1), at = 0, n = 0;
	struct knit_desc *d;

	do {
		d = knit_ring_entry(&me.rx_q, me.rx_q.prod + n++);
		*d = (struct knit_desc){
			.addr = (uintptr_t)slot + at,
			.len = at ? len - at : first,
			.cookie = me.put++,
		};
		at += d->len;
		d->flags = at < len ? KNIT_DESC_MORE : 0;
	} while (at < len);
	knit_ring_submit(&me.rx_q, n);
}

static void batch_to_kernel(void)
{
	static uint8_t data[SLOT];
	uint32_t i, n = 0;
	ssize_t len;

	me.deadline = now_ms() + PATIENCE_MS;
	knit_ring_reserve(&me.rx_q, RING);
	for (i = 0; i < BATCH; i++)
		put_frame(me.seq_in + i, me.slots + i * SLOT);
	if (knit_ring_data_wanted(&me.rx_q))
		wake(me.seq_in / BATCH);
	while (n < BATCH) {
		len = recv(me.in, data, sizeof(data), MSG_DONTWAIT);
		if (len > 0)
			check_frame(data, len, me.seq_in + n++, "to the kernel");
		else
			patience("to the kernel");
		serve_requests();
	}
	take_cookies();
	me.seq_in += BATCH;
	__atomic_fetch_add(&control->to_kernel, BATCH, __ATOMIC_RELAXED);
}

static void offer(uint32_t slot)
{
	struct knit_desc *d;

	if (knit_ring_reserve(&me.alloc_q, 1) == 0)
		wrong("alloc_q is full");
	d = knit_ring_entry(&me.alloc_q, me.alloc_q.prod);
	*d = (struct knit_desc){
		.addr = (uintptr_t)me.buffers + slot * BUFFER,
		.len = BUFFER,
		.cookie = slot,
	};
	knit_ring_submit(&me.alloc_q, 1);
}

/* The next frame of any kind, 0: none. Its buffers are offered again. */
static uint32_t take_frame(uint8_t *data)
{
	uint32_t n = 0, len = 0;
	struct knit_desc d;

	if (knit_ring_peek(&me.tx_q, 1) == 0)
		return 0;
	do {
		if (knit_ring_peek(&me.tx_q, n + 1) <= n)
			wrong("a chain without an end");
		knit_desc_load(&d, knit_ring_entry(&me.tx_q, me.tx_q.cons + n++));
		if (d.cookie >= RING || d.addr != (uintptr_t)me.buffers + d.cookie * BUFFER ||
		    d.len > BUFFER || len + d.len > SLOT)
			wrong("a piece of %u bytes with cookie %u", d.len, d.cookie);
		memcpy(data + len, (void *)(uintptr_t)d.addr, d.len);
		len += d.len;
		offer(d.cookie);
	} while (d.flags & KNIT_DESC_MORE);
	knit_ring_release(&me.tx_q, n);
	if (knit_ring_space_wanted(&me.tx_q) || knit_load(&me.alloc_q.shm->need_data))
		wake(me.seq_out / BATCH);
	return len;
}

static void batch_from_kernel(void)
{
	static uint8_t data[SLOT];
	uint32_t sent = 0, taken = 0, len;

	me.deadline = now_ms() + PATIENCE_MS;
	while (taken < BATCH) {
		if (sent < BATCH) {
			len = write_frame(data, me.seq_out + sent, PROTO_OUT);
			if (send(me.out, data, len, MSG_DONTWAIT) == (ssize_t)len)
				sent++;
			else if (errno != EAGAIN && errno != ENOBUFS)
				wrong("send: %s", strerror(errno));
		}
		len = take_frame(data);
		if (len == 0)
			patience("from the kernel");
		else if (len > HEADER && data[12] == PROTO_OUT >> 8 &&
			 data[13] == (PROTO_OUT & 255))
			check_frame(data, len, me.seq_out + taken++, "from the kernel");
		serve_requests();
	}
	me.seq_out += BATCH;
	__atomic_fetch_add(&control->from_kernel, BATCH, __ATOMIC_RELAXED);
}

static void set_memory(void)
{
	size_t block = (knit_shm_bytes(RING, 1) + PAGE - 1) & ~(PAGE - 1);
	size_t len = (block + BATCH * SLOT + RING * BUFFER + PAGE - 1) & ~(PAGE - 1);
	struct knit_ring *rings[] = { &me.rx_q, &me.free_q, &me.alloc_q, &me.tx_q };
	enum knit_queue q;

	me.shm = shared_memory(len, false);
	me.slots = me.shm + block;
	me.buffers = me.slots + BATCH * SLOT;
	block_init(me.shm, RING, 1);
	for (q = 0; q < KNIT_QUEUES; q++)
		knit_ring_bind(rings[q], me.shm + knit_shm_queue_off(RING, 0, q), RING,
			       sizeof(struct knit_desc));
	knit_ring_bind(&me.req_q, me.shm + knit_shm_req_off(), KNIT_REQ_RING,
		       sizeof(struct knit_req));
	knit_ring_bind(&me.resp_q, me.shm + knit_shm_resp_off(), KNIT_REQ_RING,
		       sizeof(struct knit_req));
	errno = -mem_add(me.file, me.shm, len, PAGE);
	if (errno)
		die("innocent: add memory");
}

static void create(void)
{
	struct knit_ioc_create c = {
		.size = sizeof(c),
		.flags = KNIT_CREATE_CARRIER,
		.shm = (uintptr_t)me.shm,
		.ring_size = RING,
		.n_pairs = 1,
		.features = KNIT_FEAT_ALL,
		.netns_fd = -1,
		.name = NAME,
		.mac = { 2, 0, 0, 0, 9, 9 },
		.mtu = 9000,
		.min_mtu = 68,
		.max_mtu = 9000,
		.packet_doorbell_fd = me.doorbells[0],
		.request_doorbell_fd = me.doorbells[1],
	};

	errno = -call(me.file, KNIT_IOC_CREATE, &c);
	if (errno)
		die("innocent: create");
	me.id = c.id;
}

/* Up while there is no handler: no request is to be made. */
static void up(void)
{
	struct ifreq r = { .ifr_name = NAME, .ifr_flags = IFF_UP };
	struct knit_ioc_attach a = { .size = sizeof(a),
				     .id = me.id,
				     .doorbell_fd = me.doorbells[2] };
	uint32_t i;

	if (ioctl(me.in, SIOCSIFFLAGS, &r) < 0)
		die("innocent: up");
	for (i = 0; i < RING; i++)
		offer(i);
	a.role = KNIT_ATTACH_PAIR;
	errno = -call(me.file, KNIT_IOC_ATTACH, &a);
	a.role = KNIT_ATTACH_HANDLER;
	if (!errno)
		errno = -call(me.file, KNIT_IOC_ATTACH, &a);
	if (errno)
		die("innocent: attach");
}

static int packet_socket(uint16_t proto)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), room = 4 << 20;
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(proto),
		.sll_ifindex = if_nametoindex(NAME),
	};

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0 ||
	    bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("innocent: socket");
	return fd;
}

void innocent(void)
{
	uint32_t i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	me.file = kni_open();
	for (i = 0; i < 3; i++)
		me.doorbells[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	set_memory();
	create();
	me.in = packet_socket(PROTO_IN);
	me.out = packet_socket(0);
	up();
	__atomic_store_n(&control->innocent_id, me.id, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&control->innocent_stop, __ATOMIC_RELAXED)) {
		batch_to_kernel();
		batch_from_kernel();
		nap(4000); /* the others are to have most of the CPU */
	}
	_exit(0);
}
