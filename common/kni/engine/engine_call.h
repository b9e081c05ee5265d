/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_ENGINE_CALL_H
#define KNIT_ENGINE_CALL_H

#include "kni/private.h"

/*
 * What a process that claimed a pair, or the handler's role, tells the engine itself, because an
 * engine that is the kernel hears at once of the end of that process. In any process; on an engine
 * that lives in the creating process nothing happens, and the calls return 0.
 *
 * join: after the claim, before the first packet or request. A pair is served from then on. 0 or a
 * negative errno, logged: -EBUSY (another live process has it), -ENOENT (the interface is gone),
 * -EBADMSG (ring indexes are corrupt).
 * leave: before the claim is given up. On return the engine touches none of the pair's memory.
 */
int knit_engine_join_pair(struct rte_kni *kni, uint16_t pair);
void knit_engine_leave_pair(struct rte_kni *kni, uint16_t pair);
int knit_engine_join_handler(struct rte_kni *kni, uint32_t doorbell);
void knit_engine_leave_handler(struct rte_kni *kni);

/*
 * The carrier, as rte_kni_update_link: the one before, or -1 if it could not be set, or the
 * interface is down. In any process; in force on return, after at most three seconds.
 */
int knit_engine_update_link(struct rte_kni *kni, bool up);

#endif
