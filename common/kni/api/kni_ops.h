/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_KNI_OPS_H
#define KNIT_KNI_OPS_H

#include "kni/control/handler.h"

#include <unistd.h>

/* What the files behind rte_kni.h (kni*.c) share. */

/*
 * The public API's callbacks, for handler.h: pass knit_kni_ops with a struct knit_kni_user as arg.
 */
struct knit_kni_user {
	struct rte_kni_ops ops;
	rte_kni_rxlist_cb rxlist;
	unsigned int calls; /* callbacks, and settings of the default port */
};

extern const struct knit_handler_ops knit_kni_ops;

/* Is there any callback in it? What is not set is done as rte_kni.h says. */
bool knit_kni_ops_any(const struct rte_kni_ops *ops);

/* At alloc: the creator is the handler, with a copy of ops. 0 or a negative errno. */
int knit_kni_take_handler(struct rte_kni *kni, const struct rte_kni_ops *ops);

bool knit_kni_initialised(void);

/* One thread at a time makes or removes interfaces. */
void knit_kni_lock(void);
void knit_kni_unlock(void);

static inline bool knit_kni_is_creator(const struct rte_kni *kni)
{
	return kni->creator_pid == (uint32_t)getpid();
}

#endif
