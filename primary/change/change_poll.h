/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_CHANGE_POLL_H
#define KNIT_PRIMARY_CHANGE_POLL_H

#include "process/change.h"

/*
 * The port thread's part of a change (process/change.h), a file each stage:
 *
 *   check.c   CHECK    what the change is, and whether ports can be set up so
 *   build.c   BUILD    what new ports and workers, and hand-off queues, need
 *   switch.c  SWITCH   the pause: from the first worker that is parked to the last one that goes on
 *   follow.c  FOLLOW, CLEAN
 */

/* Port thread, each turn. True: it waits for something and is to be called again soon. */
bool change_poll(struct primary *p);

void change_build(struct primary *p, struct change *c);
void change_check(struct primary *p, struct change *c);
void change_switch(struct primary *p, struct change *c);
void change_follow(struct primary *p, struct change *c);
void change_clean(struct primary *p, struct change *c);

/*
 * From CHECK on: whether anybody has to follow another plan. What is live is in the configuration
 * alone.
 */
bool change_needs_plan(const struct change *c);

/* How long a change waits for processes that attach. */
#define CHANGE_ATTACH_MS 10000

/* build.c, after a failure: unmakes what BUILD made. Nobody has used it. */
void change_unbuild(struct primary *p, struct change *c);

/*
 * build.c: the hand-off queues of plan `gone` that `kept` has not. While those who have lost one
 * stand still, what is in them is freed. When nobody follows `gone` any more, their memory is.
 */
void change_drain_handoffs(const struct knit_plan *gone, const struct knit_plan *kept);
void change_free_handoffs(const struct knit_plan *gone, const struct knit_plan *kept);

#endif
