/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_KICK_H
#define KNIT_KICK_H

#include "private.h"

/*
 * The pairs whose engine's work this process may do itself: what an engine puts here is called by
 * bursts of the pair. An entry names the interface by its generation, so that of one that is gone
 * is never used for its successor.
 *
 * to_kernel: what the engine was to be woken for is done. False: nothing happened, or something is
 * left for the engine: ring the doorbell. wanted_space: the engine waits for buffers or room.
 * from_kernel: NULL: the engine brings frames; else it looks for some and puts them into tx_q.
 * holds: frames that it found wait for buffers: look again soon. None of them blocks.
 *
 * set and clear: control-plane threads, while no burst of the pair is under way. What it uses is
 * closed only after clear.
 */
struct knit_kick {
	bool (*to_kernel)(const struct rte_kni *kni, uint16_t pair, void *arg, bool wanted_space);
	void (*from_kernel)(const struct rte_kni *kni, uint16_t pair, void *arg);
	bool (*holds)(void *arg); /* stays, if there was a from_kernel that was taken away */
	void *arg;
	int fd; /* readable when from_kernel has something; -1: none */
};

void knit_kick_set(const struct rte_kni *kni, uint16_t pair, const struct knit_kick *kick);
void knit_kick_clear(uint16_t iface, uint16_t pair);

/* NULL: this process has none for the pair. */
const struct knit_kick *knit_kick_of(const struct rte_kni *kni, uint16_t pair);

#endif
