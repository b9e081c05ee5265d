/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_KICK_H
#define KNIT_KICK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Engine kmod: the pairs that this process may serve itself, by KNIT_IOC_KICK on a file that
 * attached them. An entry names the interface by the module's id, so that of one that is gone is
 * never used for its successor. Inherited by fork, as the files are.
 *
 * set and clear: control-plane threads, while no burst of the pair is under way. The file is closed
 * only after clear, so a number that is used for another file meanwhile is never kicked.
 */
void knit_kick_set(uint16_t iface, uint16_t pair, uint64_t id, int fd);
void knit_kick_clear(uint16_t iface, uint16_t pair);

/* Packet path: false: nothing happened; ring the doorbell instead. */
bool knit_kick(uint16_t iface, uint16_t pair, uint64_t id);

#endif
