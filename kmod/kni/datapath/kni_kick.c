// SPDX-License-Identifier: GPL-2.0
#include "kni.h"

#include <linux/nospec.h>

static void kick_count(struct kni_pair *p, u64_stats_t *counter)
{
	u64_stats_update_begin(&p->rx.sync);
	u64_stats_inc(counter);
	u64_stats_update_end(&p->rx.sync);
}

static void pair_kick(struct kni_pair *p, const struct kni_attach *live)
{
	bool arm = false, over = false;
	unsigned int n;

	if (likely(kni_pair_take(p))) {
		n = kni_rx(p, live, KNI_BATCH);
		over = n && p->rx_q.prod != p->rx_q.cons;
		kick_count(p, &p->rx.kicks);
		if (unlikely(over))
			kick_count(p, &p->rx.kicks_over);
		arm = kni_pair_give(p, n);
	}
	kni_tx_wake(p);
	if (unlikely(over) || (arm && !kni_turn_arm(&p->turn, &p->rx_q)))
		kni_thread_rung(p->iface);
}

/*
 * KICK entry point. Whoever is in here keeps the interface, the pair's owner and the thread as the
 * packet thread keeps them: an RCU section that found the pair live.
 */
int kni_kick(struct kni_file *f, const struct knit_ioc_kick *k)
{
	const struct kni_attach *live;
	struct kni_iface *i;
	struct kni_pair *p;
	int err = -ENOENT;

	if (k->flags || k->reserved)
		return -EINVAL;
	local_bh_disable();
	rcu_read_lock();
	i = kni_iface_find(k->id);
	if (likely(i && k->pair < i->n_pairs)) {
		p = &i->pair[array_index_nospec(k->pair, i->n_pairs)];
		live = rcu_dereference(p->live);
		err = live && live->file == f ? 0 : -EPERM;
		if (unlikely(!err && kni_loopback()))
			kni_thread_rung(i);
		else if (likely(!err))
			pair_kick(p, live);
	}
	rcu_read_unlock();
	local_bh_enable();
	return err;
}
