/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KNI_TURN_H
#define KNI_TURN_H

#include "abi/knit_ring.h"

#include <linux/netdevice.h>

/*
 * Whose turn it is to serve a pair. One at a time has it: the packet thread, a process in KICK, a
 * socket that busy-polls, or the core, in a softirq or a thread of its own. The pair's NAPI is the
 * lock: NAPI_STATE_SCHED says that somebody has it. Who finds it set goes away; nobody waits for
 * anybody. Pure: also compiled in user space, for its tests, with a NAPI of theirs.
 *
 * Two ways to have it. The core has it from napi_schedule, or a busy poll, until kni_napi_poll
 * gives it back. Packet thread and KICK take it themselves, serve, and give it back without being
 * scheduled; bottom halves are off all the time, so no signal, no stopped process and no cgroup
 * keeps it from being given back, and napi_disable, which waits for it with RTNL held, is through
 * soon. A process that is killed in KICK leaves afterwards.
 *
 * Giving back is napi_complete_done, so all that GRO kept goes to the stack. False means that the
 * pair will be polled again without a doorbell, and flags stay down: somebody called napi_schedule
 * meanwhile (MISSED), a socket busy-polls, or napi_defer_hard_irqs says so, and a timer is set.
 *
 * Nothing is lost. Whoever gave the turn back, and was told true, arms afterwards, never before: it
 * raises rx_q.need_data and then looks at the ring once more (E), by what was noted of rx_q when it
 * was given back, since another one may have taken it. A producer that goes away because the pair
 * is taken has submitted before it looked at SCHED, with (F) in between; the other one looks at the
 * ring after it gave the pair back, with (E) in between. So one of the two sees the other. Only who
 * is about to poll takes need_data down, or wakes the one that is. Who does so without the turn has
 * a full barrier before asking for it: else the flag may go down after the other one has raised it.
 */
struct kni_turn {
	struct napi_struct napi;
	/* Of rx_q, when it was last given back. Who took it: wo; who arms: ro. */
	__u32 cons;
	__u32 seen; /* and not taken */
	__u32 left; /* of these, what the next poll may take; not 0: a poll is due */
};

bool kni_turn_take(struct kni_turn *t, struct knit_ring *rx_q); /* false: somebody else has it */
/* By who has it from the core, before it polls; take does so. */
void kni_turn_begin(struct knit_ring *rx_q);
/* work: frames that were taken, less than what one poll may take. True: arm. */
bool kni_turn_give(struct kni_turn *t, const struct knit_ring *rx_q, int work);
/*
 * By who took it, or while nobody can: how far rx_q was served. A poll that took nothing would take
 * nothing again, until more is submitted: what stands there is a chain without an end.
 */
void kni_turn_note(struct kni_turn *t, const struct knit_ring *rx_q, int work);
/*
 * Is a poll due, or was rx_q's index written, be it an impossible one? Touches of rx_q what arm
 * does; any context.
 */
bool kni_turn_due(const struct kni_turn *t, const struct knit_ring *rx_q);
/*
 * Not while one has it. True: sleep; the flag is up, or somebody has taken the turn, and will arm.
 * Touches of rx_q only what is shared, or never changes.
 */
bool kni_turn_arm(const struct kni_turn *t, const struct knit_ring *rx_q);

#endif
