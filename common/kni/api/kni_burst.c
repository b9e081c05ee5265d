// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_kni
#include "kni/base/doorbell.h"
#include "kni/base/log.h"
#include "kni/control/iface.h"
#include "kni/datapath/datapath.h"
#include "kni/offload/offload.h"
#include "kni/offload/offload_soft.h"

#include <rte_branch_prediction.h>
#include <rte_mempool.h>

#include <pthread.h>
#include <unistd.h>

/*
 * Bursts of rte_kni.h claim nothing: the private halves are in shared memory, so the process that
 * does the next burst goes on where the last one stopped. All that a process needs of its own are
 * the engine's doorbells, which it may have from before a fork, or not.
 */
/* The generation of the interface whose doorbells this process has opened. */
static uint64_t opened[KNIT_MAX_IFACES];

/* Once per process and interface. Whoever comes second waits: it may have to ring, too. */
static __rte_noinline void doorbells_open(const struct rte_kni *kni)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	uint16_t i;
	int ret;

	pthread_mutex_lock(&lock);
	if (__atomic_load_n(&opened[kni->index], __ATOMIC_RELAXED) == kni->generation)
		goto out_unlock;
	ret = knit_doorbell_init();
	for (i = 0; i < kni->n_pairs && ret >= 0; i++)
		ret = knit_doorbell_open(kni->pair[i].engine_doorbell);
	if (ret < 0)
		log_warn("%s: can't wake the interface's engine from process %d: %s", kni->name,
			 (int)getpid(), rte_strerror(-ret));
	__atomic_store_n(&opened[kni->index], kni->generation, __ATOMIC_RELEASE);
out_unlock:
	pthread_mutex_unlock(&lock);
}

static inline void doorbells_open_once(const struct rte_kni *kni)
{
	if (unlikely(__atomic_load_n(&opened[kni->index], __ATOMIC_ACQUIRE) != kni->generation))
		doorbells_open(kni);
}

/*
 * Frames that ask for something. An interface without offloads takes KNI's frames, whose TX flags
 * never meant anything; but what a port left undone (a tag beside the data, a partial checksum from
 * virtio) is undone for the kernel, too.
 */
static bool is_unusual(const struct rte_mbuf *m, uint32_t features)
{
	if (features)
		return m->ol_flags & (KNIT_OFFLOAD_TX | KNIT_OFFLOAD_RX_PENDING);
	if (likely(!(m->ol_flags & KNIT_OFFLOAD_RX_PENDING)))
		return false;
	return m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED || knit_offload_rx_partial(m);
}

/* Descriptors that m may need after the software fallback, at most. */
static uint32_t need_of(const struct rte_mbuf *m, const struct rte_mempool *pool)
{
	uint32_t room = rte_pktmbuf_data_room_size((struct rte_mempool *)(uintptr_t)pool) -
			RTE_PKTMBUF_HEADROOM;
	uint32_t need = RTE_MAX((uint32_t)m->nb_segs, m->pkt_len / room + 1);

	if (m->ol_flags & KNIT_OFFLOAD_SEG && m->tso_segsz)
		need = RTE_MAX(need, m->pkt_len / m->tso_segsz + 1);
	return need;
}

/* Headers may be written where they are. */
static bool is_own(const struct rte_mbuf *m)
{
	return RTE_MBUF_DIRECT(m) && rte_mbuf_refcnt_read(m) == 1;
}

/*
 * Applications leave the checksum field as they like; the kernel wants the pseudo header's sum. Not
 * behind extension headers, see knit_csum_l4. False: the headers are not as m says.
 */
static bool checksum_prepare(struct rte_mbuf *m)
{
	if (!(m->ol_flags & (RTE_MBUF_F_TX_L4_MASK | KNIT_OFFLOAD_SEG)))
		return true;
	return knit_ipv6_ext(m) ? knit_headers_sane(m) : knit_offload_phdr(m) == 0;
}

/*
 * Makes m what the interface can take; m is the library's now. Returns the number of frames in out,
 * 0: dropped.
 */
static unsigned int make_fit(const struct rte_kni *kni, struct rte_mempool *pool,
			     struct rte_mbuf *m, struct rte_mbuf **out)
{
	struct knit_offload_port way = { .capa = knit_offload_iface_capa(kni->features),
					 .pool = pool };
	const uint64_t writes = RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_IP_CKSUM | KNIT_OFFLOAD_SEG;

	if (kni->features == 0) {
		m->ol_flags &= ~(KNIT_OFFLOAD_TX | KNIT_OFFLOAD_UNSUPPORTED);
	} else if (m->ol_flags & writes && !is_own(m)) {
		/* all of it in software, which copies */
		way.capa &= RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_VLAN_INSERT;
		return knit_offload_fallback(m, &way, out, KNIT_OFFLOAD_MAX_SEGS);
	} else if (!checksum_prepare(m)) {
		rte_pktmbuf_free(m);
		return 0;
	}
	out[0] = m;
	if (knit_offload_fits(m, kni->features))
		return 1;
	return knit_offload_fallback(m, &way, out, KNIT_OFFLOAD_MAX_SEGS);
}

/* One frame that asks for something. False: there is no room, it stays the caller's. */
static bool tx_unusual(struct rte_kni *kni, uint16_t pair, struct rte_mbuf *m)
{
	struct knit_rx_end *e = &kni->pair[pair].rx;
	struct rte_mempool *pool = kni->pair[pair].tx.pool;
	struct rte_mbuf *out[KNIT_OFFLOAD_MAX_SEGS];
	uint32_t need, room;
	unsigned int n, sent;

	need = RTE_MIN(need_of(m, pool), e->rx_q.size);
	room = knit_ring_reserve(&e->rx_q, need);
	if (RTE_MIN(room, e->cookies.n_free) < need)
		return false;
	n = make_fit(kni, pool, m, out);
	if (n == 0)
		e->drops[KNIT_USER_DROP_RX_OFFLOAD]++;
	sent = n ? knit_to_kernel(kni, pair, out, n) : 0;
	if (unlikely(sent < n)) {
		e->drops[KNIT_USER_DROP_RX_OFFLOAD] += n - sent;
		rte_pktmbuf_free_bulk(out + sent, n - sent);
	}
	return true;
}

/* Once per process and interface. */
static __rte_noinline void log_starved(const struct rte_kni *kni, uint16_t pair)
{
	static uint64_t logged[KNIT_MAX_IFACES]; /* as opened */
	const struct knit_tx_end *e = &kni->pair[pair].tx;

	if (likely(__atomic_load_n(&logged[kni->index], __ATOMIC_RELAXED) == kni->generation))
		return;
	if (__atomic_exchange_n(&logged[kni->index], kni->generation, __ATOMIC_RELAXED) ==
	    kni->generation)
		return;
	log_warn("%s: mempool %s had no mbufs left for the kernel's frames: %u of %u are on offer",
		 kni->name, e->pool->name, e->cookies.size - e->cookies.n_free, e->offer);
}

unsigned rte_kni_rx_burst_pair(struct rte_kni *kni, uint16_t pair, struct rte_mbuf **mbufs,
			       unsigned num)
{
	unsigned int n;

	doorbells_open_once(kni);
	if (unlikely(pair >= kni->n_pairs))
		return 0;
	n = knit_from_kernel(kni, pair, mbufs, num);
	if (unlikely(kni->pair[pair].tx.no_mbuf))
		log_starved(kni, pair);
	return n;
}

unsigned rte_kni_tx_burst_pair(struct rte_kni *kni, uint16_t pair, struct rte_mbuf **mbufs,
			       unsigned num)
{
	unsigned int done = 0, run, taken;

	doorbells_open_once(kni);
	if (unlikely(pair >= kni->n_pairs))
		return 0;
	for (;;) {
		for (run = 0; done + run < num; run++)
			if (unlikely(is_unusual(mbufs[done + run], kni->features)))
				break;
		taken = knit_to_kernel(kni, pair, mbufs + done, run);
		done += taken;
		if (likely(taken < run || done == num))
			return done;
		if (!tx_unusual(kni, pair, mbufs[done]))
			return done;
		if (++done == num)
			return done;
	}
}

unsigned rte_kni_rx_burst(struct rte_kni *kni, struct rte_mbuf **mbufs, unsigned num)
{
	return rte_kni_rx_burst_pair(kni, 0, mbufs, num);
}

unsigned rte_kni_tx_burst(struct rte_kni *kni, struct rte_mbuf **mbufs, unsigned num)
{
	return rte_kni_tx_burst_pair(kni, 0, mbufs, num);
}
