/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_ENGINE_CALL_H
#define KNIT_ENGINE_CALL_H

#include "kni/private.h"

/*
 * Three words for three things: a process claims a pair or the handler's role (who owns it), the
 * engine binds it (the engine serves it), a worker's session attaches to the primary.
 *
 * A process that claimed a pair or the role binds it itself, because the kmod engine then notices
 * the end of that process at once. Any process. On the tap engine, which lives in the creating
 * process, these calls do nothing and return 0.
 *
 * bind: call it after the claim and before the first packet or request. The engine serves the pair
 * from then on. 0 or a negative errno, logged: -EBUSY (another live process has it), -ENOENT (the
 * interface was removed), -EBADMSG (ring indexes are corrupt).
 * prepare: opens what bind needs, while another process may have the pair. bind, or else unbind,
 * ends it.
 * yield: as unbind, for an owner whose successor claims the pair at once. What costs time is given
 * back by the unbind that follows, when the successor has the pair. The engine serves on.
 * take: as bind, for that successor.
 * unbind: call it before the claim is given up. On return the engine touches none of the pair's
 * memory.
 */
int knit_engine_bind_pair(struct rte_kni *kni, uint16_t pair);
int knit_engine_take_pair(struct rte_kni *kni, uint16_t pair);
void knit_engine_prepare_pair(struct rte_kni *kni, uint16_t pair);
void knit_engine_yield_pair(struct rte_kni *kni, uint16_t pair);
void knit_engine_unbind_pair(struct rte_kni *kni, uint16_t pair);
int knit_engine_bind_handler(struct rte_kni *kni, uint32_t doorbell);
void knit_engine_unbind_handler(struct rte_kni *kni);

/*
 * The carrier, as rte_kni_update_link: the one before, or -1 if it could not be set, or the
 * interface is down. In any process; in force on return, after at most three seconds.
 */
int knit_engine_update_link(struct rte_kni *kni, bool up);

#endif
