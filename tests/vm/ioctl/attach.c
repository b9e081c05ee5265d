// SPDX-License-Identifier: BSD-3-Clause
#include "ioctl.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define PAIR KNIT_ATTACH_PAIR
#define HANDLER KNIT_ATTACH_HANDLER

/* A way to say which one, for children. */
struct which {
	uint64_t id;
	uint32_t role;
	uint32_t pair;
};

static struct knit_ring_shm *queue(const struct bed *b, uint32_t pair, enum knit_queue q)
{
	return (struct knit_ring_shm *)((uint8_t *)b->shm + knit_shm_queue_off(RING, pair, q));
}

static struct knit_ring_shm *requests(const struct bed *b)
{
	return (struct knit_ring_shm *)((uint8_t *)b->shm + knit_shm_req_off());
}

static void bad_arguments(int fd, uint64_t id)
{
	struct knit_ioc_attach a = { .size = sizeof(a), .role = PAIR, .id = id, .doorbell_fd = -1 };

	is("attach: -EINVAL, no role", attach(fd, id, 0, 0), -EINVAL);
	is("attach: -EINVAL, no such role", attach(fd, id, 3, 0), -EINVAL);
	is("attach: -EINVAL, a handler's pair", attach(fd, id, HANDLER, 1), -EINVAL);
	a.reserved = 1;
	is("attach: -EINVAL, reserved", call(fd, KNIT_IOC_ATTACH, &a), -EINVAL);
	is("detach: -EINVAL, reserved", call(fd, KNIT_IOC_DETACH, &a), -EINVAL);
	a.reserved = 0;
	a.doorbell_fd = packet_doorbell;
	is("detach: -EINVAL, a doorbell", call(fd, KNIT_IOC_DETACH, &a), -EINVAL);
	a.doorbell_fd = 999;
	is("attach: -EBADF, no doorbell", call(fd, KNIT_IOC_ATTACH, &a), -EBADF);
	a.doorbell_fd = fd;
	is("attach: -EINVAL, no eventfd", call(fd, KNIT_IOC_ATTACH, &a), -EINVAL);
	is("attach: -ENOENT, no interface", attach(fd, id + 1000, PAIR, 0), -ENOENT);
	is("attach: -ENOENT, id 0", attach(fd, 0, PAIR, 0), -ENOENT);
	is("attach: -ENOENT, no pair", attach(fd, id, PAIR, PAIRS), -ENOENT);
	is("attach: -ENOENT, pair of billions", attach(fd, id, PAIR, 0x80000000), -ENOENT);
	is("detach: -ENOENT, no pair", detach(fd, id, PAIR, PAIRS), -ENOENT);
	is("detach: -ENOENT, no interface", detach(fd, id + 1000, PAIR, 0), -ENOENT);
}

static void spoiled_rings(const struct bed *b, int fd, uint64_t id)
{
	enum knit_queue q;

	for (q = KNIT_RX_Q; q < KNIT_QUEUES; q++) {
		queue(b, 1, q)->producer = RING + 1;
		is("attach: -EBADMSG, a queue", attach(fd, id, PAIR, 1), -EBADMSG);
		queue(b, 1, q)->producer = 0;
	}
	requests(b)->consumer += 1;
	is("attach: -EBADMSG, requests", attach(fd, id, HANDLER, 0), -EBADMSG);
	requests(b)->consumer -= 1;
	is("attach: after that a pair", attach(fd, id, PAIR, 1), 0);
	is("detach: it", detach(fd, id, PAIR, 1), 0);
}

/* role of id on two files, creator's and another. */
static void exclusive(const char *what, const struct bed *b, int fd, const struct which *w)
{
	int stranger = kni_open();

	is(what, attach(fd, w->id, w->role, w->pair), 0);
	is("attach: -EALREADY, twice", attach(fd, w->id, w->role, w->pair), -EALREADY);
	is("attach: -EBUSY, another file", attach(stranger, w->id, w->role, w->pair), -EBUSY);
	is("attach: -EBUSY, the creating file", attach(b->fd, w->id, w->role, w->pair), -EBUSY);
	is("detach: -EPERM, another file", detach(stranger, w->id, w->role, w->pair), -EPERM);
	is("detach: it itself", detach(fd, w->id, w->role, w->pair), 0);
	is("detach: 0 if nobody is", detach(fd, w->id, w->role, w->pair), 0);
	is("detach: 0, whoever asks", detach(stranger, w->id, w->role, w->pair), 0);
	is("attach: now another", attach(stranger, w->id, w->role, w->pair), 0);
	is("detach: by the creating file", detach(b->fd, w->id, w->role, w->pair), 0);
	is("attach: after that the first", attach(fd, w->id, w->role, w->pair), 0);
	is("detach: -EPERM, who was detached", detach(stranger, w->id, w->role, w->pair), -EPERM);
	is("attach: the first is still it", attach(fd, w->id, w->role, w->pair), -EALREADY);
	close(fd); /* the caller's: its last close detaches */
	is("close: detaches", attach(stranger, w->id, w->role, w->pair), 0);
	close(stranger);
}

static int take(int fd, uint64_t id, uint32_t role)
{
	struct knit_ioc_attach a = { .size = sizeof(a),
				     .role = role,
				     .id = id,
				     .doorbell_fd = packet_doorbell,
				     .flags = KNIT_ATTACH_TAKE_OVER };

	return call(fd, KNIT_IOC_ATTACH, &a);
}

/* Nobody is told when it happens: who had the pair has yielded it, and closes its file later. */
static void taken_over(const struct bed *b, uint64_t id)
{
	int first = kni_open(), second = kni_open();
	struct knit_ioc_attach a = { .size = sizeof(a), .role = PAIR, .id = id, .doorbell_fd = -1 };

	a.flags = KNIT_ATTACH_TAKE_OVER;
	is("take over: -EINVAL, detach", call(first, KNIT_IOC_DETACH, &a), -EINVAL);
	a.flags = 2;
	is("take over: -EINVAL, no such flag", call(first, KNIT_IOC_ATTACH, &a), -EINVAL);
	is("take over: -EINVAL, a handler", take(first, id, HANDLER), -EINVAL);
	is("take over: from nobody", take(first, id, PAIR), 0);
	is("take over: -EALREADY, its own", take(first, id, PAIR), -EALREADY);
	is("take over: from another file", take(second, id, PAIR), 0);
	is("take over: -EPERM, the first detaches", detach(first, id, PAIR, 0), -EPERM);
	is("take over: and back", take(first, id, PAIR), 0);
	close(second);
	is("take over: the end of who had it changes nothing", attach(first, id, PAIR, 0),
	   -EALREADY);
	second = kni_open();
	is("take over: again", take(second, id, PAIR), 0);
	close(first);
	is("take over: -EBUSY, it is attached", attach(b->fd, id, PAIR, 0), -EBUSY);
	close(second);
	is("take over: its own end detaches", attach(b->fd, id, PAIR, 0), 0);
	is("take over: the last", detach(b->fd, id, PAIR, 0), 0);
}

static int attach_which(void *arg)
{
	const struct which *w = arg;

	return attach(kni_open(), w->id, w->role, w->pair);
}

/* A process that is killed is detached when it is gone. */
static void killed(const struct which *w)
{
	int fd = kni_open(), result;
	pid_t pid = child(attach_which, (void *)w, &result);

	is("killed: it was attached", result, 0);
	is("killed: -EBUSY before", attach(fd, w->id, w->role, w->pair), -EBUSY);
	child_end(pid);
	is("killed: free afterwards", attach(fd, w->id, w->role, w->pair), 0);
	close(fd);
}

static void attached_at_creation(const struct bed *b)
{
	struct knit_ioc_create c = create_args(b, "ka1");
	int first = kni_open(), second = kni_open();

	c.flags = KNIT_CREATE_ATTACHED;
	if (!is("attached: create", call(b->fd, KNIT_IOC_CREATE, &c), 0))
		return;
	is("attached: a handler", attach(first, c.id, HANDLER, 0), 0);
	is("attached: -EALREADY", attach(first, c.id, HANDLER, 0), -EALREADY);
	is("attached: another takes its place", attach(second, c.id, HANDLER, 0), 0);
	is("attached: -EPERM, the first detaches", detach(first, c.id, HANDLER, 0), -EPERM);
	is("attached: the second is still it", attach(second, c.id, HANDLER, 0), -EALREADY);
	is("attached: the first is it again", attach(first, c.id, HANDLER, 0), 0);
	is("attached: release", release(b->fd, c.id), 0);
	is("attached: -ENOENT afterwards", detach(first, c.id, HANDLER, 0), -ENOENT);
	close(first);
	close(second);
}

/* From a user namespace of its own, with rights there only. */
static int without_right(void *arg)
{
	const struct which *w = arg;
	struct knit_ioc_stats s;
	int fd;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return -errno;
	fd = kni_open();
	is("rights: -EPERM, attach", attach(fd, w->id, PAIR, 0), -EPERM);
	is("rights: -EPERM, detach", detach(fd, w->id, PAIR, 0), -EPERM);
	is("rights: -EPERM, link", set_link(fd, w->id, KNIT_LINK_UP), -EPERM);
	is("rights: -EPERM, stats", stats(fd, w->id, 0, &s), -EPERM);
	return failures;
}

static void interface_goes_first(const struct bed *b)
{
	int fd = kni_open();
	uint64_t id;

	is("release: create", create(b, "ka2", &id), 0);
	is("release: attach both pairs",
	   attach(fd, id, PAIR, 0) | attach(fd, id, PAIR, 1) | attach(fd, id, HANDLER, 0), 0);
	is("release: while they are attached", release(b->fd, id), 0);
	is("release: -ENOENT, attach", attach(fd, id, PAIR, 0), -ENOENT);
	is("release: create another in the same block", create(b, "ka2", &id), 0);
	is("release: attach to that", attach(fd, id, PAIR, 0), 0);
	is("release: once more", release(b->fd, id), 0);
	close(fd);
}

void test_attach(void)
{
	struct knit_ioc_stats s;
	struct which w;
	int fd, result;
	struct bed b;

	bed_open(&b);
	if (!is("attach: create", create(&b, "ka0", &w.id), 0))
		return;
	fd = kni_open();
	bad_arguments(fd, w.id);
	spoiled_rings(&b, fd, w.id);
	is("stats", stats(fd, w.id, 1, &s), 0);
	is("stats: -ENOENT, no pair", stats(fd, w.id, PAIRS, &s), -ENOENT);
	is("stats: -ENOENT, no interface", stats(fd, w.id + 1000, 0, &s), -ENOENT);
	w.role = PAIR;
	w.pair = 1;
	exclusive("attach: a pair", &b, fd, &w);
	killed(&w);
	taken_over(&b, w.id);
	w.role = HANDLER;
	w.pair = 0;
	exclusive("attach: a handler", &b, kni_open(), &w);
	killed(&w);
	is("attach: by the creating file itself", attach(b.fd, w.id, PAIR, 0), 0);
	child_end(child(without_right, &w, &result));
	failures += result != 0;
	is("attach: release", release(b.fd, w.id), 0);
	attached_at_creation(&b);
	interface_goes_first(&b);
	bed_close(&b);
}
