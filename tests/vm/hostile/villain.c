// SPDX-License-Identifier: BSD-3-Clause
#include "hostile.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define HUGE (2ul << 20)
#define PLAY (16 * 64 * PAGE)

static struct stage stage;

static size_t page_size(void)
{
	return stage.plan->huge ? HUGE : PAGE;
}

static size_t rounded(size_t len)
{
	return (len + page_size() - 1) & ~(page_size() - 1);
}

/* Blocks and buffers touch, but are two regions: a piece may lie in both. */
static void set_memory(void)
{
	const struct plan *plan = stage.plan;
	size_t block = (knit_shm_bytes(plan->ring_size, plan->n_pairs) + PAGE) & ~63ul, blocks;
	uint32_t i;

	blocks = rounded(TARGETS * block);
	stage.buffers_len = rounded(1 << 20);
	stage.area_len = blocks + stage.buffers_len;
	stage.area = shared_memory(stage.area_len, plan->huge);
	stage.buffers = stage.area + blocks;
	stage.play_len = PLAY;
	stage.play = shared_memory(PLAY, false);
	errno = -mem_add(stage.file, stage.area, blocks, page_size());
	if (!errno)
		errno = -mem_add(stage.file, stage.buffers, stage.buffers_len, page_size());
	if (errno)
		die("villain: add memory");
	for (i = 0; i < TARGETS; i++) {
		stage.target[i].shm = stage.area + i * block;
		stage.target[i].ring_size = plan->ring_size;
		stage.target[i].n_pairs = plan->n_pairs;
		stage.target[i].number = i;
	}
}

static int attach_all(const struct target *t)
{
	struct knit_ioc_attach a = { .size = sizeof(a),
				     .id = t->id,
				     .doorbell_fd = stage.doorbells[2] };
	int err;

	a.role = KNIT_ATTACH_HANDLER;
	err = call(stage.other[0], KNIT_IOC_ATTACH, &a);
	a.role = KNIT_ATTACH_PAIR;
	for (; a.pair < t->n_pairs; a.pair++)
		if (!err)
			err = call(stage.other[a.pair % 2], KNIT_IOC_ATTACH, &a);
	return err;
}

static int target_make(struct target *t)
{
	struct knit_ioc_create c = {
		.size = sizeof(c),
		.flags = stage.plan->flags,
		.shm = (uintptr_t)t->shm,
		.ring_size = t->ring_size,
		.n_pairs = t->n_pairs,
		.features = stage.plan->features,
		.netns_fd = -1,
		.mtu = 1500,
		.min_mtu = 68,
		.max_mtu = 65535,
		.packet_doorbell_fd = stage.doorbells[0],
		.request_doorbell_fd = stage.doorbells[1],
	};
	int err;

	snprintf(c.name, sizeof(c.name), PREFIX "%u", t->number);
	mac_of(c.mac, t->number, 1);
	block_init(t->shm, t->ring_size, t->n_pairs);
	err = call(stage.file, KNIT_IOC_CREATE, &c);
	if (err)
		return err;
	t->id = c.id;
	publish_id(c.id);
	return attach_all(t);
}

static void start(void *(*run)(void *), uint32_t number)
{
	struct actor *a = malloc(sizeof(*a));
	pthread_t thread;

	if (!a)
		die("malloc");
	a->stage = &stage;
	a->dice = dice_of(control->seed, stage.plan->round, number);
	errno = pthread_create(&thread, NULL, run, a);
	if (errno)
		die("pthread_create");
}

static void accomplice(uint32_t i)
{
	start(caller, 100 + 10 * i);
	start(scribbler, 101 + 10 * i);
	start(feeder, 102 + 10 * i);
	if (i == 1 && setresuid(65534, 65534, 65534))
		die("setresuid");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static void start_all(void)
{
	uint32_t i;
	pid_t pid;

	for (i = 0; i < ACCOMPLICES; i++) {
		pid = fork();
		if (pid < 0)
			die("fork");
		if (pid == 0)
			accomplice(i);
		control->accomplices[i] = pid;
	}
	start(feeder, 1);
	start(feeder, 2);
	start(scribbler, 3);
	start(scribbler, 4);
	start(answerer, 5);
	start(caller, 6);
	start(caller, 7);
}

void villain(const struct plan *plan)
{
	struct knit_ioc_stats s;
	uint32_t i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	stage.plan = plan;
	stage.file = kni_open();
	for (i = 0; i < 2; i++)
		stage.other[i] = kni_open();
	for (i = 0; i < 3; i++)
		stage.doorbells[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	set_memory();
	for (i = 0; i < TARGETS; i++) {
		errno = -target_make(&stage.target[i]);
		if (errno)
			die("villain: interface");
	}
	provoke(&stage);
	start_all();
	__atomic_store_n(&control->ready, plan->round + 1, __ATOMIC_RELEASE);
	for (;;) {
		nap(100000);
		for (i = 0; i < TARGETS; i++) {
			if (!stats(stage.file, stage.target[i].id, 0, &s))
				target_make(&stage.target[i]);
			attach_all(&stage.target[i]);
		}
	}
}
