/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_OFFLOAD_H
#define KNIT_OFFLOAD_H

#include "abi/knit_desc.h"
#include "abi/knit_shm.h"
#include "kni/base/compat.h"

#include <rte_branch_prediction.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <stdbool.h>
#include <stdint.h>

/*
 * Offloads: what an mbuf asks for or knows (ol_flags), what a descriptor can say (knit_desc.h),
 * and the software that does what the other end can't. All of it is packet path: no allocation but
 * mbufs, no lock, no log, no system call. The inline parts look at ol_flags alone; frames that ask
 * for nothing go no further.
 *
 *   port -> kernel   knit_offload_fits, if not knit_offload_fallback; knit_offload_to_desc
 *   kernel -> port   knit_offload_from_desc; knit_offload_needed, if so knit_offload_fallback
 *
 * The checksum field. An mbuf with RTE_MBUF_F_TX_TCP_CKSUM or UDP_CKSUM, with or without
 * segmentation, holds in that field what Linux leaves there for CHECKSUM_PARTIAL: the folded, not
 * inverted sum of the pseudo header *with* the length of all that follows the IP header, also when
 * that is more than one segment. Drivers want it as rte_net_intel_cksum_prepare makes it, which
 * for TCP segmentation is without length: so every burst goes through rte_eth_tx_prepare, which
 * rewrites the field. An mbuf that did not come from knit_offload_from_desc needs
 * knit_offload_phdr before knit_offload_to_desc.
 *
 * rte_eth_tx_prepare takes the protocol from the fixed IPv6 header. Frames with IPv6 extension
 * headers (l3_len is not 40) are therefore always finished in software on their way to a port.
 *
 * A frame that rte_eth_tx_prepare refuses, for example because the driver wants longer segments or
 * shorter chains, may be given to knit_offload_fallback with capa 0 (or MULTI_SEGS alone, if one
 * buffer does not hold it) and then sent as it comes out.
 */

#define KNIT_OFFLOAD_MAX_SEGS KNIT_GSO_MAX_SEGS

/*
 * In capa, beside RTE_ETH_TX_OFFLOAD_*: the far end finds L4 by offset, IPv6 extension headers are
 * fine.
 */
#define KNIT_OFFLOAD_IPV6_EXT (UINT64_C(1) << 63)

/*
 * Likewise: whoever cuts leaves CWR to the first segment. ethdev has no word for that, and many
 * NICs repeat it, which tells the receiver again and again that its congestion signal was heard: no
 * port has this. Frames with CWR are few, one in a round trip.
 */
#define KNIT_OFFLOAD_TSO_ECN (UINT64_C(1) << 62)

/* Likewise: takes TCP to be cut that is longer than KNIT_FRAME_MAX. Drivers count on 64 KiB. */
#define KNIT_OFFLOAD_BIG_TCP (UINT64_C(1) << 61)

/* What knit's own frames can ask for. */
#define KNIT_OFFLOAD_SEG (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG)
#define KNIT_OFFLOAD_TX \
	(RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_VLAN | KNIT_OFFLOAD_SEG)

/* Tunnels, double tags, security: knit never asks for them, and refuses who does. */
#define KNIT_OFFLOAD_UNSUPPORTED                                                          \
	(RTE_MBUF_F_TX_TUNNEL_MASK | RTE_MBUF_F_TX_OUTER_IP_CKSUM |                       \
	 RTE_MBUF_F_TX_OUTER_UDP_CKSUM | RTE_MBUF_F_TX_QINQ | RTE_MBUF_F_TX_SEC_OFFLOAD | \
	 RTE_MBUF_F_TX_MACSEC)

/*
 * Set by a port's receive side, and in need of something wherever the frame goes: the tag is not
 * in the data; the checksum in the data is partial (RX_L4_CKSUM_NONE, from virtio; that value
 * shares this bit with RX_L4_CKSUM_BAD). Other drivers mean something else by RX_L4_CKSUM_NONE:
 * see knit_offload_none_is_partial. A datagram whose field is 0 has no checksum, partial or not.
 */
#define KNIT_OFFLOAD_RX_PENDING (RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_L4_CKSUM_BAD)

/* One way out of a domain, as its worker keeps it. */
struct knit_offload_port {
	uint64_t capa;		  /* RTE_ETH_TX_OFFLOAD_* that are enabled, KNIT_OFFLOAD_* above */
	struct rte_mempool *pool; /* the domain's; new mbufs come from it */
	uint32_t mtu;		  /* without Ethernet header; 0: not checked */
};

int knit_offload_from_desc_slow(const struct knit_desc *d, struct rte_mbuf *m);
void knit_offload_to_desc_slow(const struct rte_mbuf *m, uint32_t features, struct knit_desc *d);
bool knit_offload_fits_slow(const struct rte_mbuf *m, uint32_t features);

/* The bits of KNIT_OFFLOAD_TX that m asks for and a way out with capa can't do. */
uint64_t knit_offload_missing(const struct rte_mbuf *m, uint64_t capa);

static inline bool knit_offload_rx_partial(const struct rte_mbuf *m)
{
	return (m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_NONE;
}

/*
 * From the kernel: d is a private copy of a frame's first descriptor, m the frame; its ol_flags
 * ask for nothing yet. Sets ol_flags, vlan_tci, l2_len, l3_len, l4_len and tso_segsz. A checksum
 * of anything but TCP or UDP over IP is finished here. 0, or -EINVAL for a descriptor that
 * contradicts itself or the headers; m stays the caller's, to drop and count.
 */
static inline int knit_offload_from_desc(const struct knit_desc *d, struct rte_mbuf *m)
{
	const uint16_t asks = KNIT_DESC_CSUM_PARTIAL | KNIT_DESC_CSUM_GOOD | KNIT_DESC_VLAN;

	if (likely(!(d->flags & asks) && d->gso_type == KNIT_GSO_NONE))
		return 0;
	return knit_offload_from_desc_slow(d, m);
}

/*
 * Towards the kernel: adds to d, whose offload fields are zero, what m knows and asks for, as far
 * as features (KNIT_FEAT_*) allow. Without any feature only a verified checksum is claimed. What m
 * asks for and features lack is not said: ask knit_offload_fits first.
 */
static inline void knit_offload_to_desc(const struct rte_mbuf *m, uint32_t features,
					struct knit_desc *d)
{
	uint64_t ol = m->ol_flags;

	if ((ol & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
		d->flags |= KNIT_DESC_CSUM_GOOD;
	if (features == 0)
		return;
	if (ol & RTE_MBUF_F_RX_RSS_HASH) {
		d->flags |= KNIT_DESC_HASH;
		d->hash = m->hash.rss;
	}
	if (unlikely(ol & (KNIT_OFFLOAD_TX | RTE_MBUF_F_RX_VLAN_STRIPPED)))
		knit_offload_to_desc_slow(m, features, d);
}

/* Can knit_offload_to_desc say all that m needs? If not: knit_offload_fallback with iface_port. */
static inline bool knit_offload_fits(const struct rte_mbuf *m, uint32_t features)
{
	if (likely(!(m->ol_flags &
		     (KNIT_OFFLOAD_TX | KNIT_OFFLOAD_RX_PENDING | KNIT_OFFLOAD_UNSUPPORTED))))
		return true;
	return knit_offload_fits_slow(m, features);
}

/*
 * The capa with which knit_offload_fallback makes frames that fit an interface with these features.
 */
uint64_t knit_offload_iface_capa(uint32_t features);

/* Must m go through knit_offload_fallback before a port with capa can send it? */
static inline bool knit_offload_needed(const struct rte_mbuf *m, uint64_t capa)
{
	uint64_t ol = m->ol_flags;

	if (unlikely(m->nb_segs > 1) && !(capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS))
		return true;
	if (likely(!(ol & (KNIT_OFFLOAD_TX | KNIT_OFFLOAD_RX_PENDING | KNIT_OFFLOAD_UNSUPPORTED))))
		return false;
	if (ol & (RTE_MBUF_F_RX_VLAN_STRIPPED | KNIT_OFFLOAD_UNSUPPORTED) ||
	    knit_offload_rx_partial(m))
		return true;
	return knit_offload_missing(m, capa) != 0;
}

/*
 * Does in software what m asks for and port can't: inserts the tag, cuts, sums, joins chains;
 * turns what a receiving port left to do (see KNIT_OFFLOAD_RX_PENDING) into the same. Takes m and
 * returns the number of frames put into out, at most max, in the order to be sent; they may still
 * ask for what port can do. 0: m is freed and rte_errno says why: ENOMEM no mbuf left, ENOSPC more
 * than max or KNIT_OFFLOAD_MAX_SEGS frames, EMSGSIZE longer than the MTU or, where chains can't be
 * sent, than a buffer, EINVAL nonsense in the headers or not all of them in the first segment.
 */
unsigned int knit_offload_fallback(struct rte_mbuf *m, const struct knit_offload_port *port,
				   struct rte_mbuf **out, unsigned int max);

/*
 * Writes the sum of the pseudo header, with length, where m's TX_TCP_CKSUM, UDP_CKSUM or
 * segmentation expects it. 0, or -EINVAL if the headers are not as l2_len, l3_len and the flags
 * say.
 */
int knit_offload_phdr(struct rte_mbuf *m);

/*
 * Bytes of the longest frame that becomes of m on the wire: no CRC, no tag that is not yet in the
 * data.
 */
static inline uint32_t knit_offload_wire_len(const struct rte_mbuf *m)
{
	uint32_t cut;

	if (likely(!(m->ol_flags & KNIT_OFFLOAD_SEG)))
		return m->pkt_len;
	cut = m->l2_len + m->l3_len + m->l4_len + m->tso_segsz;
	return RTE_MIN(cut, m->pkt_len);
}

/*
 * What of tx_capa knit may enable on a port of that driver: all but what the table of quirks in
 * offload_quirks.c takes away. Control plane.
 */
uint64_t knit_offload_usable(const char *driver_name, uint64_t tx_capa);

/*
 * Does RX_L4_CKSUM_NONE of a port of that driver mean a partial checksum? If not, the frame is as
 * it was on the wire and nothing is known of its checksum: who receives from such a port calls
 * knit_offload_forget_none on its frames before they go on. Control plane.
 */
bool knit_offload_none_is_partial(const char *driver_name);

static inline void knit_offload_forget_none(struct rte_mbuf *m)
{
	if (knit_offload_rx_partial(m))
		m->ol_flags &= ~RTE_MBUF_F_RX_L4_CKSUM_MASK;
}

#endif
