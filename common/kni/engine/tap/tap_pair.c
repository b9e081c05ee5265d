// SPDX-License-Identifier: BSD-3-Clause
#include "kni/base/handover.h"
#include "tap.h"

#include <errno.h>
#include <stdlib.h>

/*
 * Who serves a pair (struct knit_server in private.h).
 *
 * rx. Whoever takes the queue starts from the shared indexes, as the other one may have moved them.
 * Why no frame is forgotten: the worker first submits, then looks at need_data (F). The thread
 * first sets need_data, then looks for frames (E). So one of them sees the other's store. If the
 * owner takes the queue, it serves it until it is empty, or gives it back and rings. If the thread
 * sees frames while the owner has the queue, it may sleep: they are the owner's.
 */

static void bind_queue(const struct knit_tap_iface *t, uint16_t pair, enum knit_queue q,
		       struct knit_ring *r)
{
	size_t off = knit_shm_queue_off(t->ring_size, pair, q);

	knit_ring_bind(r, (char *)t->kni->shm + off, t->ring_size, sizeof(struct knit_desc));
}

int knit_tap_pair_init(struct knit_tap_iface *t, struct knit_tap_pair *p, uint16_t index)
{
	p->iface = t;
	p->index = index;
	p->server = &t->kni->pair[index].server;
	p->only_thread = t->kni->handover == KNIT_HANDOVER_THREAD;
	p->stats = &p->own_stats;
	p->fd = -1;
	p->last_segs = 1;
	p->merge_udp = KNIT_TAP_MERGE_TRY;
	p->merge_tcp = KNIT_TAP_MERGE_TRY;
	p->user_doorbell = KNIT_DOORBELL_NONE;
	bind_queue(t, index, KNIT_RX_Q, &p->rx_q);
	bind_queue(t, index, KNIT_FREE_Q, &p->free_q);
	bind_queue(t, index, KNIT_ALLOC_Q, &p->alloc_q);
	bind_queue(t, index, KNIT_TX_Q, &p->tx_q);
	/* pages come with first use */
	p->bounce = malloc((size_t)KNIT_TAP_READS * KNIT_TAP_BOUNCE);
	return p->bounce ? 0 : -ENOMEM;
}

static bool rx_has_frames(const struct knit_tap_pair *p)
{
	const struct knit_ring_shm *shm = p->rx_q.shm;
	uint32_t n = knit_load_acquire(&shm->producer) - knit_load(&shm->consumer);

	return n != 0 && n <= p->rx_q.size;
}

bool knit_tap_rx_begin(struct knit_tap_pair *p, uint32_t who)
{
	uint32_t nobody = KNIT_SERVER_NOBODY;

	if (p->only_thread)
		return true;
	if (p->spoilt || !rx_has_frames(p))
		return false;
	if (!__atomic_compare_exchange_n(&p->server->rx, &nobody, who, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		return false;
	if (knit_ring_claim_consumer(&p->rx_q) && knit_ring_claim_producer(&p->free_q))
		return true;
	p->stats->rejects[KNIT_REJECT_BAD_INDEX]++;
	p->spoilt = true;
	knit_tap_rx_end(p);
	return false;
}

void knit_tap_rx_end(struct knit_tap_pair *p)
{
	if (!p->only_thread)
		__atomic_store_n(&p->server->rx, KNIT_SERVER_NOBODY, __ATOMIC_RELEASE);
}

bool knit_tap_rx_waits(struct knit_tap_pair *p)
{
	if (p->only_thread)
		return knit_ring_peek(&p->rx_q, 1);
	return !p->spoilt && rx_has_frames(p) &&
	       __atomic_load_n(&p->server->rx, __ATOMIC_ACQUIRE) == KNIT_SERVER_NOBODY;
}

static bool tx_is_wanted(const struct knit_tap_pair *p)
{
	return !p->only_thread && p->bound &&
	       __atomic_load_n(&p->server->tx_wanted, __ATOMIC_ACQUIRE) == 1;
}

bool knit_tap_tx_holds(const struct knit_tap_pair *p)
{
	return p->held.segs != 0 || p->next_got != p->n_got;
}

/*
 * Frames that were read are completed first, so that none overtakes another. They wait for buffers,
 * whose arrival wakes the thread.
 */
bool knit_tap_tx_must_switch(const struct knit_tap_pair *p)
{
	return tx_is_wanted(p) != p->given && (p->given || !knit_tap_tx_holds(p));
}

void knit_tap_tx_switch(struct knit_tap_pair *p)
{
	if (p->given) {
		p->given = false;
		__atomic_store_n(&p->server->tx_given, 0, __ATOMIC_RELEASE);
		if (p->bound &&
		    (!knit_ring_claim_consumer(&p->alloc_q) || !knit_ring_claim_producer(&p->tx_q)))
			p->stats->rejects[KNIT_REJECT_BAD_INDEX]++;
		p->readable = true;
		return;
	}
	knit_tap_tx_disarm(p);
	p->starved = 0;
	p->given = true;
	__atomic_store_n(&p->server->tx_given, 1, __ATOMIC_RELEASE);
}

int knit_tap_pair_bind(struct knit_tap_pair *p, uint32_t user_doorbell)
{
	if (p->bound)
		return -EALREADY;
	if (!knit_ring_claim_consumer(&p->rx_q) || !knit_ring_claim_producer(&p->free_q) ||
	    !knit_ring_claim_consumer(&p->alloc_q) || !knit_ring_claim_producer(&p->tx_q))
		return -EBADMSG;
	knit_ring_disarm_data(&p->rx_q);
	knit_tap_tx_disarm(p);
	knit_tap_tx_forget(p);
	knit_tap_rx_end(p);
	p->user_doorbell = user_doorbell;
	p->spoilt = false;
	p->readable = true;
	p->bound = true;
	return 0;
}

void knit_tap_pair_unbind(struct knit_tap_pair *p)
{
	knit_tap_tx_forget(p);
	/* an owner that died wants nothing any more; the next one says so itself */
	__atomic_store_n(&p->server->tx_wanted, 0, __ATOMIC_RELEASE);
	p->readable = true;
	p->bound = false;
}
