// SPDX-License-Identifier: GPL-2.0
#include "kni_turn.h"

#include <linux/bitops.h>

#define TAKEN 0 /* bit of kni_turn.taken */

bool kni_turn_take(struct kni_turn *t)
{
	return !test_and_set_bit_lock(TAKEN, &t->taken);
}

void kni_turn_give(struct kni_turn *t, const struct knit_ring *rx_q)
{
	kni_turn_note(t, rx_q);
	clear_bit_unlock(TAKEN, &t->taken);
}

void kni_turn_note(struct kni_turn *t, const struct knit_ring *rx_q)
{
	knit_store(&t->cons, rx_q->cons);
	knit_store(&t->left, rx_q->prod - rx_q->cons);
}

/* An impossible index is not news: what was good before it is in left. */
static bool has_news(const struct kni_turn *t, const struct knit_ring *rx_q)
{
	__u32 prod = knit_load(&rx_q->shm->producer);

	return knit_load(&t->left) || prod - knit_load(&t->cons) - 1 < rx_q->size;
}

bool kni_turn_arm(const struct kni_turn *t, const struct knit_ring *rx_q)
{
	knit_store(&rx_q->shm->need_data, 1);
	knit_mb(); /* (E), and between giving back and looking at the ring */
	return test_bit(TAKEN, &t->taken) || !has_news(t, rx_q);
}
