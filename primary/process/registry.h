/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PROCESS_REGISTRY_H
#define KNIT_PRIMARY_PROCESS_REGISTRY_H

#include "primary.h"

/* The life of secondaries */
/* pidfd: of the sender; -1 after it was kept */
int registry_attach(struct primary *p, struct knit_msg *m, int *pidfd);
/* The entry that is ready now, or a negative errno. */
int registry_ready(struct primary *p, struct knit_msg *m);
int registry_detach(struct primary *p, struct knit_msg *m);
/* 0: it comes from the control that has the entry. Else -EPROTO, and text says so. */
int registry_is_control(struct primary *p, struct knit_msg *m);
/* The process behind pidfd[entry] ended. */
void registry_ended(struct primary *p, unsigned int entry);
/* The workers with a queue on one of these ports shall end once they are resumed. */
void registry_end_workers(struct primary *p, uint64_t ports);
/* Once a second: deaths inside EAL's attach, which no message announced. */
void registry_check(struct primary *p);
/*
 * 0: nobody is between EAL's set-up and READY, and nobody will be until knit_rundir_unblock_attach.
 * -EBUSY: somebody is, or was killed there: p->restart tells.
 */
int registry_block_attach(struct primary *p);

/* Ports, a bit each, with a queue of a worker whose domain waits for its reset. */
uint64_t registry_dead_ports(const struct primary *p);

#endif
