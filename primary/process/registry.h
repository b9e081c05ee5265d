/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PROCESS_REGISTRY_H
#define KNIT_PRIMARY_PROCESS_REGISTRY_H

#include "primary.h"

/*
 * The registry of secondaries. Functions that take a message return the answer, 0 or a negative
 * errno. The reason is in the message's text.
 */
/* pidfd: the sender's. Set to -1 if the registry keeps it. */
int registry_attach(struct primary *p, struct knit_msg *m, int *pidfd);
/* Returns the index of the entry that is ready now, or a negative errno. */
int registry_ready(struct primary *p, struct knit_msg *m);
int registry_detach(struct primary *p, struct knit_msg *m);
/* The entry of the sender, which is attaching or attached. Or a negative errno. */
int registry_entry(struct primary *p, struct knit_msg *m);
/* The worker of an entry that is not control's. */
static inline unsigned int registry_worker_of(unsigned int entry)
{
	return entry < CONTROL_ENTRY ? entry : entry - STANDBY_ENTRY(0);
}

/*
 * The process that stands by for worker i becomes the worker, and whoever had the entry before, and
 * touches nothing any more, has the other one until its end.
 */
void registry_take_over(struct primary *p, unsigned int i);

/* Engines start or stop to serve the domain's pairs. 0 or -errno. */
int registry_serve_pairs(struct primary *p, unsigned int i, bool on);

/* 0: the message comes from the control process that has the entry. Otherwise -EPROTO. */
int registry_is_control(struct primary *p, struct knit_msg *m);
/* The process of pidfd[entry] has ended. Returns whether it left a domain to be reset. */
bool registry_ended(struct primary *p, unsigned int entry);
/* Tells the workers that have a queue on one of these ports to end when they are resumed. */
void registry_end_workers(struct primary *p, uint64_t ports);
/*
 * Called once a second. Finds processes that died while they attached and were not in the registry,
 * so no pidfd tells.
 */
void registry_check(struct primary *p);
/*
 * 0: no process is between the set-up of EAL and READY, or taking over, and none will be until
 * knit_rundir_unblock_attach is called. -EBUSY: a process is there, or was killed there. If it was
 * killed, p->restart is set.
 */
int registry_block_attach(struct primary *p);

/* Ports (a bit each) on which a dead worker has a queue, and its domain is not reset yet. */
uint64_t registry_dead_ports(const struct primary *p);

/*
 * EAL asked all processes to attach or detach a device, and failed. One that has ended meanwhile
 * may have held EAL's locks: then the primary starts anew, as after a death in attaching.
 */
void registry_hotplug_failed(struct primary *p);

/* Whether a process has ended that the port thread has not seen to yet. */
bool registry_any_ended(const struct primary *p);

/* Whether a domain waits for its reset. */
bool registry_any_dead(const struct primary *p);

/*
 * Worker i has ended, in good order or before the plan in force was, and has left pairs that this
 * plan takes away from it: empties them, so that their next owner may have them.
 */
void registry_release_pairs(struct primary *p, unsigned int i);

#endif
