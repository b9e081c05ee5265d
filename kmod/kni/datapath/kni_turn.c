// SPDX-License-Identifier: GPL-2.0
#include "kni_turn.h"

#include <linux/bitops.h>

/* Looked at before it is asked for: NAPI takes asking for a wish to be polled once more. */
bool kni_turn_take(struct kni_turn *t, struct knit_ring *rx_q)
{
	if (test_bit(NAPI_STATE_SCHED, &t->napi.state) || !napi_schedule_prep(&t->napi))
		return false;
	kni_turn_begin(rx_q);
	return true;
}

/* Not written unless it has to be: a producer looks at it. */
void kni_turn_begin(struct knit_ring *rx_q)
{
	if (knit_load(&rx_q->shm->need_data))
		knit_ring_disarm_data(rx_q);
}

bool kni_turn_give(struct kni_turn *t, const struct knit_ring *rx_q, int work)
{
	kni_turn_note(t, rx_q, work);
	return napi_complete_done(&t->napi, work);
}

void kni_turn_note(struct kni_turn *t, const struct knit_ring *rx_q, int work)
{
	__u32 seen = rx_q->prod - rx_q->cons;

	knit_store(&t->cons, rx_q->cons);
	knit_store(&t->seen, seen);
	knit_store(&t->left, work ? seen : 0);
}

/* An impossible index is not news: what was good before it is in left. */
static bool has_news(const struct kni_turn *t, const struct knit_ring *rx_q)
{
	__u32 there = knit_load(&rx_q->shm->producer) - knit_load(&t->cons);

	return knit_load(&t->left) || (there <= rx_q->size && there > knit_load(&t->seen));
}

bool kni_turn_due(const struct kni_turn *t, const struct knit_ring *rx_q)
{
	__u32 there = knit_load(&rx_q->shm->producer) - knit_load(&t->cons);

	return knit_load(&t->left) || there != knit_load(&t->seen);
}

bool kni_turn_arm(const struct kni_turn *t, const struct knit_ring *rx_q)
{
	knit_store(&rx_q->shm->need_data, 1);
	knit_mb(); /* (E), and between giving back and looking at the ring */
	return test_bit(NAPI_STATE_SCHED, &t->napi.state) || !has_news(t, rx_q);
}
