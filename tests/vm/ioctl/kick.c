// SPDX-License-Identifier: BSD-3-Clause
#include "ioctl.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/*
 * KICK: who may, what it does before it returns, and that nobody loses a wake-up when threads that
 * kick, the packet thread and a doorbell meet on one pair.
 */
#define NAME "kk0"
#define FRAME_LEN 60
#define VISIT 64 /* frames that one call takes */

struct user {
	struct bed bed;
	uint64_t id;
	int file; /* has attached pair 0 */
	struct knit_ring rx_q, free_q;
	uint32_t cookie;
};

static int kick_with(int fd, uint64_t id, uint32_t pair, uint32_t flags, uint32_t reserved)
{
	struct knit_ioc_kick k = {
		.size = sizeof(k), .flags = flags, .id = id, .pair = pair, .reserved = reserved
	};

	return call(fd, KNIT_IOC_KICK, &k);
}

static int kick(int fd, uint64_t id, uint32_t pair)
{
	return kick_with(fd, id, pair, 0, 0);
}

static void put(struct user *u, uint32_t n)
{
	uint8_t *frame = u->bed.mem + u->bed.len - PAGE;
	uint32_t i;

	for (i = 0; i < n; i++)
		*(struct knit_desc *)knit_ring_entry(&u->rx_q, u->rx_q.prod + i) =
			(struct knit_desc){ .addr = (uintptr_t)frame,
					    .len = FRAME_LEN,
					    .cookie = u->cookie++ };
	knit_ring_submit(&u->rx_q, n);
}

static uint32_t take_back(struct user *u)
{
	uint32_t n = knit_ring_peek(&u->free_q, RING);

	knit_ring_release(&u->free_q, n);
	return n;
}

static bool asks(const void *arg)
{
	const struct user *u = arg;

	return knit_load(&u->rx_q.shm->need_data) != 0;
}

static struct knit_ioc_stats counters(const struct user *u)
{
	struct knit_ioc_stats s;

	stats(u->bed.fd, u->id, 0, &s);
	return s;
}

static void who_may(struct user *u)
{
	int other = kni_open();

	is("kick: who attached the pair", kick(u->file, u->id, 0), 0);
	is("kick: -EINVAL, flags", kick_with(u->file, u->id, 0, 1, 0), -EINVAL);
	is("kick: -EINVAL, reserved", kick_with(u->file, u->id, 0, 0, 1), -EINVAL);
	is("kick: -ENOENT, no interface", kick(u->file, u->id + 1000, 0), -ENOENT);
	is("kick: -ENOENT, id 0", kick(u->file, 0, 0), -ENOENT);
	is("kick: -ENOENT, no pair", kick(u->file, u->id, PAIRS), -ENOENT);
	is("kick: -ENOENT, pair of billions", kick(u->file, u->id, 0x80000000), -ENOENT);
	is("kick: -EPERM, a pair that nobody has", kick(u->file, u->id, 1), -EPERM);
	is("kick: -EPERM, another file", kick(other, u->id, 0), -EPERM);
	is("kick: -EPERM, the creating file", kick(u->bed.fd, u->id, 0), -EPERM);
	is("kick: the handler does not count", attach(other, u->id, KNIT_ATTACH_HANDLER, 0), 0);
	is("kick: -EPERM, the handler", kick(other, u->id, 0), -EPERM);
	close(other);
}

/* As a worker without any right has it: the file is all that counts. */
static int without_right(void *arg)
{
	struct user *u = arg;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return -errno;
	put(u, 1);
	return kick(u->file, u->id, 0);
}

static void at_once(struct user *u)
{
	struct knit_ioc_stats before, after;
	int result;

	is_true("kick: the packet thread asks for a doorbell", wait_until(5, asks, u));
	before = counters(u);
	put(u, 1);
	is("kick: a frame", kick(u->file, u->id, 0), 0);
	is("kick: its cookie is back on return", take_back(u), 1);
	is_true("kick: the flag is up again", asks(u));
	after = counters(u);
	is("kick: it was received", after.rx_packets - before.rx_packets, 1);
	is("kick: it is counted", after.kicks - before.kicks, 1);
	is("kick: the packet thread slept", after.wakeups - before.wakeups, 0);
	child_end(child(without_right, u, &result));
	is("kick: by a process without any right", result, 0);
	u->rx_q.prod++; /* the child's */
	is("kick: its frame, too", take_back(u), 1);
	is("kick: nothing to do", kick(u->file, u->id, 0), 0);
	is("kick: nothing came back", take_back(u), 0);
}

static bool all_back(const void *arg)
{
	const struct user *u = arg;

	return knit_load_acquire(&u->free_q.shm->producer) == u->rx_q.prod;
}

/* One call is bounded; what is left is the packet thread's. */
static void over(struct user *u)
{
	struct knit_ioc_stats before = counters(u), after;

	put(u, VISIT);
	is("kick: as much as one call takes", kick(u->file, u->id, 0), 0);
	is("kick: all of it is back", take_back(u), VISIT);
	after = counters(u);
	is("kick: nothing was left", after.kicks_over - before.kicks_over, 0);
	put(u, VISIT + 20);
	is("kick: more than that", kick(u->file, u->id, 0), 0);
	is_true("kick: the packet thread does the rest", wait_until(5, all_back, u));
	take_back(u);
	after = counters(u);
	is("kick: something was left", after.kicks_over - before.kicks_over, 1);
	is_true("kick: the packet thread was woken", after.wakeups > before.wakeups);
	is_true("kick: it asks again", wait_until(5, asks, u));
}

/* The structs of other versions. */
static void sizes(struct user *u)
{
	struct {
		struct knit_ioc_kick kick;
		uint64_t more;
	} longer = { .kick = { .size = sizeof(longer), .id = u->id } };
	struct knit_ioc_kick shorter = { .size = 16, .id = u->id, .pair = 1 };
	struct knit_ioc_stats s = { .id = u->id, .kicks = 77 };

	is("kick: a longer struct", call(u->file, KNIT_IOC_KICK, &longer), 0);
	longer.more = 1;
	is("kick: -E2BIG, with something in it", call(u->file, KNIT_IOC_KICK, &longer), -E2BIG);
	is("kick: a shorter one names pair 0", call(u->file, KNIT_IOC_KICK, &shorter), 0);
	s.size = offsetof(struct knit_ioc_stats, kicks);
	is("kick: counters for an older program", call(u->bed.fd, KNIT_IOC_STATS, &s), 0);
	is("kick: nothing is written behind them", s.kicks, 77);
}

struct racer {
	struct user *u;
	pthread_t thread;
	bool stop;
};

/* Calls that nothing asks for. */
static void *kick_on(void *arg)
{
	struct racer *r = arg;
	uint32_t n = 0;

	while (!__atomic_load_n(&r->stop, __ATOMIC_ACQUIRE)) {
		kick(r->u->file, r->u->id, 0);
		if (++n % 64 == 0)
			eventfd_write(packet_doorbell, 1);
		if (n % 8 == 0)
			sched_yield();
	}
	return NULL;
}

/*
 * Frames one after the other, and in bursts that one call does not take. Where the flag is up the
 * kernel is told, by KICK or by the doorbell: then each cookie must come back by itself.
 */
static bool send_on(struct user *u, uint32_t frames)
{
	uint32_t sent, n;

	for (sent = 0; sent < frames; sent += n) {
		n = sent % 7 ? 1 : 1 + sent % 100;
		put(u, n);
		if (knit_ring_data_wanted(&u->rx_q)) {
			if (sent % 11)
				kick(u->file, u->id, 0);
			else
				eventfd_write(packet_doorbell, 1);
		}
		if (!all_back(u) && !wait_until(10, all_back, u))
			return false;
		take_back(u);
	}
	return true;
}

/* KNIT_KICKS: how many frames instead. */
static void races(struct user *u)
{
	const char *text = getenv("KNIT_KICKS");
	struct racer r = { .u = u };

	if (pthread_create(&r.thread, NULL, kick_on, &r)) {
		is("kick: a thread", -1, 0);
		return;
	}
	is_true("kick: no wake-up is lost", send_on(u, text ? strtoul(text, NULL, 10) : 20000));
	__atomic_store_n(&r.stop, true, __ATOMIC_RELEASE);
	pthread_join(r.thread, NULL);
}

static bool begin(struct user *u)
{
	const char *shm;

	bed_open(&u->bed);
	shm = (const char *)u->bed.shm;
	if (!is("kick: create", create(&u->bed, NAME, &u->id), 0))
		return false;
	knit_ring_bind(&u->rx_q, (void *)(shm + knit_shm_queue_off(RING, 0, KNIT_RX_Q)), RING,
		       sizeof(struct knit_desc));
	knit_ring_bind(&u->free_q, (void *)(shm + knit_shm_queue_off(RING, 0, KNIT_FREE_Q)), RING,
		       sizeof(struct knit_desc));
	memset(u->bed.mem + u->bed.len - PAGE, 0x88, FRAME_LEN); /* of no protocol */
	u->file = kni_open();
	is("kick: attach", attach(u->file, u->id, KNIT_ATTACH_PAIR, 0), 0);
	return is("kick: up", set_up(NAME, true), 0);
}

/* They come and go under the feet of who kicks. */
static void ends(struct user *u)
{
	struct racer r = { .u = u };
	int i, err = pthread_create(&r.thread, NULL, kick_on, &r);

	is("kick: while it is detached", err, 0);
	for (i = 0; i < 50 && !err; i++) {
		err = detach(u->file, u->id, KNIT_ATTACH_PAIR, 0);
		if (!err)
			err = attach(u->file, u->id, KNIT_ATTACH_PAIR, 0);
	}
	is("kick: detached and attached often", err, 0);
	is("kick: released meanwhile", release(u->bed.fd, u->id), 0);
	is("kick: -ENOENT afterwards", kick(u->file, u->id, 0), -ENOENT);
	__atomic_store_n(&r.stop, true, __ATOMIC_RELEASE);
	pthread_join(r.thread, NULL);
}

void test_kick(void)
{
	struct user u = { .cookie = 0 };

	if (!begin(&u))
		return;
	who_may(&u);
	at_once(&u);
	over(&u);
	sizes(&u);
	races(&u);
	is("kick: detach", detach(u.file, u.id, KNIT_ATTACH_PAIR, 0), 0);
	is("kick: -EPERM, detached", kick(u.file, u.id, 0), -EPERM);
	is("kick: attach again", attach(u.file, u.id, KNIT_ATTACH_PAIR, 0), 0);
	ends(&u);
	close(u.file);
	bed_close(&u.bed);
}
