/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PROCESS_REGISTRY_H
#define KNIT_PRIMARY_PROCESS_REGISTRY_H

#include "primary.h"

/*
 * The registry of secondaries. Functions that take a message return 0 or a negative errno, the
 * answer; the reason is in its text.
 */
/* pidfd: of the sender; set to -1 if the registry has kept it. */
int registry_attach(struct primary *p, struct knit_msg *m, int *pidfd);
/* Returns the entry that is ready now, or a negative errno. */
int registry_ready(struct primary *p, struct knit_msg *m);
int registry_detach(struct primary *p, struct knit_msg *m);
/* 0: the message comes from the control process that has the entry; else -EPROTO. */
int registry_is_control(struct primary *p, struct knit_msg *m);
/* The process of pidfd[entry] has ended. */
void registry_ended(struct primary *p, unsigned int entry);
/* Has the workers that have a queue on one of these ports end when they are resumed. */
void registry_end_workers(struct primary *p, uint64_t ports);
/* Once a second: finds processes that died while EAL attached them. No message announced them. */
void registry_check(struct primary *p);
/*
 * 0: no process is between the set-up of EAL and READY, and none will be until
 * knit_rundir_unblock_attach is called. -EBUSY: one is there, or was killed there; in the second
 * case p->restart is set.
 */
int registry_block_attach(struct primary *p);

/* Ports, a bit each, on which a dead worker has a queue whose domain is not reset yet. */
uint64_t registry_dead_ports(const struct primary *p);

#endif
