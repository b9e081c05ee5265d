/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_TAP_OWNER_H
#define KNIT_TAP_OWNER_H

#include "kni/private.h"

/*
 * The owner of a pair serves it in its own thread, with the engine's code and on the same rings:
 * who has the CPU does the work, and nobody waits for a thread that has to be woken first.
 *
 * Towards the kernel it does so where it would ring the doorbell, that is while the engine's thread
 * sleeps; with "auto" if only a few frames wait. Many are the thread's: it works beside the owner.
 * From the kernel it reads the device when tx_q is empty. For 100 us after a frame, either way, it
 * does so again and again, in less than a quarter of its time. Then io_uring watches the queue: the
 * kernel interrupts the owner's thread when a frame comes, and until then a poll costs a load.
 * Without io_uring the engine's thread reads; so it does for interfaces of rte_kni_alloc, where any
 * process may do the next burst.
 *
 * It does not look at what observers see: it merges what the engine's watch says may be merged.
 *
 * Death. The rings are as after the death of an owner that served nothing. Frames between device
 * and ring are lost, at most two batches of reads. The device lives until the last process that has
 * a file of it is gone: after the death of the creator until its owners end, which they do at once.
 *
 * Trust. The file is that of the engine's thread, too. It lets an owner do to the whole device what
 * any tap file does: change its hardware address, offloads and header size, filter frames, keep it
 * after the end of the creator; and by its flags make the thread wait when it reads. With
 * handover = "thread" no owner gets one.
 */

/*
 * Control plane of the owner's process, after the claim of the pair. fd is the pair's queue, which
 * this closes some day, or a negative errno that says why there is none. Without it, or without
 * memory, the engine's thread serves the pair alone; that is logged.
 */
void knit_tap_owner_open(struct rte_kni *kni, uint16_t pair, int fd);

/*
 * The same in two steps. prepare: at any time; the pair may be another process's. start: after the
 * claim; false: nothing is prepared.
 */
void knit_tap_owner_prepare(struct rte_kni *kni, uint16_t pair, int fd);
bool knit_tap_owner_start(struct rte_kni *kni, uint16_t pair);

/* As close, but keeps what costs time to give back; close does that. */
void knit_tap_owner_stop(struct rte_kni *kni, uint16_t pair);

/* Before the claim is given up. The engine serves the pair from now on. Nothing open: nothing. */
void knit_tap_owner_close(struct rte_kni *kni, uint16_t pair);

#endif
