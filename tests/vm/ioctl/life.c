// SPDX-License-Identifier: BSD-3-Clause
#include "ioctl.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MANY 64

static void name_of(char *name, int i)
{
	snprintf(name, 16, "kn%d", i);
}

/* n interfaces of one file, each with a block of its own; all up, nobody answers. */
static int create_many(struct bed *b, int n, uint64_t *ids)
{
	const size_t room = (knit_shm_bytes(RING, PAIRS) + PAGE - 1) & ~(PAGE - 1);
	struct bed each = *b;
	char name[16];
	int i, err;

	each.mem = memory(n * room);
	err = mem_add(b->fd, each.mem, n * room, PAGE);
	for (i = 0; i < n && !err; i++) {
		each.shm = (struct knit_shm_hdr *)(each.mem + i * room);
		block_init(each.shm);
		name_of(name, i);
		err = create(&each, name, &ids[i]);
		if (!err)
			err = attach(b->fd, ids[i], KNIT_ATTACH_PAIR, i % PAIRS);
		if (!err)
			err = set_up(name, true);
	}
	return err;
}

static int play_many(void *arg)
{
	static uint64_t ids[MANY];
	struct bed b;

	(void)arg;
	bed_open(&b);
	return create_many(&b, MANY, ids);
}

static int hold(void *arg)
{
	(void)arg;
	return 0;
}

struct slow {
	int result;
	double seconds;
};

static void *bring_up(void *arg)
{
	struct slow *slow = arg;
	double start = now();

	slow->result = set_up("kn0", true);
	slow->seconds = now() - start;
	return NULL;
}

static bool has_request(const void *arg)
{
	const struct knit_ring_shm *req_q = arg;

	return knit_load(&req_q->producer) != knit_load(&req_q->consumer);
}

/* A handler that never answers, a request that waits for it with RTNL held, and a release. */
static void release_while_sync(void)
{
	struct slow slow = { 0 };
	pthread_t caller;
	uint64_t id;
	struct bed b;
	double start;

	bed_open(&b);
	is("synchronous: create", create(&b, "kn0", &id), 0);
	is("synchronous: a handler", attach(b.fd, id, KNIT_ATTACH_HANDLER, 0), 0);
	/* What it is told first is answered by nobody; a synchronous one waits behind it. */
	pthread_create(&caller, NULL, bring_up, &slow);
	is_true("synchronous: a request",
		wait_until(2, has_request, (uint8_t *)b.shm + knit_shm_req_off()));
	start = now();
	is("synchronous: release", release(b.fd, id), 0);
	is_true("synchronous: it waits for nobody", now() - start < 2);
	pthread_join(caller, NULL);
	is_true("synchronous: its caller has an error", slow.result < 0);
	is_true("synchronous: at once", slow.seconds < 2.5);
	bed_close(&b);
}

void test_processes(void)
{
	uint64_t id;
	struct bed b;
	int result;
	pid_t pid;

	pid = child(play_many, NULL, &result);
	is("killed: a process with 64 interfaces, all up", result, 0);
	is_true("killed: they are there", exists("kn0") && exists("kn63"));
	child_end(pid);
	is_true("killed: they are gone when it is", !exists("kn0") && !exists("kn63"));

	bed_open(&b);
	is("inherited: create", create(&b, "kn0", &id), 0);
	pid = child(hold, NULL, &result);
	bed_close(&b);
	is_true("inherited: a child keeps the interface", exists("kn0"));
	child_end(pid);
	is_true("inherited: until it ends", !exists("kn0"));
	release_while_sync();
}

/* A namespace that dies with its last process. */
static int new_netns(void *arg)
{
	(void)arg;
	return unshare(CLONE_NEWNET) < 0 ? -errno : 0;
}

static int netns_of(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

struct dead {
	int fd;
	uint64_t id;
};

static bool is_dead(const void *arg)
{
	const struct dead *dead = arg;

	return set_link(dead->fd, dead->id, KNIT_LINK_KEEP_SPEED) == -ENODEV;
}

/* An interface in a namespace of a child, whose end is the namespace's. */
static pid_t create_elsewhere(const struct bed *b, const char *name, struct dead *dead)
{
	struct knit_ioc_create c = create_args(b, name);
	int result;
	pid_t pid = child(new_netns, NULL, &result);

	is("namespace: new", result, 0);
	c.netns_fd = netns_of(pid);
	is("namespace: create", call(b->fd, KNIT_IOC_CREATE, &c), 0);
	close(c.netns_fd);
	dead->fd = b->fd;
	dead->id = c.id;
	return pid;
}

static void dies_and_is_released(void)
{
	int other = kni_open();
	struct knit_ioc_stats s;
	struct dead dead;
	struct bed b;
	pid_t pid;

	bed_open(&b);
	pid = create_elsewhere(&b, "kd0", &dead);
	is_true("namespace: it is not here", !exists("kd0"));
	is("namespace: attach", attach(other, dead.id, KNIT_ATTACH_PAIR, 0), 0);
	is("namespace: attach a handler", attach(other, dead.id, KNIT_ATTACH_HANDLER, 0), 0);
	child_end(pid);
	is_true("namespace: the interface dies with it", wait_until(10, is_dead, &dead));
	is("namespace: -ENODEV, attach", attach(other, dead.id, KNIT_ATTACH_PAIR, 1), -ENODEV);
	is("namespace: -ENODEV, handler", attach(other, dead.id, KNIT_ATTACH_HANDLER, 0), -ENODEV);
	is("namespace: 0, detach", detach(other, dead.id, KNIT_ATTACH_PAIR, 0), 0);
	is("namespace: counters can still be read", stats(other, dead.id, 0, &s), 0);
	is("namespace: the block is not mapped any more", mem_del(b.fd, b.mem, b.len, PAGE), 0);
	is("namespace: release", release(b.fd, dead.id), 0);
	is("namespace: release succeeds once", release(b.fd, dead.id), -ENOENT);
	is_true("namespace: no thread is left", !has_thread(thread_name()));
	close(other);
	bed_close(&b);
}

/* The end of a namespace and the release, or the last close, at the same time. */
static void race(void)
{
	struct dead dead;
	struct bed b;
	pid_t pid;
	int i;

	for (i = 0; i < 20; i++) {
		int before = failures;

		bed_open(&b);
		pid = create_elsewhere(&b, "kd0", &dead);
		attach(b.fd, dead.id, KNIT_ATTACH_PAIR, 0);
		child_end(pid);
		if (i % 2)
			is("race: release", release(b.fd, dead.id), 0);
		bed_close(&b);
		if (failures != before)
			return;
	}
	is_true("race: 20 namespaces that end while their interface does", true);
}

void test_namespaces(void)
{
	dies_and_is_released();
	race();
}

static void cycles(void)
{
	struct bed b;
	uint64_t id;
	int i, err = 0;

	bed_open(&b);
	for (i = 0; i < 100 && !err; i++) {
		block_init(b.shm);
		err = create(&b, "kn0", &id);
		if (!err)
			err = attach(b.fd, id, KNIT_ATTACH_PAIR, 0);
		if (!err && i % 2)
			err = set_up("kn0", true);
		if (!err)
			err = release(b.fd, id);
	}
	is("cycles: create and release, 100 times", err, 0);
	is_true("cycles: no thread is left", !has_thread(thread_name()));
	bed_close(&b);
}

/* Two files that attach the same pair, and its owner, who detaches whoever it is. */
static void *attach_often(void *arg)
{
	const struct dead *dead = arg;
	int fd = kni_open(), i, err;

	for (i = 0; i < 100; i++) {
		err = attach(fd, dead->id, KNIT_ATTACH_PAIR, 0);
		if (err && err != -EBUSY && err != -EALREADY)
			break;
		if (i % 10 == 9) {
			close(fd);
			fd = kni_open();
		}
	}
	close(fd);
	return (void *)(intptr_t)(i == 100);
}

static void contention(void)
{
	pthread_t threads[2];
	struct dead dead;
	void *all_right;
	struct bed b;
	int i;

	bed_open(&b);
	is("contention: create", create(&b, "kn0", &dead.id), 0);
	for (i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, attach_often, &dead);
	for (i = 0; i < 50; i++)
		if (detach(b.fd, dead.id, KNIT_ATTACH_PAIR, 0) != 0)
			is("contention: detach", -1, 0);
	for (i = 0; i < 2; i++) {
		pthread_join(threads[i], &all_right);
		is_true("contention: attach and close, 100 times", all_right != NULL);
	}
	is("contention: nobody is left", attach(b.fd, dead.id, KNIT_ATTACH_PAIR, 0), 0);
	bed_close(&b);
}

void test_many(void)
{
	static uint64_t ids[MANY];
	struct bed b;
	int i, err;

	cycles();
	contention();
	bed_open(&b);
	is("many: 64 interfaces", create_many(&b, MANY, ids), 0);
	for (i = 0, err = 0; i < MANY; i += 2)
		err |= release(b.fd, ids[i]);
	is("many: every second is released", err, 0);
	is_true("many: the others stay", !exists("kn0") && exists("kn1") && exists("kn63"));
	bed_close(&b);
	is_true("many: none is left after the close", !exists("kn1") && !exists("kn63"));
}
