// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_port
#include "port_tap.h"
#include "kni/base/log.h"
#include "kni/base/netns.h"
#include "primary.h"
#include "system/quirks/net_tap_fds.h"

#include <rte_ethdev.h>
#include <rte_memory.h>
#include <rte_memzone.h>

#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/sockios.h>

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef TUNGETDEVNETNS
#define TUNGETDEVNETNS _IO('T', 227)
#endif
#ifndef SIOCGSKNS
#define SIOCGSKNS 0x894C
#endif

#define MAX_FILES 64

/*
 * The first members of net_tap's transmit queue in DPDK 20.11 to 23.11. The driver compares lengths
 * with *mtu.
 */
struct tap_tx_queue {
	int type;
	uint16_t *mtu; /* in ethdev's shared data of the port */
};

/*
 * The first members of ethdev's data of a port, and of net_tap's private data, in the same
 * versions.
 */
struct port_tap {
	void *dev;
	char remote[RTE_ETH_NAME_MAX_LEN];
	char name[RTE_ETH_NAME_MAX_LEN];
	int type;
	struct rte_ether_addr mac;
	struct ifreq remote_flags;
	int remote_index;
	int index;
	int ioctl_sock;
	int netlink_sock;
};

struct ethdev_data {
	char name[RTE_ETH_NAME_MAX_LEN];
	void *queues[2];
	uint16_t n_queues[2];
	uint8_t sriov[2];
	uint16_t sriov_queues[2];
	struct port_tap *driver;
};

/*
 * The pointer is used only if it points into ethdev's shared data and the value there is ethdev's
 * MTU.
 */
static uint16_t *mtu_word(uint16_t port_id)
{
	const struct rte_memzone *mz = rte_memzone_lookup("rte_eth_dev_data");
	struct tap_tx_queue **queues = (struct tap_tx_queue **)rte_eth_fp_ops[port_id].txq.data;
	uint16_t mtu, *word;

	if (mz == NULL || queues == NULL || queues[0] == NULL)
		return NULL;
	word = queues[0]->mtu;
	if ((char *)word < (char *)mz->addr || (char *)(word + 1) > (char *)mz->addr + mz->len ||
	    rte_eth_dev_get_mtu(port_id, &mtu) < 0 || *word != mtu)
		return NULL;
	return word;
}

static bool tap_has_domain(int sock, int domain)
{
	socklen_t len = sizeof(int);
	int is = -1;

	return getsockopt(sock, SOL_SOCKET, SO_DOMAIN, &is, &len) == 0 && is == domain;
}

/*
 * The data is used only if the name and the number in it are those that the kernel has for the
 * device.
 */
static bool is_tap(const struct port_tap *tap)
{
	struct ifreq ifr = { 0 };

	if (tap == NULL || rte_mem_virt2memseg_list(tap) == NULL ||
	    strnlen(tap->name, sizeof(tap->name)) >= IFNAMSIZ || tap->name[0] == '\0' ||
	    !tap_has_domain(tap->ioctl_sock, AF_INET))
		return false;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", tap->name);
	return ioctl(tap->ioctl_sock, SIOCGIFINDEX, &ifr) == 0 && ifr.ifr_ifindex == tap->index;
}

static struct port_tap *netdev_driver(uint16_t port_id)
{
	const struct rte_memzone *mz = rte_memzone_lookup("rte_eth_dev_data");
	char name[RTE_ETH_NAME_MAX_LEN] = "";
	const struct ethdev_data *data;
	size_t at;

	if (mz == NULL || rte_eth_dev_get_name_by_port(port_id, name) < 0)
		return NULL;
	for (at = 0; at + sizeof(*data) <= mz->len; at += sizeof(uint64_t)) {
		data = (const void *)((const char *)mz->addr + at);
		if (strncmp(data->name, name, sizeof(name)) == 0 && is_tap(data->driver))
			return data->driver;
	}
	return NULL;
}

static bool same_netns(int a, int b)
{
	struct stat of_a, of_b;

	return a >= 0 && b >= 0 && fstat(a, &of_a) == 0 && fstat(b, &of_b) == 0 &&
	       of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}

static bool socket_is_in(int sock, int netns)
{
	int fd = ioctl(sock, SIOCGSKNS);
	bool same = same_netns(fd, netns);

	if (fd >= 0)
		close(fd);
	return same;
}

static void tap_note_place(const struct port *port)
{
	knit_tap_fd_netns(port->tap_fd, &port->topo->ifnetns);
	memcpy(port->topo->ifname, port->tap->name, sizeof(port->topo->ifname) - 1);
}

/*
 * The driver has one file of the device before there are queues. It keeps this file until the end.
 */
void port_tap_find(struct port *port)
{
	struct port_tap *tap = netdev_driver(port->id);
	int fds[MAX_FILES], netns;
	unsigned int n, i;

	n = tap ? knit_tap_fds(tap->name, fds, MAX_FILES) : 0;
	for (i = 0; i < n && i < MAX_FILES; i++) {
		netns = ioctl(fds[i], TUNGETDEVNETNS);
		if (socket_is_in(tap->ioctl_sock, netns)) {
			port->tap = tap;
			port->tap_fd = fds[i];
			tap_note_place(port);
		}
		if (netns >= 0)
			close(netns);
	}
	if (port->tap == NULL)
		log_notice(
			"port %s: this net_tap does not follow a device that is renamed or moved",
			port->conf->name);
}

int port_tap_netns(const struct port *port)
{
	return ioctl(port->tap_fd, TUNGETDEVNETNS);
}

/* The number stays the same for the driver, but it is another socket now. */
static int tap_replace_socket(int fd, int domain, int type)
{
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	int sock = socket(domain, type | SOCK_CLOEXEC, 0), ret = 0;

	if (sock < 0)
		return -errno;
	if ((domain == AF_NETLINK && bind(sock, (struct sockaddr *)&any, sizeof(any)) < 0) ||
	    dup3(sock, fd, O_CLOEXEC) < 0)
		ret = -errno;
	close(sock);
	return ret;
}

static int tap_replace_sockets(const struct port_tap *tap, int netns)
{
	int ret, saved;

	ret = knit_netns_enter_fd(netns, &saved);
	if (ret < 0)
		return ret;
	ret = tap_replace_socket(tap->ioctl_sock, AF_INET, SOCK_DGRAM);
	if (ret == 0 && tap_has_domain(tap->netlink_sock, AF_NETLINK))
		ret = tap_replace_socket(tap->netlink_sock, AF_NETLINK, SOCK_RAW);
	knit_netns_leave(&saved);
	return ret;
}

static int tap_follow(struct port *port, int netns)
{
	struct port_tap *tap = port->tap;
	struct ifreq ifr = { 0 };
	bool moved = !socket_is_in(tap->ioctl_sock, netns);
	int ret;

	if (ioctl(port->tap_fd, TUNGETIFF, &ifr) < 0)
		return -errno;
	if (!moved && strncmp(ifr.ifr_name, tap->name, IFNAMSIZ) == 0)
		return 0;
	ret = moved ? tap_replace_sockets(tap, netns) : 0;
	if (ret < 0)
		return ret;
	snprintf(tap->name, sizeof(tap->name), "%.*s", IFNAMSIZ, ifr.ifr_name);
	if (ioctl(tap->ioctl_sock, SIOCGIFINDEX, &ifr) == 0)
		tap->index = ifr.ifr_ifindex;
	tap_note_place(port);
	log_notice("port %s: its kernel device is %s%s now", port->conf->name, tap->name,
		   moved ? " in another network namespace" : "");
	return 0;
}

void port_tap_follow(struct port *port)
{
	int netns = port_tap_netns(port), ret;

	if (netns < 0) /* it was deleted */
		return;
	ret = tap_follow(port, netns);
	if (ret < 0)
		log_warn("port %s: its kernel device can't be followed: %s", port->conf->name,
			 strerror(-ret));
	close(netns);
}

bool port_tap_link_up(const struct port *port)
{
	struct ifreq ifr = { 0 };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%.*s", IFNAMSIZ - 1, port->tap->name);
	return ioctl(port->tap->ioctl_sock, SIOCGIFFLAGS, &ifr) == 0 && ifr.ifr_flags & IFF_UP &&
	       ifr.ifr_flags & IFF_RUNNING;
}

static int set_device_mtu(const char *name, uint16_t mtu)
{
	struct ifreq ifr = { .ifr_mtu = mtu };
	int fd, ret = 0;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%.*s", IFNAMSIZ - 1, name);
	if (ioctl(fd, SIOCSIFMTU, &ifr) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

int port_tap_set_mtu(struct port *port, uint16_t mtu)
{
	uint16_t *word = mtu_word(port->id);
	int ret;

	if (word == NULL || port->tap == NULL)
		return -ENOTSUP;
	ret = set_device_mtu(port->tap->name, mtu);
	if (ret < 0)
		return ret;
	__atomic_store_n(word, mtu, __ATOMIC_RELEASE);
	return 0;
}
