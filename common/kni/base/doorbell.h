/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_DOORBELL_H
#define KNIT_DOORBELL_H

#include <stdint.h>

/*
 * Doorbells: one eventfd per consumer thread, named by a small number that means the same in every
 * process of the DPDK group.
 *
 * A table in shared memory says for each doorbell which process made it, and its fd there. Another
 * process copies the fd with pidfd_getfd(2) when it opens the doorbell for the first time, or has
 * the broker hand it over where it may not; a forked child has it already. Ringing is a write(2):
 * any thread may do it, and it never blocks.
 */
#define KNIT_DOORBELL_NONE UINT32_MAX
/* Each engine thread of a tap has one: at most one for each of 64 x 16 pairs; and each worker. */
#define KNIT_MAX_DOORBELLS 2048

/* Maps the table; creates it in the first process. Idempotent. 0 or a negative errno. */
int knit_doorbell_init(void);

/* New doorbell owned by this process: its number, or a negative errno (-ENOSPC: no number left). */
int64_t knit_doorbell_new(void);

/* Owner only. The number may be given out again. */
void knit_doorbell_free(uint32_t doorbell);

/*
 * Makes the doorbell usable in this process. An fd, or a negative errno: -ENOENT no such doorbell,
 * -EPERM this process may not copy fds of the owner (that needs the same user, or CAP_SYS_PTRACE)
 * and has no broker (broker.h),
 * -ESRCH the owner has ended.
 */
int knit_doorbell_open(uint32_t doorbell);

/*
 * A new fd, for another process, of a doorbell that this process made; or a negative errno. The
 * table is not looked at: whoever can write to it could name any file of any process there.
 */
int knit_doorbell_copy(uint32_t doorbell);

/* Forgets this process's copy, for example because the owner died. */
void knit_doorbell_close(uint32_t doorbell);

/*
 * Packet path: wakes the thread that sleeps on it. Does nothing for KNIT_DOORBELL_NONE and for a
 * doorbell that this process has not opened.
 */
void knit_doorbell_ring(uint32_t doorbell);

/* Consumer: forgets all rings so far. Never blocks. */
void knit_doorbell_clear(uint32_t doorbell);

#endif
