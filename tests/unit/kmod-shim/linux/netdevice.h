/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_SHIM_NETDEVICE_H
#define KNIT_SHIM_NETDEVICE_H

#include <stdbool.h>

/*
 * NAPI's ownership: SCHED says that somebody has it, MISSED that it is to be polled once more. No
 * timer, no busy poll. With the order that the kernel's promise.
 */
enum {
	NAPI_STATE_SCHED,
	NAPI_STATE_MISSED,
};

struct napi_struct {
	unsigned long state;
};

void __napi_schedule(struct napi_struct *n); /* the test's: somebody polls it, who has it now */

static inline bool napi_schedule_prep(struct napi_struct *n)
{
	unsigned long val = __atomic_load_n(&n->state, __ATOMIC_RELAXED), new;

	do {
		new = val | 1ul << NAPI_STATE_SCHED;
		if (val & 1ul << NAPI_STATE_SCHED)
			new |= 1ul << NAPI_STATE_MISSED;
	} while (!__atomic_compare_exchange_n(&n->state, &val, new, false, __ATOMIC_SEQ_CST,
					      __ATOMIC_RELAXED));
	return !(val & 1ul << NAPI_STATE_SCHED);
}

static inline void napi_schedule(struct napi_struct *n)
{
	if (napi_schedule_prep(n))
		__napi_schedule(n);
}

static inline bool napi_complete_done(struct napi_struct *n, int work)
{
	unsigned long val = __atomic_load_n(&n->state, __ATOMIC_RELAXED), new;

	(void)work;
	do {
		new = val & 1ul << NAPI_STATE_MISSED ? 1ul << NAPI_STATE_SCHED : 0;
	} while (!__atomic_compare_exchange_n(&n->state, &val, new, false, __ATOMIC_SEQ_CST,
					      __ATOMIC_RELAXED));
	if (!new)
		return true;
	__napi_schedule(n);
	return false;
}

#endif
