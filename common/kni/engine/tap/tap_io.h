/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_TAP_IO_H
#define KNIT_TAP_IO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

/*
 * Many reads or writes of queues with one system call, by io_uring. A system call costs 0.1 us at
 * best. Where the kernel has page tables of its own (KPTI) or runs in a virtual machine it may cost
 * more than 1 us, which is more than all the rest of a small frame's way.
 *
 * Order. Operations are carried out within the call, one after the other, since none can wait: so
 * frames stay in order. knit_tap_io_new proves that with a pipe. If the kernel does leave an
 * operation for later, knit_tap_io_run waits for it or cancels it, and io_uring is not used any
 * more.
 *
 * Where io_uring can't be had (seccomp, kernel.io_uring_disabled, no memory) each operation is a
 * system call. A single operation always is: that is cheaper. So are reads before Linux 6.4.
 * Operations of one run either all read or all write.
 *
 * Threads. One thread has it; nothing of it is shared. The kernel keeps nothing of an operation
 * after knit_tap_io_run.
 *
 * Waiting. A thread that polls can have one queue watched: the kernel interrupts it when a frame
 * comes, and until then it need not ask.
 */
#define KNIT_TAP_IO_MAX 64

struct io_uring;

struct knit_tap_io_op {
	const struct iovec *iov;
	uint32_t n_iov;
	int fd;
	bool write;
	int32_t result; /* after run: bytes, or a negative errno */
};

struct knit_tap_io {
	struct io_uring *ring; /* NULL: a system call for each operation */
	bool no_reads;	       /* the same for reads */
	bool watching;	       /* a watch is set and nothing has come */
	int watch_next;	       /* fd to watch behind the next reads, in the same call; -1: none */
	uint32_t n;
	struct knit_tap_io_op op[KNIT_TAP_IO_MAX];
};

/* many: by io_uring, if that can be had. NULL without memory. */
struct knit_tap_io *knit_tap_io_new(bool many);
void knit_tap_io_free(struct knit_tap_io *io);

/* Adds an operation. iov and what it names stay in place until run. */
static inline void knit_tap_io_add(struct knit_tap_io *io, int fd, bool write,
				   const struct iovec *iov, uint32_t n_iov)
{
	io->op[io->n++] =
		(struct knit_tap_io_op){ .iov = iov, .n_iov = n_iov, .fd = fd, .write = write };
}

/*
 * Carries out what was added, sets result of each, and sets n to 0. Returns what n was. Adds the
 * number of system calls to calls.
 */
uint32_t knit_tap_io_run(struct knit_tap_io *io, uint64_t *calls);

/*
 * Watches fd, until it is readable or has an error. Only with a ring; if that fails there is none
 * any more.
 */
void knit_tap_io_watch(struct knit_tap_io *io, int fd, uint64_t *calls);

/* No system call: what is watched is quiet. */
bool knit_tap_io_is_quiet(struct knit_tap_io *io);

/* How many reads are worth a try if more than one frame may be there. */
static inline uint32_t knit_tap_io_reads(const struct knit_tap_io *io)
{
	return io->ring && !io->no_reads ? KNIT_TAP_IO_MAX / 2 : 1;
}

#endif
