// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_tap
#include "tap_io.h"
#include "kni/base/log.h"

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define PENDING INT32_MIN /* no result yet */
#define CANCEL ((void *)(uintptr_t)KNIT_TAP_IO_MAX)
#define WATCH ((void *)(uintptr_t)(KNIT_TAP_IO_MAX + 1))

static void op_call(struct knit_tap_io_op *op, uint64_t *calls)
{
	ssize_t n =
		op->write ? writev(op->fd, op->iov, op->n_iov) : readv(op->fd, op->iov, op->n_iov);

	op->result = n < 0 ? -errno : n;
	*calls += 1;
}

static void ring_add(struct io_uring *ring, const struct knit_tap_io_op *op, uint32_t i)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	if (op->write) {
		io_uring_prep_writev(sqe, op->fd, op->iov, op->n_iov, 0);
	} else {
		io_uring_prep_readv(sqe, op->fd, op->iov, op->n_iov, 0);
		/* O_NONBLOCK would not keep it from waiting: that is about the call */
		sqe->rw_flags = RWF_NOWAIT;
	}
	io_uring_sqe_set_data(sqe, (void *)(uintptr_t)i);
}

static void ring_add_watch(struct knit_tap_io *io, int fd)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(io->ring);

	io_uring_prep_poll_add(sqe, fd, POLLIN);
	io_uring_sqe_set_data(sqe, WATCH);
	io->watching = true;
}

/* Takes the results that are there; returns how many of them are operations'. */
static uint32_t ring_reap(struct knit_tap_io *io)
{
	struct io_uring_cqe *cqe;
	uint32_t n = 0, seen = 0;
	unsigned int head;
	void *what;

	io_uring_for_each_cqe(io->ring, head, cqe)
	{
		seen++;
		what = io_uring_cqe_get_data(cqe);
		if (what == CANCEL)
			continue;
		if (what == WATCH) {
			io->watching = false;
			continue;
		}
		io->op[(uintptr_t)what].result = cqe->res;
		n++;
	}
	io_uring_cq_advance(io->ring, seen);
	return n;
}

static void ring_close(struct knit_tap_io *io)
{
	if (io->ring == NULL)
		return;
	io_uring_queue_exit(io->ring);
	free(io->ring);
	io->ring = NULL;
	io->watching = false;
}

/*
 * The kernel took fewer operations than there are, or left some for later. What it took must end
 * before its memory is used again; nothing is submitted by this ring any more.
 */
static __attribute__((noinline, cold)) void ring_settle(struct knit_tap_io *io, uint32_t taken,
							uint32_t done, uint64_t *calls)
{
	struct io_uring_sqe *sqe;
	uint32_t i;

	if (taken == io->n) {
		for (i = 0; i < io->n; i++) {
			if (io->op[i].result != PENDING)
				continue;
			sqe = io_uring_get_sqe(io->ring);
			io_uring_prep_cancel(sqe, (void *)(uintptr_t)i, 0);
			io_uring_sqe_set_data(sqe, CANCEL);
		}
		io_uring_submit(io->ring);
	}
	while (done < taken) {
		struct io_uring_cqe *cqe;

		if (io_uring_wait_cqe(io->ring, &cqe) == 0)
			done += ring_reap(io);
	}
	ring_close(io);
	for (i = 0; i < io->n; i++)
		if (io->op[i].result == PENDING)
			op_call(&io->op[i], calls);
	log_warn("tap engine: io_uring does not work as expected: it is not used any more");
}

static void ring_run(struct knit_tap_io *io, uint64_t *calls)
{
	bool watch = io->watch_next >= 0 && !io->watching;
	uint32_t i, taken, done;
	int ret;

	for (i = 0; i < io->n; i++) {
		io->op[i].result = PENDING;
		ring_add(io->ring, &io->op[i], i);
	}
	if (watch)
		ring_add_watch(io, io->watch_next);
	io->watch_next = -1;
	*calls += 1;
	ret = io_uring_submit(io->ring);
	taken = ret < 0 ? 0 : ret;
	done = ring_reap(io);
	if (unlikely(done != io->n || taken != io->n + watch))
		ring_settle(io, RTE_MIN(taken, io->n), done, calls);
}

/* Linux before 6.4 can't read from a tap device like this; it says so before it reads anything. */
static void reads_retry(struct knit_tap_io *io, uint32_t n, uint64_t *calls)
{
	uint32_t i;

	if (likely(io->op[0].write || io->op[0].result != -EOPNOTSUPP))
		return;
	io->no_reads = true;
	for (i = 0; i < n; i++)
		if (io->op[i].result == -EOPNOTSUPP)
			op_call(&io->op[i], calls);
}

uint32_t knit_tap_io_run(struct knit_tap_io *io, uint64_t *calls)
{
	uint32_t i, n = io->n;

	if (n > 1 && io->ring) {
		ring_run(io, calls);
		reads_retry(io, n, calls);
	} else {
		for (i = 0; i < n; i++)
			op_call(&io->op[i], calls);
	}
	io->n = 0;
	return n;
}

void knit_tap_io_watch(struct knit_tap_io *io, int fd, uint64_t *calls)
{
	ring_add_watch(io, fd);
	*calls += 1;
	if (unlikely(io_uring_submit(io->ring) != 1))
		ring_close(io);
}

bool knit_tap_io_is_quiet(struct knit_tap_io *io)
{
	if (unlikely(io->watching && io_uring_cq_ready(io->ring)))
		ring_reap(io);
	return io->watching;
}

/* Two writes end within the call, in order. */
static bool ring_is_immediate(struct knit_tap_io *io)
{
	const struct iovec iov[] = { { (char[]){ 'a' }, 1 }, { (char[]){ 'b' }, 1 } };
	char text[2] = { 0 };
	uint64_t calls = 0;
	bool good;
	int fd[2];

	if (pipe2(fd, O_NONBLOCK | O_CLOEXEC) < 0)
		return false;
	knit_tap_io_add(io, fd[1], true, &iov[0], 1);
	knit_tap_io_add(io, fd[1], true, &iov[1], 1);
	knit_tap_io_run(io, &calls);
	good = io->ring && read(fd[0], text, 2) == 2 && text[0] == 'a' && text[1] == 'b';
	close(fd[0]);
	close(fd[1]);
	return good;
}

static void ring_open(struct knit_tap_io *io)
{
	struct io_uring *ring = calloc(1, sizeof(*ring));
	int ret;

	if (ring == NULL)
		return;
	ret = io_uring_queue_init(KNIT_TAP_IO_MAX, ring, 0);
	if (ret < 0) {
		free(ring);
		log_info("tap engine: no io_uring (%s): a system call for each frame",
			 strerror(-ret));
		return;
	}
	io->ring = ring;
	if (!ring_is_immediate(io))
		ring_close(io);
}

struct knit_tap_io *knit_tap_io_new(bool many)
{
	struct knit_tap_io *io = calloc(1, sizeof(*io));

	if (io == NULL)
		return NULL;
	io->watch_next = -1;
	if (many)
		ring_open(io);
	return io;
}

void knit_tap_io_free(struct knit_tap_io *io)
{
	if (io == NULL)
		return;
	ring_close(io);
	free(io);
}
