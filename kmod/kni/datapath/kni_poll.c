// SPDX-License-Identifier: GPL-2.0
#include "kni.h"

#include <linux/netpoll.h>

/*
 * Netpoll polls whatever has the turn, with a budget of 0, and napi_complete_done must not run
 * beside it.
 */
bool kni_pair_take(struct kni_pair *p)
{
	if (!kni_turn_take(&p->turn, &p->rx_q))
		return false;
	p->netpoll = netpoll_poll_lock(&p->turn.napi);
	return true;
}

bool kni_pair_give(struct kni_pair *p, unsigned int frames)
{
	void *netpoll = p->netpoll;
	bool arm = kni_turn_give(&p->turn, &p->rx_q, frames);

	netpoll_poll_unlock(netpoll);
	return arm;
}

static unsigned int poll_live(struct kni_pair *p, const struct kni_attach *live, int budget)
{
	unsigned int n;

	kni_turn_begin(&p->rx_q);
	n = kni_rx(p, live, budget);
	kni_tx_wake(p);
	kni_turn_note(&p->turn, &p->rx_q, n); /* the core may give it back by itself */
	return n && p->rx_q.prod != p->rx_q.cons ? budget : n;
}

/*
 * NAPI entry point: by the core, which has the turn, in a softirq or a thread of its own or for a
 * socket that busy-polls. Its budget is used up whenever something is left to take.
 */
int kni_napi_poll(struct napi_struct *napi, int budget)
{
	struct kni_pair *p = container_of(napi, struct kni_pair, turn.napi);
	const struct kni_attach *live;
	int n = 0;

	if (unlikely(budget <= 0)) /* netpoll */
		return 0;
	rcu_read_lock();
	live = rcu_dereference(p->live);
	if (unlikely(kni_loopback()))
		live = NULL;
	if (likely(live))
		n = poll_live(p, live, budget);
	if (n < budget && napi_complete_done(napi, n) && live && !kni_turn_arm(&p->turn, &p->rx_q))
		napi_schedule(napi);
	rcu_read_unlock();
	return n;
}
