/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_WORKER_BURST_H
#define KNIT_WORKER_BURST_H

#include "system/topology/topo.h"

#include <rte_byteorder.h>
#include <rte_mbuf.h>

#include <stdbool.h>
#include <stdint.h>
#ifdef __SSE4_1__
#include <smmintrin.h>
#endif

/*
 * A burst of packets between an input and an output. The fields below n summarize all packets. They
 * are computed once per burst, in one pass. An output looks at single packets only if the summary
 * says that one of them is unusual.
 */
struct knit_burst {
	struct rte_mbuf **m;
	uint32_t n;
	uint32_t max_len; /* pkt_len of the longest */
	uint32_t segs;	  /* all nb_segs or-ed: 1 if there is no chain */
	uint64_t flags;	  /* all ol_flags or-ed */
	uint64_t bytes;
	bool any_for_kernel; /* a group's address or the port's own; for inputs with two ways out */
};

#define KNIT_MAC_GROUP UINT64_C(1) /* of knit_mac_word: multicast and broadcast */

/* The port's address as knit_mac_word. The primary may change it at any time. */
static inline uint64_t knit_port_mac(const struct knit_topo_port *port)
{
	const uint64_t *mac = (const uint64_t *)(const void *)port->mac;

	return rte_le_to_cpu_64(__atomic_load_n(mac, __ATOMIC_RELAXED)) & KNIT_MACS_MASK;
}

/* b, which is a summary so far, with m added. own: knit_port_mac; read_dst: own counts. */
static __rte_always_inline void knit_burst_add(struct knit_burst *b, const struct rte_mbuf *m,
					       bool read_dst, uint64_t own)
{
	uint64_t dst;

	b->bytes += m->pkt_len;
	b->max_len = RTE_MAX(b->max_len, m->pkt_len);
	b->segs |= m->nb_segs;
	b->flags |= m->ol_flags;
	if (read_dst) {
		dst = knit_mac_word(rte_pktmbuf_mtod(m, const void *));
		b->any_for_kernel |= dst & KNIT_MAC_GROUP || dst == own;
	}
}

static __rte_always_inline void knit_burst_clear(struct knit_burst *b)
{
	b->max_len = b->segs = 0;
	b->flags = b->bytes = 0;
	b->any_for_kernel = false;
}

static __rte_always_inline void knit_burst_pass_scalar(struct knit_burst *b, bool read_dst,
						       uint64_t own)
{
	uint32_t i;

	knit_burst_clear(b);
	for (i = 0; i < b->n; i++)
		knit_burst_add(b, b->m[i], read_dst, own);
}

#ifdef __SSE4_1__
/*
 * The same for two packets at a time, in about half of the instructions. The bytes from 16 on of an
 * mbuf hold nb_segs and ol_flags, those from 32 on pkt_len; the lanes beside them are not used. No
 * branch depends on a packet, so the CPU has the loads of many headers in flight without a
 * prefetch.
 */
static __rte_always_inline void knit_burst_pass_sse(struct knit_burst *b, bool read_dst,
						    uint64_t own)
{
	__m128i flags = _mm_setzero_si128(), sum = flags, max = flags, equal = flags;
	__m128i groups = flags, own2 = _mm_set1_epi64x(own << 16), dst;
	const __m128i *m;
	uint32_t i, k;

	RTE_BUILD_BUG_ON(offsetof(struct rte_mbuf, nb_segs) != 20);
	RTE_BUILD_BUG_ON(offsetof(struct rte_mbuf, ol_flags) != 24);
	RTE_BUILD_BUG_ON(offsetof(struct rte_mbuf, pkt_len) != 36);
	for (i = 0; i + 1 < b->n; i += 2) {
		for (k = 0; k < 2; k++) {
			m = (const __m128i *)b->m[i + k];
			flags = _mm_or_si128(flags, m[1]);
			sum = _mm_add_epi32(sum, m[2]);
			max = _mm_max_epu32(max, m[2]);
		}
		if (read_dst) {
			dst = _mm_loadl_epi64(rte_pktmbuf_mtod(b->m[i], const __m128i *));
			dst = _mm_castpd_si128(
				_mm_loadh_pd(_mm_castsi128_pd(dst),
					     rte_pktmbuf_mtod(b->m[i + 1], const double *)));
			groups = _mm_or_si128(groups, dst);
			dst = _mm_cmpeq_epi64(_mm_slli_epi64(dst, 16), own2);
			equal = _mm_or_si128(equal, dst);
		}
	}
	b->segs = (uint16_t)_mm_extract_epi16(flags, 2);
	b->flags = _mm_extract_epi64(flags, 1);
	b->bytes = (uint32_t)_mm_extract_epi32(sum, 1);
	b->max_len = _mm_extract_epi32(max, 1);
	groups = _mm_or_si128(groups, _mm_unpackhi_epi64(groups, groups));
	b->any_for_kernel = _mm_cvtsi128_si64(groups) & KNIT_MAC_GROUP || _mm_movemask_epi8(equal);
	if (i < b->n)
		knit_burst_add(b, b->m[i], read_dst, own);
}
#endif

static __rte_always_inline void knit_burst_pass(struct knit_burst *b, bool read_dst, uint64_t own)
{
#ifdef __SSE4_1__
	knit_burst_pass_sse(b, read_dst, own);
#else
	knit_burst_pass_scalar(b, read_dst, own);
#endif
}

/* Computes the summary of b from b->m[0..n-1]. */
static inline void knit_burst_sum(struct knit_burst *b)
{
	knit_burst_pass(b, false, 0);
}

/* Likewise, of a burst from a port whose packets may go two ways. */
static inline void knit_burst_sum_two_ways(struct knit_burst *b, const struct knit_topo_port *port)
{
	knit_burst_pass(b, true, knit_port_mac(port));
}

#endif
