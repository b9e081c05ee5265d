/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_IFACE_H
#define KNIT_IFACE_H

#include "kni/private.h"

/* Control plane: may block. NULL on failure, with rte_errno set, and logged; nothing is left. */
struct rte_kni *knit_iface_create(const struct knit_iface_conf *conf);

/* Control plane. On return the engine uses none of the interface's memory; the name is free. */
void knit_iface_destroy(struct rte_kni *kni);

/* Any process. NULL: there is no interface of that name, or at that index. */
struct rte_kni *knit_iface_find(const char *name);
struct rte_kni *knit_iface_at(unsigned int index);

/* Bytes of EAL memory one interface takes, for sizing the heap. */
size_t knit_iface_memory(uint32_t ring_size, uint16_t n_pairs);

#endif
