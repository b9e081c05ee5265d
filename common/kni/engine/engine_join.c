// SPDX-License-Identifier: BSD-3-Clause
#include "engine.h"
#include "kni/engine/kmod/kmod.h"

int knit_engine_join_pair(struct rte_kni *kni, uint16_t pair)
{
	return kni->engine_kind == KNIT_ENGINE_KMOD ? knit_kmod_join_pair(kni, pair) : 0;
}

void knit_engine_leave_pair(struct rte_kni *kni, uint16_t pair)
{
	if (kni->engine_kind == KNIT_ENGINE_KMOD)
		knit_kmod_leave_pair(kni, pair);
}

int knit_engine_join_handler(struct rte_kni *kni, uint32_t bell)
{
	return kni->engine_kind == KNIT_ENGINE_KMOD ? knit_kmod_join_handler(kni, bell) : 0;
}

void knit_engine_leave_handler(struct rte_kni *kni)
{
	if (kni->engine_kind == KNIT_ENGINE_KMOD)
		knit_kmod_leave_handler(kni);
}
