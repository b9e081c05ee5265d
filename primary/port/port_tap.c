// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_port
#include "port_tap.h"
#include "kni/base/compat.h"
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
#include <stdlib.h>
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
 * The first members of net_tap's transmit queue in DPDK 20.11 to 25.11. The driver compares lengths
 * with *mtu.
 */
struct tap_tx_queue {
	int type;
	uint16_t *mtu; /* in ethdev's shared data of the port */
};

/*
 * Where net_tap's data of a port has what knit needs. ints: the device's index, a socket for ioctl,
 * one for netlink.
 */
struct tap_layout {
	uint16_t name, name_size, ints;
};

enum {
	TAP_INDEX,
	TAP_IOCTL_SOCK,
	TAP_NETLINK_SOCK
};

static const struct tap_layout layouts[] = {
	{ 72, 64, 196 }, /* up to 23.11 */
	{ 24, 16, 100 }, /* 24.11 */
	{ 24, 16, 64 },	 /* 25.11 */
};

/* The same in the driver's memory, which the primary's threads of EAL read. */
struct port_tap {
	char *name;
	size_t name_size;
	int *ints;
};

/* The beginning of ethdev's data of a port, in 20.11 to 25.11. */
struct ethdev_data {
	char name[RTE_ETH_NAME_MAX_LEN];
	void *queues[2];
	uint16_t n_queues[2];
	uint8_t sriov[2];
	uint16_t sriov_queues[2];
	void *driver;
};

/*
 * The pointer is used only if it points into ethdev's shared data and the value there is ethdev's
 * MTU.
 */
static uint16_t *mtu_word(uint16_t port_id)
{
	const struct rte_memzone *mz = rte_memzone_lookup("rte_eth_dev_data");
	struct tap_tx_queue **queues = (struct tap_tx_queue **)knit_eth_tx_queues(port_id);
	uint16_t mtu, *word;

	if (mz == NULL || queues == NULL || queues[0] == NULL)
		return NULL;
	word = queues[0]->mtu;
	if ((char *)word < (char *)mz->addr || (char *)(word + 1) > (char *)mz->addr + mz->len ||
	    rte_eth_dev_get_mtu(port_id, &mtu) < 0 || *word != mtu)
		return NULL;
	return word;
}

/* Its domain, type or protocol; -1 if it is no socket. */
static int socket_option(int sock, int option)
{
	socklen_t len = sizeof(int);
	int value = -1;

	return getsockopt(sock, SOL_SOCKET, option, &value, &len) < 0 ? -1 : value;
}

static bool is_route_socket(int sock)
{
	return socket_option(sock, SO_DOMAIN) == AF_NETLINK &&
	       socket_option(sock, SO_PROTOCOL) == NETLINK_ROUTE;
}

/*
 * The data is used only if the name and the number in it are those that the kernel has for the
 * device.
 */
static bool is_tap(const struct port_tap *tap)
{
	struct ifreq ifr = { 0 };

	if (strnlen(tap->name, tap->name_size) >= IFNAMSIZ || tap->name[0] == '\0')
		return false;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", tap->name);
	return ioctl(tap->ints[TAP_IOCTL_SOCK], SIOCGIFINDEX, &ifr) == 0 &&
	       ifr.ifr_ifindex == tap->ints[TAP_INDEX];
}

static bool read_tap(void *driver, struct port_tap *tap)
{
	unsigned int i;

	if (driver == NULL || rte_mem_virt2memseg_list(driver) == NULL)
		return false;
	for (i = 0; i < RTE_DIM(layouts); i++) {
		tap->name = (char *)driver + layouts[i].name;
		tap->name_size = layouts[i].name_size;
		tap->ints = (int *)((char *)driver + layouts[i].ints);
		if (is_tap(tap))
			return true;
	}
	return false;
}

static bool find_tap(uint16_t port_id, struct port_tap *tap)
{
	const struct rte_memzone *mz = rte_memzone_lookup("rte_eth_dev_data");
	char name[RTE_ETH_NAME_MAX_LEN] = "";
	const struct ethdev_data *data;
	size_t at;

	if (mz == NULL || rte_eth_dev_get_name_by_port(port_id, name) < 0)
		return false;
	for (at = 0; at + sizeof(*data) <= mz->len; at += sizeof(uint64_t)) {
		data = (const void *)((const char *)mz->addr + at);
		if (strncmp(data->name, name, sizeof(name)) == 0 && read_tap(data->driver, tap))
			return true;
	}
	return false;
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

/* Before there are queues the driver has one file of the device, which it keeps until the end. */
static int find_tap_fd(const struct port_tap *tap)
{
	int fds[MAX_FILES], netns, found = -1;
	unsigned int n, i;

	n = knit_tap_fds(tap->name, fds, MAX_FILES);
	for (i = 0; i < n && i < MAX_FILES; i++) {
		netns = ioctl(fds[i], TUNGETDEVNETNS);
		if (socket_is_in(tap->ints[TAP_IOCTL_SOCK], netns))
			found = fds[i];
		if (netns >= 0)
			close(netns);
	}
	return found;
}

void port_tap_find(struct port *port)
{
	struct port_tap tap = { 0 };

	port->tap_fd = find_tap(port->id, &tap) ? find_tap_fd(&tap) : -1;
	if (port->tap_fd >= 0)
		port->tap = malloc(sizeof(tap));
	if (port->tap == NULL) {
		log_notice(
			"port %s: this net_tap does not follow a device that is renamed or moved",
			port->conf->name);
		return;
	}
	*port->tap = tap;
	tap_note_place(port);
}

void port_tap_forget(struct port *port)
{
	free(port->tap);
	port->tap = NULL;
}

bool port_tap_is_there(const struct port *port)
{
	int netns = port_tap_netns(port);

	if (netns >= 0)
		close(netns);
	return netns >= 0;
}

int port_tap_netns(const struct port *port)
{
	return ioctl(port->tap_fd, TUNGETDEVNETNS);
}

/* The number stays the same for the driver, but it is another socket now. */
static int tap_replace_socket(int fd)
{
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	int domain = socket_option(fd, SO_DOMAIN), ret = 0;
	int sock = socket(domain, socket_option(fd, SO_TYPE) | SOCK_CLOEXEC,
			  socket_option(fd, SO_PROTOCOL));

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
	ret = tap_replace_socket(tap->ints[TAP_IOCTL_SOCK]);
	if (ret == 0 && is_route_socket(tap->ints[TAP_NETLINK_SOCK]))
		ret = tap_replace_socket(tap->ints[TAP_NETLINK_SOCK]);
	knit_netns_leave(&saved);
	return ret;
}

static int tap_follow(struct port *port, int netns)
{
	struct port_tap *tap = port->tap;
	struct ifreq ifr = { 0 };
	bool moved = !socket_is_in(tap->ints[TAP_IOCTL_SOCK], netns);
	int ret;

	if (ioctl(port->tap_fd, TUNGETIFF, &ifr) < 0)
		return -errno;
	if (!moved && strncmp(ifr.ifr_name, tap->name, IFNAMSIZ) == 0)
		return 0;
	ret = moved ? tap_replace_sockets(tap, netns) : 0;
	if (ret < 0)
		return ret;
	snprintf(tap->name, tap->name_size, "%.*s", IFNAMSIZ, ifr.ifr_name);
	if (ioctl(tap->ints[TAP_IOCTL_SOCK], SIOCGIFINDEX, &ifr) == 0)
		tap->ints[TAP_INDEX] = ifr.ifr_ifindex;
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
	return ioctl(port->tap->ints[TAP_IOCTL_SOCK], SIOCGIFFLAGS, &ifr) == 0 &&
	       ifr.ifr_flags & IFF_UP && ifr.ifr_flags & IFF_RUNNING;
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
