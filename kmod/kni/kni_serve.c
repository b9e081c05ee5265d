// SPDX-License-Identifier: GPL-2.0
#include "kni.h"

#include <linux/bitops.h>
#include <linux/nospec.h>

#define TAKEN 0 /* bit of kni_pair.taken */

static bool pair_take(struct kni_pair *p)
{
	return !test_and_set_bit_lock(TAKEN, &p->taken);
}

static void pair_give(struct kni_pair *p)
{
	kni_pair_note(p);
	clear_bit_unlock(TAKEN, &p->taken);
}

void kni_pair_note(struct kni_pair *p)
{
	WRITE_ONCE(p->seen_cons, p->rx_q.cons);
	WRITE_ONCE(p->seen_left, p->rx_q.prod - p->rx_q.cons);
}

/* Packet thread entry point: what user space has put into rx_q. */
unsigned int kni_serve(struct kni_pair *p, const struct kni_attach *live)
{
	unsigned int n;

	if (unlikely(!pair_take(p)))
		return 0;
	n = kni_loopback() ? kni_lo(p, live) : kni_rx(p, live);
	pair_give(p);
	return n;
}

/* An impossible index is not news: what was good before it is in seen_left. */
static bool has_news(const struct kni_pair *p)
{
	u32 prod = knit_load(&p->rx_q.shm->producer);

	return READ_ONCE(p->seen_left) || prod - READ_ONCE(p->seen_cons) - 1 < p->rx_q.size;
}

bool kni_serve_arm(struct kni_pair *p)
{
	knit_store(&p->rx_q.shm->need_data, 1);
	knit_mb(); /* (E), and between giving back and looking at the ring */
	if (test_bit(TAKEN, &p->taken))
		return true;
	return !has_news(p);
}

void kni_serve_disarm(struct kni_pair *p)
{
	knit_ring_disarm_data(&p->rx_q);
}

static void kick_count(struct kni_pair *p, u64_stats_t *counter)
{
	u64_stats_update_begin(&p->rx.sync);
	u64_stats_inc(counter);
	u64_stats_update_end(&p->rx.sync);
}

/* The flag goes down first: until the thread runs nobody need call again. */
static void kick_over(struct kni_pair *p)
{
	kni_serve_disarm(p);
	kni_thread_wake(p->iface->thread);
}

static void pair_kick(struct kni_pair *p, const struct kni_attach *live)
{
	bool mine = pair_take(p), over = false;

	if (likely(mine)) {
		kni_rx(p, live);
		over = p->rx_q.prod != p->rx_q.cons;
		kick_count(p, &p->rx.kicks);
		if (unlikely(over))
			kick_count(p, &p->rx.kicks_over);
		pair_give(p);
	}
	kni_tx_wake(p);
	if (unlikely(over) || (mine && !kni_serve_arm(p)))
		kick_over(p);
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
