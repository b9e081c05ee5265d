// SPDX-License-Identifier: BSD-3-Clause
#include "hostile.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int sock;

static struct ifreq request_of(uint8_t number)
{
	struct ifreq r = { 0 };

	snprintf(r.ifr_name, sizeof(r.ifr_name), PREFIX "%u", number);
	return r;
}

static void set_flags(uint8_t number, short clear, short set)
{
	struct ifreq r = request_of(number);

	if (ioctl(sock, SIOCGIFFLAGS, &r) == 0) {
		r.ifr_flags = (r.ifr_flags & ~clear) | set;
		ioctl(sock, SIOCSIFFLAGS, &r);
	}
}

static void set_mtu(uint8_t number, int mtu)
{
	struct ifreq r = request_of(number);

	r.ifr_mtu = mtu;
	ioctl(sock, SIOCSIFMTU, &r);
}

static void set_mac(uint8_t number, uint8_t host)
{
	struct ifreq r = request_of(number);

	r.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	mac_of((uint8_t *)r.ifr_hwaddr.sa_data, number, host);
	ioctl(sock, SIOCSIFHWADDR, &r);
}

static void multicast(uint8_t number, struct dice *d)
{
	struct ifreq r = request_of(number);

	r.ifr_hwaddr.sa_data[0] = 0x33;
	r.ifr_hwaddr.sa_data[1] = 0x33;
	r.ifr_hwaddr.sa_data[5] = below(d, 40);
	ioctl(sock, one_in(d, 2) ? SIOCADDMULTI : SIOCDELMULTI, &r);
}

static void set_address(uint8_t number)
{
	struct ifreq r = request_of(number);
	struct sockaddr_in *in = (struct sockaddr_in *)&r.ifr_addr;
	struct arpreq arp = { .arp_flags = ATF_COM | ATF_PERM };

	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(ADDRESS(number, 1));
	ioctl(sock, SIOCSIFADDR, &r);
	in->sin_addr.s_addr = htonl(0xffffff00);
	ioctl(sock, SIOCSIFNETMASK, &r);
	snprintf(arp.arp_dev, sizeof(arp.arp_dev), "%s", r.ifr_name);
	in = (struct sockaddr_in *)&arp.arp_pa;
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(ADDRESS(number, 2));
	mac_of((uint8_t *)arp.arp_ha.sa_data, number, 2);
	ioctl(sock, SIOCSARP, &arp);
}

static void interface_open(uint8_t number)
{
	set_flags(number, 0, IFF_UP);
	set_address(number);
}

static void carrier(uint8_t number, struct dice *d)
{
	const char *value = one_in(d, 3) ? "0" : "1";
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/sys/class/net/" PREFIX "%u/carrier", number);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, value, 1) == 1)
		count(&control->changes);
	close(fd);
}

static void ethtool(uint8_t number, struct dice *d)
{
	static const uint32_t commands[] = { ETHTOOL_GSTATS,	ETHTOOL_GSTRINGS,
					     ETHTOOL_GDRVINFO,	ETHTOOL_GRINGPARAM,
					     ETHTOOL_GCHANNELS, ETHTOOL_SGRO,
					     ETHTOOL_STSO,	ETHTOOL_SSG,
					     ETHTOOL_STXCSUM };
	static uint8_t room[1 << 18];
	struct ifreq r = request_of(number);

	*(uint32_t *)room = PICK(d, commands);
	*(uint32_t *)(room + 4) = one_in(d, 2);
	if (*(uint32_t *)room == ETHTOOL_GSTRINGS)
		*(uint32_t *)(room + 4) = ETH_SS_STATS;
	r.ifr_data = (char *)room;
	ioctl(sock, SIOCETHTOOL, &r);
}

/* Into the namespace of a process. */
static void move(uint8_t number, uint32_t pid)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg link;
		struct rtattr attr;
		uint32_t pid;
	} m = {
		.h = { .nlmsg_len = sizeof(m),
		       .nlmsg_type = RTM_NEWLINK,
		       .nlmsg_flags = NLM_F_REQUEST },
		.attr = { .rta_len = RTA_LENGTH(4), .rta_type = IFLA_NET_NS_PID },
		.pid = pid,
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	m.link.ifi_index = index_of(number);
	if (m.link.ifi_index && send(fd, &m, sizeof(m), 0) > 0)
		count(&control->changes);
	close(fd);
}

/* To a namespace that ends a moment later. */
static void doom(uint8_t number, struct dice *d)
{
	uint8_t byte;
	int end[2];
	pid_t pid;

	if (pipe2(end, O_CLOEXEC) < 0)
		return;
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) == 0 && write(end[1], "x", 1) == 1)
			nap(10000000);
		_exit(0);
	}
	close(end[1]);
	if (pid > 0 && read(end[0], &byte, 1) == 1)
		move(number, pid);
	close(end[0]);
	nap(below(d, 100000));
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

static void change(uint8_t number, struct dice *d)
{
	static const int mtus[] = { 68, 1500, 1500, 9000, 65535, 67, 65536, 0, -1, 576, 1280 };

	switch (below(d, 12)) {
	case 0:
		set_flags(number, IFF_UP, 0);
		break;
	case 1:
		set_mtu(number, PICK(d, mtus));
		break;
	case 2:
		set_mac(number, one_in(d, 2) ? 1 : below(d, 256));
		break;
	case 3:
		set_flags(number, IFF_PROMISC | IFF_ALLMULTI, one_in(d, 2) ? IFF_PROMISC : 0);
		break;
	case 4:
		set_flags(number, IFF_ALLMULTI, one_in(d, 2) ? IFF_ALLMULTI : 0);
		break;
	case 5:
	case 6:
		multicast(number, d);
		break;
	case 7:
		carrier(number, d);
		break;
	case 8:
		ethtool(number, d);
		break;
	case 9:
		if (one_in(d, 4))
			doom(number, d);
		break;
	default:
		interface_open(number);
		break;
	}
}

void links(uint32_t round)
{
	struct dice d = dice_of(control->seed, round, 201);
	uint8_t number;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		die("links: socket");
	for (;;) {
		for (number = 0; number < TARGETS; number++)
			if (index_of(number))
				interface_open(number);
		number = below(&d, TARGETS);
		if (index_of(number))
			change(number, &d);
		count(&control->changes);
		nap(below(&d, 50000));
	}
}
