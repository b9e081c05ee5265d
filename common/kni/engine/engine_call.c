// SPDX-License-Identifier: BSD-3-Clause
#include "engine_call.h"

#include "kni/base/broker.h"
#include "kni/base/clock.h"
#include "kni/base/doorbell.h"
#include "kni/base/handover.h"
#include "kni/engine/kmod/kmod.h"
#include "kni/engine/tap/tap_owner.h"

#include <time.h>

#define LINK_WAIT_MS 3000 /* as long as KNI's module waited for a request */

int knit_engine_bind_pair(struct rte_kni *kni, uint16_t pair)
{
	if (kni->engine_kind == KNIT_ENGINE_KMOD)
		return knit_kmod_bind_pair(kni, pair);
	if (kni->handover != KNIT_HANDOVER_THREAD && knit_broker &&
	    !knit_tap_owner_start(kni, pair))
		knit_tap_owner_open(kni, pair, knit_broker->role(kni, pair));
	return 0;
}

int knit_engine_take_pair(struct rte_kni *kni, uint16_t pair)
{
	if (kni->engine_kind == KNIT_ENGINE_KMOD)
		return knit_kmod_take_pair(kni, pair);
	return knit_engine_bind_pair(kni, pair);
}

void knit_engine_prepare_pair(struct rte_kni *kni, uint16_t pair)
{
	if (kni->engine_kind == KNIT_ENGINE_TAP && kni->handover != KNIT_HANDOVER_THREAD &&
	    knit_broker)
		knit_tap_owner_prepare(kni, pair, knit_broker->role(kni, pair));
}

void knit_engine_yield_pair(struct rte_kni *kni, uint16_t pair)
{
	if (kni->engine_kind == KNIT_ENGINE_TAP)
		knit_tap_owner_stop(kni, pair);
}

void knit_engine_unbind_pair(struct rte_kni *kni, uint16_t pair)
{
	if (kni->engine_kind == KNIT_ENGINE_KMOD)
		knit_kmod_unbind_pair(kni, pair);
	else
		knit_tap_owner_close(kni, pair);
}

int knit_engine_bind_handler(struct rte_kni *kni, uint32_t doorbell)
{
	return kni->engine_kind == KNIT_ENGINE_KMOD ? knit_kmod_bind_handler(kni, doorbell) : 0;
}

void knit_engine_unbind_handler(struct rte_kni *kni)
{
	if (kni->engine_kind == KNIT_ENGINE_KMOD)
		knit_kmod_unbind_handler(kni);
}

static bool is_up(const struct rte_kni *kni)
{
	const struct knit_iface_state *state =
		(const void *)((const char *)kni->shm + knit_shm_state_off());

	return knit_load(&state->up) != 0;
}

/*
 * The tap engine's watch looks at the net_device and sets its carrier; it may have to wait for the
 * kernel's lock before.
 */
static int sync_link(struct rte_kni *kni, int64_t end)
{
	uint32_t asked = __atomic_add_fetch(&kni->link_asked, 1, __ATOMIC_ACQ_REL);
	const struct timespec pause = { .tv_nsec = 20000 };

	knit_doorbell_init();
	if (knit_doorbell_open(kni->control_doorbell) < 0)
		return -1;
	knit_doorbell_ring(kni->control_doorbell);
	while ((int32_t)(__atomic_load_n(&kni->link_done, __ATOMIC_ACQUIRE) - asked) < 0) {
		if (knit_now_ms() > end)
			return -1;
		nanosleep(&pause, NULL);
	}
	return 0;
}

int knit_engine_update_link(struct rte_kni *kni, bool up)
{
	uint32_t carrier = up, before;
	int64_t end;

	if (kni->engine_kind == KNIT_ENGINE_KMOD)
		return RTE_MAX(knit_kmod_update_link(kni, carrier), -1);
	end = knit_now_ms() + LINK_WAIT_MS;
	if (sync_link(kni, end) < 0 || !is_up(kni))
		return -1;
	before = __atomic_exchange_n(&kni->carrier, carrier, __ATOMIC_ACQ_REL) != 0;
	if (sync_link(kni, end) == 0)
		return (int)before;
	__atomic_store_n(&kni->carrier, before, __ATOMIC_RELEASE);
	return -1;
}
