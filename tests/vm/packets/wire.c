// SPDX-License-Identifier: BSD-3-Clause
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/if_vlan.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const uint8_t peer_mac[6] = { 2, 0, 0, 0, 0, 2 };

static int control(unsigned long call, void *arg)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int ret = ioctl(fd, call, arg);

	if (ret < 0) {
		fprintf(stderr, "ioctl %#lx: ", call);
		die("interface");
	}
	close(fd);
	return ret;
}

static void set_flag(const char *name, bool up)
{
	struct ifreq r = { 0 };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	control(SIOCGIFFLAGS, &r);
	r.ifr_flags = up ? r.ifr_flags | IFF_UP : r.ifr_flags & ~IFF_UP;
	control(SIOCSIFFLAGS, &r);
}

static void set_in(struct sockaddr *sa, uint32_t ip)
{
	struct sockaddr_in *in = (struct sockaddr_in *)sa;

	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(ip);
}

void iface_address(const struct channel *c, uint32_t ip)
{
	struct arpreq arp = { .arp_flags = ATF_COM | ATF_PERM };
	struct ifreq r = { 0 };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", c->name);
	set_in(&r.ifr_addr, ip);
	control(SIOCSIFADDR, &r);
	set_in(&r.ifr_netmask, 0xffffff00);
	control(SIOCSIFNETMASK, &r);
	set_in(&arp.arp_pa, ip + 1);
	arp.arp_ha.sa_family = ARPHRD_ETHER;
	memcpy(arp.arp_ha.sa_data, peer_mac, 6);
	snprintf(arp.arp_dev, sizeof(arp.arp_dev), "%s", c->name);
	control(SIOCSARP, &arp);
}

static bool running(struct channel *c)
{
	struct ifreq r = { 0 };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", c->name);
	control(SIOCGIFFLAGS, &r);
	return r.ifr_flags & IFF_RUNNING;
}

void iface_up(const struct channel *c, bool ip)
{
	set_flag(c->name, true);
	if (!wait_until(running, (struct channel *)(uintptr_t)c))
		die("interface does not run");
	if (ip)
		iface_address(c, OUR_IP);
}

void iface_down(const struct channel *c)
{
	set_flag(c->name, false);
}

static uint32_t ethtool(const struct channel *c, uint32_t cmd, uint32_t data)
{
	struct ethtool_value value = { .cmd = cmd, .data = data };
	struct ifreq r = { .ifr_data = (char *)&value };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", c->name);
	control(SIOCETHTOOL, &r);
	return value.data;
}

static bool try_flags(const struct channel *c, uint32_t flags)
{
	struct ethtool_value value = { .cmd = ETHTOOL_SFLAGS, .data = flags };
	struct ifreq r = { .ifr_data = (char *)&value };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), ret;

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", c->name);
	ret = ioctl(fd, SIOCETHTOOL, &r);
	close(fd);
	return ret == 0;
}

bool iface_can_lro(const struct channel *c)
{
	return try_flags(c, ethtool(c, ETHTOOL_GFLAGS, 0) | ETH_FLAG_LRO);
}

void iface_lro(const struct channel *c, bool on)
{
	uint32_t flags = ethtool(c, ETHTOOL_GFLAGS, 0) & ~ETH_FLAG_LRO;

	ethtool(c, ETHTOOL_SFLAGS, flags | (on ? ETH_FLAG_LRO : 0));
}

bool iface_has_lro(const struct channel *c)
{
	return ethtool(c, ETHTOOL_GFLAGS, 0) & ETH_FLAG_LRO;
}

bool iface_keep_tags(const struct channel *c)
{
	return try_flags(c, ethtool(c, ETHTOOL_GFLAGS, 0) & ~ETH_FLAG_RXVLAN);
}

uint32_t iface_vlan(const struct channel *c, int id)
{
	struct vlan_ioctl_args args = { .cmd = ADD_VLAN_CMD };
	struct ifreq r = { 0 };

	snprintf(args.device1, sizeof(args.device1), "%.15s", c->name);
	args.u.VID = id;
	control(SIOCSIFVLAN, &args);
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%.10s.%d", c->name, id);
	set_flag(r.ifr_name, true);
	return if_nametoindex(r.ifr_name);
}

static int with_deadline(int fd)
{
	struct timeval t = { .tv_sec = PATIENCE_MS / 1000 };
	int size = 1 << 24;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		die("socket");
	return fd;
}

int packet_socket(uint32_t ifindex, uint16_t ethertype, bool vnet_hdr)
{
	int fd = with_deadline(socket(AF_PACKET, SOCK_RAW, 0)), one = 1;
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ethertype),
		.sll_ifindex = ifindex,
	};

	if (vnet_hdr && setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) < 0)
		die("PACKET_VNET_HDR");
	if (setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		die("packet socket");
	return fd;
}

int udp_socket(uint16_t port)
{
	int fd = with_deadline(socket(AF_INET, SOCK_DGRAM, 0));
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		die("udp socket");
	return fd;
}

uint32_t receive(int fd, void *buf, uint32_t room)
{
	ssize_t n = recv(fd, buf, room, MSG_TRUNC);

	return n < 0 ? 0 : n;
}

void drain(int fd)
{
	char buf[16];

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_TRUNC) >= 0)
		continue;
}

void fill(uint8_t *frame, uint32_t len, uint32_t seed)
{
	uint32_t i;

	for (i = 0; i < len; i++)
		frame[i] = (i * 31 + seed * 7 + (i >> 8)) & 0xff;
	if (len < 14)
		return;
	memcpy(frame, "\x02\0\0\0\0\x01\x02\0\0\0\0\x02", 12);
	frame[12] = ETHERTYPE_TEST >> 8;
	frame[13] = ETHERTYPE_TEST & 0xff;
}

static uint32_t add(uint32_t sum, const uint8_t *p, uint32_t len)
{
	uint32_t i;

	for (i = 0; i + 1 < len; i += 2)
		sum += p[i] << 8 | p[i + 1];
	if (len & 1)
		sum += p[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static uint32_t pseudo(const uint8_t *ip, uint32_t l4_len)
{
	return add(ip[9] + l4_len, ip + 12, 8);
}

static void ip_header(uint8_t *frame, uint32_t len, uint8_t protocol)
{
	uint8_t *ip = frame + 14;

	memset(frame, 0, 14 + 20);
	memset(frame, 0xff, 6);
	memcpy(frame + 6, peer_mac, 6);
	put16(frame + 12, 0x0800);
	ip[0] = 0x45;
	put16(ip + 2, len - 14);
	ip[6] = 0x40; /* whole: GRO does not look at the id */
	ip[8] = 64;
	ip[9] = protocol;
	put16(ip + 12, PEER_IP >> 16);
	put16(ip + 14, PEER_IP & 0xffff);
	put16(ip + 16, OUR_IP >> 16);
	put16(ip + 18, OUR_IP & 0xffff);
	put16(ip + 10, ~add(0, ip, 20));
}

static void finish(uint8_t *frame, uint32_t len, uint32_t offset, enum sum sum)
{
	uint8_t *l4 = frame + 34;
	uint32_t value = pseudo(frame + 14, len - 34);

	put16(l4 + offset, 0);
	if (sum != SUM_PSEUDO)
		value = ~add(value, l4, len - 34) ^ (sum == SUM_BAD ? 0x1111 : 0);
	put16(l4 + offset, value);
}

void udp_frame(uint8_t *frame, uint32_t len, enum sum sum)
{
	fill(frame, len, len);
	ip_header(frame, len, IPPROTO_UDP);
	put16(frame + 34, 9);
	put16(frame + 36, UDP_PORT);
	put16(frame + 38, len - 34);
	finish(frame, len, 6, sum);
}

void udp_frame_to(uint8_t *frame, uint32_t len, uint32_t to, uint8_t number)
{
	uint8_t *ip = frame + 14;

	udp_frame(frame, len, SUM_GOOD);
	frame[UDP_HEADERS] = number;
	put16(ip + 16, to >> 16);
	put16(ip + 18, to & 0xffff);
	put16(ip + 10, 0);
	put16(ip + 10, ~add(0, ip, 20));
	finish(frame, len, 6, SUM_GOOD);
}

void routed_frame(uint8_t *frame, uint32_t len, const struct channel *c, uint8_t number)
{
	struct ifreq r = { 0 };

	udp_frame_to(frame, len, ROUTED_IP, number);
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", c->name);
	control(SIOCGIFHWADDR, &r);
	memcpy(frame, r.ifr_hwaddr.sa_data, 6);
}

void tcp_frame(uint8_t *frame, uint32_t len, enum sum sum)
{
	fill(frame, len, len);
	ip_header(frame, len, IPPROTO_TCP);
	memset(frame + 34, 0, 20);
	put16(frame + 34, 9);
	put16(frame + 36, UDP_PORT);
	frame[41] = 1; /* sequence number */
	frame[46] = 0x50;
	frame[47] = 0x10; /* ACK */
	put16(frame + 48, 0xffff);
	finish(frame, len, 16, sum);
}

bool sums_right(const uint8_t *frame, uint32_t len, bool partial)
{
	const uint8_t *ip = frame + 14, *l4 = ip + 20;
	uint32_t offset = ip[9] == IPPROTO_TCP ? 16 : 6;
	uint32_t sum = pseudo(ip, len - 34);

	if (len < UDP_HEADERS || ip[0] != 0x45 || add(0, ip, 20) != 0xffff)
		return false;
	if (partial)
		return sum == (uint32_t)(l4[offset] << 8 | l4[offset + 1]);
	return add(sum, l4, len - 34) == 0xffff;
}
