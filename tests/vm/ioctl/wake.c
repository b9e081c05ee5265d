// SPDX-License-Identifier: BSD-3-Clause
#include "ioctl.h"

#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/*
 * Many interfaces of one process, each with a block and a doorbell of its own. Those that have
 * nothing to do sleep, and each can be woken, whatever the others do.
 */
#define MANY 64
#define ROUNDS 10
#define FRAME_LEN 60
#define WAKE_UPS 500 /* that are timed */

struct sleeper {
	struct bed bed; /* its fd and memory: of all of them */
	uint64_t id;
	int doorbell;
	struct knit_ring rx_q, free_q;
};

static struct sleeper sleepers[MANY];

static void put(struct sleeper *s)
{
	knit_ring_release(&s->free_q, knit_ring_peek(&s->free_q, RING));
	*(struct knit_desc *)knit_ring_entry(&s->rx_q, s->rx_q.prod) = (struct knit_desc){
		.addr = (uintptr_t)s->bed.mem, /* it is down: whatever stands there */
		.len = FRAME_LEN,
	};
	knit_ring_submit(&s->rx_q, 1);
	if (knit_ring_data_wanted(&s->rx_q))
		eventfd_write(s->doorbell, 1);
}

static bool is_back(const void *arg)
{
	const struct sleeper *s = arg;

	return knit_load_acquire(&s->free_q.shm->producer) == s->rx_q.prod;
}

static bool sleeps(const void *arg)
{
	const struct sleeper *s = arg;

	return knit_load(&s->rx_q.shm->need_data) != 0;
}

static bool all_of(bool (*holds)(const void *), uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (!wait_until(10, holds, &sleepers[i]))
			return false;
	return true;
}

/* As is_back, but a wait of microseconds is seen as such. */
static bool comes_back(struct sleeper *s)
{
	double end = now() + 10;

	while (!is_back(s))
		if (now() > end)
			return false;
	return true;
}

static int make(struct sleeper *s, int fd, uint8_t *memory_of_all, uint8_t *block, uint32_t i)
{
	struct knit_ioc_create c;
	char name[16];
	int err;

	s->bed = (struct bed){ .fd = fd, .mem = memory_of_all, .shm = (void *)block };
	block_init(s->bed.shm);
	knit_ring_bind(&s->rx_q, block + knit_shm_queue_off(RING, 0, KNIT_RX_Q), RING,
		       sizeof(struct knit_desc));
	knit_ring_bind(&s->free_q, block + knit_shm_queue_off(RING, 0, KNIT_FREE_Q), RING,
		       sizeof(struct knit_desc));
	s->doorbell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	snprintf(name, sizeof(name), "kw%u", i);
	c = create_args(&s->bed, name);
	c.packet_doorbell_fd = s->doorbell;
	err = call(fd, KNIT_IOC_CREATE, &c);
	s->id = c.id;
	return err ? err : attach(fd, s->id, KNIT_ATTACH_PAIR, 0);
}

static double wake_up_us(void)
{
	double sum = 0, from;
	uint32_t i;

	for (i = 0; i < WAKE_UPS; i++) {
		if (!wait_until(10, sleeps, &sleepers[0]))
			return -1;
		from = now();
		put(&sleepers[0]);
		if (!comes_back(&sleepers[0]))
			return -1;
		sum += now() - from;
	}
	return sum * 1e6 / WAKE_UPS;
}

/* One after the other, then all at a time. */
static void each_wakes(void)
{
	bool good = true;
	uint32_t round, i;

	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < MANY; i++) {
			put(&sleepers[i]);
			good = good && comes_back(&sleepers[i]);
		}
	}
	is_true("wake: each by its own doorbell", good);
	is_true("wake: then all sleep", all_of(sleeps, MANY));
	for (i = 0; i < MANY; i++)
		put(&sleepers[i]);
	is_true("wake: all at a time", all_of(is_back, MANY));
}

/* Those that are lazy sleep although somebody is busy, and are woken all the same. */
static void beside_a_busy_one(void)
{
	struct sleeper *busy = &sleepers[0], *lazy;
	double end = now() + 20;
	uint32_t i, n = 0;
	bool good = true;

	for (i = 0; n < 4 * MANY && now() < end; i++) {
		if (is_back(busy))
			put(busy);
		lazy = &sleepers[1 + n % (MANY - 1)];
		if (i % 16 || !sleeps(lazy))
			continue;
		put(lazy);
		good = good && comes_back(lazy);
		n++;
	}
	is_true("wake: beside a busy one", good && n == 4 * MANY);
	is_true("wake: what it sent is back", comes_back(busy));
}

/* They go while the others are used. */
static void some_go(int fd)
{
	int err = 0;
	uint32_t i;

	for (i = 0; i < MANY; i += 2) {
		put(&sleepers[i]);
		put(&sleepers[i + 1]);
		err |= release(fd, sleepers[i].id);
		eventfd_write(sleepers[i].doorbell, 1); /* nobody listens */
		if (!comes_back(&sleepers[i + 1]))
			err = -1;
	}
	is("wake: every second goes, the others are served", err, 0);
}

void test_wake(void)
{
	size_t block = (knit_shm_bytes(RING, PAIRS) + PAGE - 1) & ~(PAGE - 1);
	uint8_t *mem = memory((MANY + 1) * block);
	int fd = kni_open(), err;
	double alone;
	uint32_t i;

	is("wake: memory", mem_add(fd, mem, (MANY + 1) * block, PAGE), 0);
	err = make(&sleepers[0], fd, mem, mem + block, 0);
	alone = wake_up_us();
	for (i = 1; i < MANY && !err; i++)
		err = make(&sleepers[i], fd, mem, mem + (i + 1) * block, i);
	if (!is("wake: 64 interfaces", err, 0))
		return;
	is_true("wake: all sleep", all_of(sleeps, MANY));
	printf("# a wake-up takes %.1f us alone, %.1f us among %u\n", alone, wake_up_us(), MANY);
	each_wakes();
	beside_a_busy_one();
	some_go(fd);
	close(fd);
	for (i = 0; i < MANY; i++)
		close(sleepers[i].doorbell);
}
