// SPDX-License-Identifier: BSD-3-Clause
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Two pages, of which the second one can't be touched. */
static uint8_t *cliff(void)
{
	uint8_t *mem =
		mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED || mprotect(mem + 2 * PAGE, PAGE, PROT_NONE))
		die("mmap");
	return mem;
}

static const void *read_only(void)
{
	static void *page;

	if (!page)
		page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return page;
}

static int odd_pointer(struct dice *d, int fd, unsigned int cmd, const union any_arg *arg)
{
	uint8_t *mem = cliff();
	void *const places[] = {
		NULL,		(void *)-8l,	     (void *)read_only(),
		mem + 2 * PAGE, (void *)(1ul << 47), (void *)0xffffffff81000000ul
	};
	uint32_t room = below(d, 160);
	int err;

	if (one_in(d, 3)) {
		memcpy(mem + 2 * PAGE - room, arg, room);
		err = call(fd, cmd, mem + 2 * PAGE - room);
	} else {
		err = call(fd, cmd, PICK(d, places));
	}
	munmap(mem, 3 * PAGE);
	return err;
}

static int some_file(const struct stage *s, struct dice *d)
{
	return one_in(d, 2) ? s->file : s->other[below(d, 2)];
}

/* Root may change anybody's carrier. The innocent's is not to be hit by chance. */
static bool is_fair(unsigned int cmd, const union any_arg *arg)
{
	return _IOC_NR(cmd) != _IOC_NR(KNIT_IOC_SET_LINK) ||
	       (arg->size >= sizeof(arg->link) && arg->link.id != counted(&control->innocent_id));
}

/* This thread's, of a kernel with fault injection; -1: nothing is to fail. */
static __thread int fail_nth = -1;

/* The n-th allocation of its next calls fails; 0: none. */
static void let_fail(uint32_t n)
{
	char text[12];
	int len = snprintf(text, sizeof(text), "%u", n);

	if (fail_nth >= 0 && pwrite(fail_nth, text, len, 0) != len)
		die("fail-nth");
}

static bool has_failed(void)
{
	char left = '1';

	return fail_nth >= 0 && pread(fail_nth, &left, 1, 0) == 1 && left == '0';
}

/* With a bad pointer, an allocation that fails, or as it should be. */
static int do_call(struct dice *d, int fd, unsigned int cmd, union any_arg *arg)
{
	int err;

	if (one_in(d, 30))
		return odd_pointer(d, fd, cmd, arg);
	if (fail_nth < 0 || one_in(d, 2))
		return call(fd, cmd, arg);
	let_fail(1 + below(d, 60));
	err = call(fd, cmd, arg);
	if (has_failed())
		count(&control->failed);
	let_fail(0);
	return err;
}

static void one_call(const struct stage *s, struct dice *d, union any_arg *arg)
{
	unsigned int cmd = arg_make(s, d, arg);
	int fd = some_file(s, d), err;

	if (!is_fair(cmd, arg))
		return;
	if (cmd == KNIT_IOC_CREATE || cmd == KNIT_IOC_RELEASE || cmd == KNIT_IOC_MEM_ADD)
		fd = one_in(d, 10) ? fd : s->file;
	err = do_call(d, fd, cmd, arg);
	count(&control->calls);
	if (err)
		return;
	count(&control->calls_good);
	if (cmd == KNIT_IOC_CREATE)
		publish_id(arg->create.id);
	if (cmd == KNIT_IOC_MEM_DEL && arg->mem.addr == (uintptr_t)s->buffers)
		call(fd, KNIT_IOC_MEM_ADD, arg);
}

/* Other memory, or none, at the place of some of the playground. */
static void remap(const struct stage *s, struct dice *d)
{
	static const int protections[] = { PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE,
					   PROT_READ, PROT_NONE };
	static const int flags[] = { MAP_SHARED | MAP_ANONYMOUS, MAP_PRIVATE | MAP_ANONYMOUS };
	size_t len = (1 + below(d, 32)) * PAGE;
	uint8_t *at = s->play + below(d, (s->play_len - len) / PAGE) * PAGE;

	if (one_in(d, 4))
		/* as good as unmapped, but nothing else of ours is put there */
		(void)mmap(at, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	else
		(void)mmap(at, len, PICK(d, protections), PICK(d, flags) | MAP_FIXED, -1, 0);
	if (one_in(d, 4))
		madvise(at, len, MADV_DONTNEED);
}

/* A file of its own, that is closed with all that it has. */
static void short_life(const struct stage *s, struct dice *d)
{
	int fd = open(KNIT_DEV_PATH, O_RDWR | O_CLOEXEC), copy;
	struct knit_ioc_attach a = {
		.size = sizeof(a),
		.role = one_in(d, 2) ? KNIT_ATTACH_HANDLER : KNIT_ATTACH_PAIR,
		.id = some_id(d),
		.doorbell_fd = s->doorbells[2],
	};

	if (fd < 0)
		return;
	call(fd, KNIT_IOC_ATTACH, &a);
	copy = dup(fd);
	close(fd);
	close(copy);
}

/* On its way through a socket that is closed before it arrives. */
static void in_flight(const struct stage *s, struct dice *d)
{
	char control_room[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec byte = { .iov_base = "x", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &byte,
		.msg_iovlen = 1,
		.msg_control = control_room,
		.msg_controllen = sizeof(control_room),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int ends[2], fd = open(KNIT_DEV_PATH, O_RDWR | O_CLOEXEC);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), one_in(d, 2) ? &fd : &s->other[0], sizeof(int));
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) == 0) {
		sendmsg(ends[0], &msg, MSG_DONTWAIT);
		close(ends[0]);
		close(ends[1]);
	}
	close(fd);
}

/* What /dev/kni is not for. */
static void misuse(const struct stage *s, struct dice *d)
{
	struct pollfd p = { .fd = some_file(s, d), .events = POLLIN | POLLOUT };
	uint8_t byte = 0;
	void *mem;

	if (read(p.fd, &byte, 1) >= 0 || write(p.fd, &byte, 1) >= 0)
		count(&control->calls_good);
	mem = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, p.fd, 0);
	if (mem != MAP_FAILED)
		munmap(mem, PAGE);
	poll(&p, 1, 0);
}

void *caller(void *arg)
{
	struct actor *a = arg;
	struct dice *d = &a->dice;
	static __thread union any_arg one;
	uint32_t n;

	if (control->fail)
		fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (control->fail && fail_nth < 0)
		die("fail-nth");
	for (;;) {
		for (n = 1 + below(d, 8); n; n--)
			one_call(a->stage, d, &one);
		if (one_in(d, 3))
			remap(a->stage, d);
		if (one_in(d, 20))
			short_life(a->stage, d);
		if (one_in(d, 40))
			in_flight(a->stage, d);
		if (one_in(d, 50))
			misuse(a->stage, d);
		nap(below(d, 1000));
	}
	return NULL;
}
