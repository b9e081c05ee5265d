/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_VNET_H
#define KNIT_VNET_H

#include "abi/knit_desc.h"

#include <linux/virtio_net.h>

#include <stdint.h>
#include <string.h>

/*
 * The tap device's frame header (struct virtio_net_hdr, in host byte order) to and from the
 * offload fields of a descriptor. Pure functions on private copies; frames are only read within
 * the given bounds.
 */
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

#define KNIT_VLAN_HLEN 4
#define KNIT_TCP_CSUM_OFFSET 16
#define KNIT_UDP_CSUM_OFFSET 6

/*
 * Towards the kernel. d passed knit_desc_check_frame. A tag that is not in the data will be put
 * there.
 */
static inline void knit_vnet_from_desc(struct virtio_net_hdr *h, const struct knit_desc *d)
{
	uint16_t shift = d->flags & KNIT_DESC_VLAN ? KNIT_VLAN_HLEN : 0;
	static const uint8_t type[] = {
		[KNIT_GSO_NONE] = VIRTIO_NET_HDR_GSO_NONE,
		[KNIT_GSO_TCPV4] = VIRTIO_NET_HDR_GSO_TCPV4,
		[KNIT_GSO_TCPV6] = VIRTIO_NET_HDR_GSO_TCPV6,
		[KNIT_GSO_UDP_L4] = VIRTIO_NET_HDR_GSO_UDP_L4,
	};

	memset(h, 0, sizeof(*h));
	if (d->flags & KNIT_DESC_CSUM_PARTIAL) {
		h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		h->csum_start = d->csum_start + shift;
		h->csum_offset = d->csum_offset;
	} else if (d->flags & KNIT_DESC_CSUM_GOOD) {
		h->flags = VIRTIO_NET_HDR_F_DATA_VALID;
	}
	if (d->gso_type != KNIT_GSO_NONE) {
		h->gso_type = type[d->gso_type & 3] | (d->gso_type & KNIT_GSO_ECN);
		h->gso_size = d->gso_size;
		h->hdr_len = d->hdr_len + shift;
	}
}

static inline uint8_t knit_vnet_gso_type(uint8_t type)
{
	switch (type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
		return KNIT_GSO_TCPV4 | (type & VIRTIO_NET_HDR_GSO_ECN);
	case VIRTIO_NET_HDR_GSO_TCPV6:
		return KNIT_GSO_TCPV6 | (type & VIRTIO_NET_HDR_GSO_ECN);
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		return KNIT_GSO_UDP_L4;
	}
	return KNIT_GSO_NONE;
}

/*
 * The kernel's hdr_len is only what it keeps in one piece; the real one stands in the TCP header.
 */
static inline uint32_t knit_vnet_hdr_len(const struct knit_desc *d, const uint8_t *data,
					 uint32_t have)
{
	if (d->gso_type == KNIT_GSO_UDP_L4)
		return d->csum_start + 8;
	if ((uint32_t)d->csum_start + 20 > have)
		return 0;
	return d->csum_start + (data[d->csum_start + 12] >> 4) * 4;
}

/*
 * From the kernel: fills the offload fields of d for a frame of frame_len bytes whose first `have`
 * bytes stand at data. False if the header makes no sense; d is then undefined.
 */
static inline bool knit_vnet_to_desc(const struct virtio_net_hdr *h, struct knit_desc *d,
				     const uint8_t *data, uint32_t have)
{
	uint32_t hdr_len;

	d->flags = 0;
	d->gso_type = KNIT_GSO_NONE;
	d->gso_size = 0;
	d->hdr_len = 0;
	d->hash = 0;
	if (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		d->flags = KNIT_DESC_CSUM_PARTIAL;
		d->csum_start = h->csum_start;
		d->csum_offset = h->csum_offset;
	} else if (h->flags & VIRTIO_NET_HDR_F_DATA_VALID) {
		d->flags = KNIT_DESC_CSUM_GOOD;
	}
	if (h->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return true;
	d->gso_type = knit_vnet_gso_type(h->gso_type);
	d->gso_size = h->gso_size;
	hdr_len = knit_vnet_hdr_len(d, data, have);
	if (d->gso_type == KNIT_GSO_NONE || hdr_len == 0 || hdr_len > UINT8_MAX)
		return false;
	d->hdr_len = hdr_len;
	return true;
}

/*
 * Takes an 802.1Q tag out of the first `have` bytes at data: the addresses move up, the frame
 * starts 4 bytes later. Returns how much it got shorter: 4, or 0 if there is no tag.
 */
static inline uint32_t knit_vnet_strip_vlan(struct knit_desc *d, uint8_t *data, uint32_t have)
{
	if (have < KNIT_ETH_HLEN + KNIT_VLAN_HLEN || data[12] != 0x81 || data[13] != 0x00)
		return 0;
	if (d->flags & KNIT_DESC_CSUM_PARTIAL && d->csum_start < KNIT_ETH_HLEN + KNIT_VLAN_HLEN)
		return 0;
	d->vlan_tci = data[14] << 8 | data[15];
	d->flags |= KNIT_DESC_VLAN;
	if (d->flags & KNIT_DESC_CSUM_PARTIAL)
		d->csum_start -= KNIT_VLAN_HLEN;
	if (d->gso_type != KNIT_GSO_NONE)
		d->hdr_len -= KNIT_VLAN_HLEN;
	memmove(data + KNIT_VLAN_HLEN, data, 12);
	return KNIT_VLAN_HLEN;
}

#endif
