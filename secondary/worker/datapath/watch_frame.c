// SPDX-License-Identifier: BSD-3-Clause
#include "watch_frame.h"

#include "kni/base/compat.h"

#include <rte_byteorder.h>
#include <rte_ether.h>

#include <string.h>

#define ADDRESSES (2 * RTE_ETHER_ADDR_LEN)

static uint32_t append(const struct rte_mbuf *m, uint32_t skip, uint8_t *to, uint32_t room)
{
	uint32_t n, done = 0;

	for (; m && done < room; m = m->next) {
		if (skip >= m->data_len) {
			skip -= m->data_len;
			continue;
		}
		n = RTE_MIN(m->data_len - skip, room - done);
		memcpy(to + done, rte_pktmbuf_mtod_offset(m, const uint8_t *, skip), n);
		done += n;
		skip = 0;
	}
	return done;
}

/* The first segment has the addresses: no device, and no engine, cuts them. */
static uint32_t copy_with_tag(const struct rte_mbuf *m, uint8_t *flat, uint32_t most)
{
	const rte_be16_t tag[2] = { RTE_BE16(RTE_ETHER_TYPE_VLAN), rte_cpu_to_be_16(m->vlan_tci) };
	uint32_t n = append(m, 0, flat, ADDRESSES);

	if (n < ADDRESSES)
		return n;
	memcpy(flat + n, tag, RTE_MIN(sizeof(tag), most - n));
	n = RTE_MIN(n + (uint32_t)sizeof(tag), most);
	return n + append(m, ADDRESSES, flat + n, most - n);
}

struct knit_watch_frame knit_watch_flatten(const struct rte_mbuf *m, uint8_t *flat, uint32_t most)
{
	struct knit_watch_frame f = { .data = flat, .len = m->pkt_len };

	if (m->ol_flags & (RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_TX_VLAN)) {
		f.len += sizeof(struct rte_vlan_hdr);
		f.captured = copy_with_tag(m, flat, most);
	} else if (m->data_len >= RTE_MIN(most, m->pkt_len)) {
		f.data = rte_pktmbuf_mtod(m, const uint8_t *);
		f.captured = m->data_len;
	} else {
		f.captured = append(m, 0, flat, most);
	}
	return f;
}
