// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_kni
#include "pair.h"
#include "iface.h"
#include "kni/base/log.h"
#include "kni/base/owner.h"

#include <rte_mbuf.h>

#include <errno.h>

static bool pair_rings_claim(struct knit_pair *p)
{
	return knit_ring_claim_producer(&p->rx.rx_q) && knit_ring_claim_consumer(&p->rx.free_q) &&
	       knit_ring_claim_producer(&p->tx.alloc_q) && knit_ring_claim_consumer(&p->tx.tx_q);
}

/* As KNI did. No interface takes more than a quarter of what is left. */
#define FIRST_OFFER 32u
#define LEAST_OFFER 4u

static uint32_t first_offer(const struct rte_kni *kni, const struct rte_mempool *pool)
{
	uint32_t share;

	if (!kni->legacy)
		return kni->ring_size;
	if (kni->features & KNIT_FEAT_SG)
		return KNIT_RING_MIN_SG; /* the largest frame may need all of them */
	share = rte_mempool_avail_count(pool) / 4;
	share = RTE_MIN(share, FIRST_OFFER);
	return RTE_MAX(share, LEAST_OFFER);
}

int knit_pair_claim(struct rte_kni *kni, uint16_t pair, struct rte_mempool *pool, uint32_t doorbell)
{
	struct knit_pair *p;

	if (pair >= kni->n_pairs || pool == NULL)
		return -EINVAL;
	p = &kni->pair[pair];
	if (knit_owner_claim(&p->rx.owner) < 0)
		goto err_busy;
	if (knit_owner_claim(&p->tx.owner) < 0) {
		knit_owner_release(&p->rx.owner);
		goto err_busy;
	}
	if (!pair_rings_claim(p)) {
		knit_owner_release(&p->tx.owner);
		knit_owner_release(&p->rx.owner);
		log_err("%s: queue pair %u: ring indexes are corrupt", kni->name, pair);
		return -EBADMSG;
	}
	p->tx.pool = pool;
	p->tx.offer = first_offer(kni, pool);
	p->tx.grow_pause = 0;
	p->user_doorbell = doorbell;
	knit_pair_disarm(kni, pair);
	knit_ring_disarm_space(&p->rx.rx_q);
	return 0;

err_busy:
	log_err("%s: queue pair %u belongs to process %d", kni->name, pair,
		(int)knit_owner_pid(&p->rx.owner));
	return -EBUSY;
}

void knit_pair_unclaim(struct rte_kni *kni, uint16_t pair)
{
	knit_pair_disarm(kni, pair);
	knit_owner_release(&kni->pair[pair].tx.owner);
	knit_owner_release(&kni->pair[pair].rx.owner);
}

/* Empties a table of cookies; every mbuf in it is freed, or only forgotten. */
static unsigned int cookies_empty(struct knit_cookies *s, bool release)
{
	unsigned int i, n = 0;

	for (i = 0; i < s->size; i++) {
		if (s->mbuf[i]) {
			n++;
			if (release)
				rte_pktmbuf_free_seg(s->mbuf[i]);
			s->mbuf[i] = NULL;
		}
		s->free_cookie[i] = s->size - 1 - i;
	}
	s->n_free = s->size;
	return n;
}

static unsigned int pair_empty(struct rte_kni *kni, uint16_t pair, bool release)
{
	struct knit_pair *p = &kni->pair[pair];

	knit_ring_reset(&p->rx.rx_q);
	knit_ring_reset(&p->rx.free_q);
	knit_ring_reset(&p->tx.alloc_q);
	knit_ring_reset(&p->tx.tx_q);
	return cookies_empty(&p->rx.cookies, release) + cookies_empty(&p->tx.cookies, release);
}

unsigned int knit_pair_reset(struct rte_kni *kni, uint16_t pair)
{
	knit_owner_clear(&kni->pair[pair].tx.owner);
	knit_owner_clear(&kni->pair[pair].rx.owner);
	return pair_empty(kni, pair, false);
}

void knit_pair_empty(struct rte_kni *kni, uint16_t pair)
{
	struct knit_pair *p = &kni->pair[pair];

	p->rx.drops[KNIT_USER_DROP_PAIR_MOVED] += knit_pair_to_kernel_queued(kni, pair);
	p->tx.drops[KNIT_USER_DROP_PAIR_MOVED] += knit_pair_from_kernel_queued(kni, pair);
	pair_empty(kni, pair, true);
}

unsigned int knit_pair_drain(struct rte_kni *kni, uint16_t pair)
{
	return pair_empty(kni, pair, true);
}

unsigned int knit_pair_held(const struct rte_kni *kni, uint16_t pair)
{
	const struct knit_pair *p = &kni->pair[pair];

	return p->rx.cookies.size - p->rx.cookies.n_free + p->tx.cookies.size -
	       p->tx.cookies.n_free;
}

static unsigned int queued(const struct knit_ring *r)
{
	__u32 cons = knit_load(&r->shm->consumer);
	__u32 n = knit_load(&r->shm->producer) - cons;

	return RTE_MIN(n, r->size);
}

unsigned int knit_pair_to_kernel_queued(const struct rte_kni *kni, uint16_t pair)
{
	return queued(&kni->pair[pair].rx.rx_q);
}

unsigned int knit_pair_from_kernel_queued(const struct rte_kni *kni, uint16_t pair)
{
	return queued(&kni->pair[pair].tx.tx_q);
}

bool knit_pair_arm(struct rte_kni *kni, uint16_t pair)
{
	return knit_ring_arm_data(&kni->pair[pair].tx.tx_q);
}

void knit_pair_disarm(struct rte_kni *kni, uint16_t pair)
{
	knit_ring_disarm_data(&kni->pair[pair].tx.tx_q);
}
