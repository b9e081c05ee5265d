/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_IFACE_H
#define KNIT_IFACE_H

#include "kni/private.h"

/* Cold; may block and allocate; sets rte_errno and logs. NULL on failure, then nothing is left. */
struct rte_kni *knit_iface_create(const struct knit_iface_conf *conf);

/* Cold. The engine is done with all memory of the interface and its name is free on return. */
void knit_iface_destroy(struct rte_kni *kni);

/* Any process. NULL if there is none of that name, or at that index. */
struct rte_kni *knit_iface_find(const char *name);
struct rte_kni *knit_iface_at(unsigned int index);

/* Bytes of EAL memory one interface takes, for sizing the heap. */
size_t knit_iface_memory(uint32_t ring_size, uint16_t n_pairs);

#endif
