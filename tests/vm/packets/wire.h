/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_VM_WIRE_H
#define KNIT_VM_WIRE_H

#include "channel.h"

#include <linux/virtio_net.h>

/* Frames, and the kernel's sockets at the other end of a channel. */
#define ETHERTYPE_TEST 0x88b5 /* for local experiments */
#define OUR_IP 0x0a000001     /* of the interface */
#define PEER_IP 0x0a000002    /* behind the port */
#define ROUTED_IP 0x0a000102  /* behind the other interface, which has the address before it */
#define GROUP_IP 0xef010203
#define UDP_PORT 7777
#define UDP_HEADERS (14 + 20 + 8)
#define TCP_HEADERS (14 + 20 + 20)

/* Interface up, with OUR_IP and a neighbour PEER_IP if ip. */
void iface_up(const struct channel *c, bool ip);
void iface_down(const struct channel *c);
/* This address and a neighbour at the next one. */
void iface_address(const struct channel *c, uint32_t ip);
/* Switches LRO on to see whether that is allowed. */
bool iface_can_lro(const struct channel *c);
void iface_lro(const struct channel *c, bool on);
bool iface_has_lro(const struct channel *c);
/* Asks the kernel to leave VLAN tags in frames. False: it refuses. */
bool iface_keep_tags(const struct channel *c);
/* A VLAN of it, up. Returns its index. */
uint32_t iface_vlan(const struct channel *c, int id);

/* All receive with a deadline. */
int packet_socket(uint32_t ifindex, uint16_t ethertype, bool vnet_hdr);
int udp_socket(uint16_t port);
/* How many bytes came, 0: none in time. */
uint32_t receive(int fd, void *buf, uint32_t room);
void drain(int fd);

/* A frame of pattern, different for each seed. */
void fill(uint8_t *frame, uint32_t len, uint32_t seed);

enum sum {
	SUM_GOOD,
	SUM_BAD,
	SUM_PSEUDO
};
/* IPv4 frame of len bytes in all, from PEER_IP to OUR_IP. */
void udp_frame(uint8_t *frame, uint32_t len, enum sum sum);
void tcp_frame(uint8_t *frame, uint32_t len, enum sum sum);
/* UDP, good, from PEER_IP; number is the first byte of its payload. */
void udp_frame_to(uint8_t *frame, uint32_t len, uint32_t to, uint8_t number);
/* UDP, good, from PEER_IP to c's MAC and to ROUTED_IP; number is the first byte of its payload. */
void routed_frame(uint8_t *frame, uint32_t len, const struct channel *c, uint8_t number);
/* Are both checksums of this IPv4 frame right? partial: holds the L4 one the pseudo header's? */
bool sums_right(const uint8_t *frame, uint32_t len, bool partial);

#endif
