/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_OWNER_H
#define KNIT_OWNER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * A claim: it says which process owns something in shared memory. One process at a time holds it.
 * The kernel reuses process ids, so an owner is alive only if its pid runs and started at the time
 * that the claim says. Not for the packet path: it reads /proc.
 *
 * start_time carries the low bits of the generation that it belongs to, so a predecessor's is never
 * taken for the new owner's. If a process dies between taking pid_gen and storing start_time the
 * claim looks unfinished (start_time is of another generation); such a claim counts as alive while
 * that pid runs and as dead afterwards.
 */

/* Who holds an end, or the handler's role. Taken by compare-and-swap of pid_gen, see owner.c. */
struct knit_owner {
	uint64_t pid_gen; /* pid << 32 | generation; pid 0: nobody */
	/* generation << 48 | field 22 of /proc/<pid>/stat; another generation: not stored yet */
	uint64_t start_time;
};

/* Field 22 of /proc/<pid>/stat, in clock ticks since boot; 0 if there is no such process. */
uint64_t knit_process_start_time(pid_t pid);

/*
 * For the calling process. 0 and a new generation, or -EBUSY while a live process (also this one)
 * holds it.
 */
int knit_owner_claim(struct knit_owner *o);

/* Only the holder. */
void knit_owner_release(struct knit_owner *o);

/* Takes the claim away from any process, for example after the caller saw that process end. */
void knit_owner_clear(struct knit_owner *o);

bool knit_owner_alive(const struct knit_owner *o);
bool knit_owner_is_self(const struct knit_owner *o);

static inline pid_t knit_owner_pid(const struct knit_owner *o)
{
	return (pid_t)(__atomic_load_n(&o->pid_gen, __ATOMIC_ACQUIRE) >> 32);
}

/* Changes with every claim and every release. */
static inline uint64_t knit_owner_stamp(const struct knit_owner *o)
{
	return __atomic_load_n(&o->pid_gen, __ATOMIC_ACQUIRE);
}

#endif
