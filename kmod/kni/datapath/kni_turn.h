/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KNI_TURN_H
#define KNI_TURN_H

#include "abi/knit_ring.h"

/*
 * Whose turn it is to serve a pair. The packet thread does, or a process in KICK, one at a time:
 * `taken` says that somebody does. Whoever finds it taken goes away; nobody waits for anybody.
 * Pure: also compiled in user space, for its tests.
 *
 * Nothing is lost. Whoever gives a turn back arms afterwards, never before: it raises
 * rx_q.need_data and then looks at the ring once more (E), by what was noted of rx_q when it was
 * given back, since another one may have taken it. A producer that goes away because the pair is
 * taken has submitted before it looked at `taken`, with (F) in between; the other one looks at the
 * ring after it gave the pair back, with (E) in between. So one of the two sees the other. Only who
 * is about to poll takes need_data down, or wakes the one that is.
 */
struct kni_turn {
	unsigned long taken; /* any context, atomic */
	/* Of rx_q, when it was last given back. Who took it: wo; who arms: ro. */
	__u32 cons;
	__u32 left; /* seen and not taken */
};

bool kni_turn_take(struct kni_turn *t); /* false: somebody else has it */
void kni_turn_give(struct kni_turn *t, const struct knit_ring *rx_q);
/* By who took it, or while nobody can: how far rx_q was served. */
void kni_turn_note(struct kni_turn *t, const struct knit_ring *rx_q);
/*
 * Not while one has it. True: sleep; the flag is up, or somebody has taken the turn, and will arm.
 * Touches of rx_q only what is shared, or never changes.
 */
bool kni_turn_arm(const struct kni_turn *t, const struct knit_ring *rx_q);

#endif
