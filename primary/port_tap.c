// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_port
#include "port_tap.h"
#include "log.h"

#include <rte_ethdev.h>
#include <rte_memzone.h>

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * The first words of net_tap's transmit queue in DPDK 20.11 to 23.11: what it checks lengths with.
 */
struct tap_tx_queue {
	int type;
	uint16_t *mtu; /* in ethdev's shared data of the port */
};

/* Believed only if it points into ethdev's shared data and says what ethdev says. */
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

void port_tap_ifname(const char *device, char *name, size_t len)
{
	const char *at = strstr(device, "iface=");

	if (at)
		snprintf(name, len, "%.*s", (int)strcspn(at + 6, ","), at + 6);
	else
		snprintf(name, len, "dtap0");
}

static int set_device_mtu(const char *name, uint16_t mtu)
{
	struct ifreq ifr = { .ifr_mtu = mtu };
	int fd, ret = 0;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (ioctl(fd, SIOCSIFMTU, &ifr) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

int port_tap_set_mtu(uint16_t port_id, const char *device, uint16_t mtu)
{
	uint16_t *word = mtu_word(port_id);
	char name[IFNAMSIZ];
	int ret;

	if (word == NULL)
		return -ENOTSUP;
	port_tap_ifname(device, name, sizeof(name));
	ret = set_device_mtu(name, mtu);
	if (ret < 0)
		return ret;
	__atomic_store_n(word, mtu, __ATOMIC_RELEASE);
	return 0;
}
