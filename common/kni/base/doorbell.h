/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_DOORBELL_H
#define KNIT_DOORBELL_H

#include <stdint.h>

/*
 * Doorbells: one eventfd per consumer thread, named by a small number that means the same in every
 * process of the DPDK group.
 *
 * The table of doorbells is in shared memory: which process made it and as which fd. Another
 * process takes its own copy of the fd with pidfd_getfd(2) the first time it opens the doorbell; a
 * forked child has it already. Ringing is a write(2), safe from any thread, and never blocks.
 */
#define KNIT_DOORBELL_NONE UINT32_MAX
#define KNIT_MAX_DOORBELLS 512

/* Maps the table; creates it in the first process. Idempotent. 0 or a negative errno. */
int knit_doorbell_init(void);

/* New doorbell owned by this process: its number, or a negative errno (-ENOSPC: no number left). */
int64_t knit_doorbell_new(void);

/* Owner only. The number may be given out again. */
void knit_doorbell_free(uint32_t doorbell);

/*
 * Makes the doorbell usable in this process: an fd, or a negative errno: -ENOENT no such doorbell,
 * -EPERM may not look into the owner (needs the same user, or CAP_SYS_PTRACE), -ESRCH the owner is
 * gone.
 */
int knit_doorbell_open(uint32_t doorbell);

/* Forgets this process's copy, for example because the owner died. */
void knit_doorbell_close(uint32_t doorbell);

/*
 * Packet path: wakes whoever sleeps on it. KNIT_DOORBELL_NONE and a doorbell never opened do
 * nothing.
 */
void knit_doorbell_ring(uint32_t doorbell);

/* Consumer: takes all rings so far. Never blocks. */
void knit_doorbell_clear(uint32_t doorbell);

#endif
