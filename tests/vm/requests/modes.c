// SPDX-License-Identifier: BSD-3-Clause
#include "requests.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What is always asynchronous: address lists, modes; and carrier. */

static bool lists_are(const struct iface *i, unsigned int n_mc, unsigned int allmulti)
{
	return settle(i) && i->plan->port.n_mc == n_mc &&
	       i->plan->port.value[KNIT_REQ_ALLMULTI] == allmulti;
}

struct lists {
	const struct iface *i;
	unsigned int n_mc;
	unsigned int allmulti;
};

static bool as_expected(const void *arg)
{
	const struct lists *l = arg;

	return lists_are(l->i, l->n_mc, l->allmulti);
}

static bool become(const struct iface *i, unsigned int n_mc, unsigned int allmulti)
{
	const struct lists l = { i, n_mc, allmulti };

	return wait_for(as_expected, &l, 8000);
}

/* Multicast addresses that the kernel has itself. */
static unsigned int kernel_list(const char *name)
{
	FILE *file = fopen("/proc/net/dev_mcast", "r");
	char line[256], of[32];
	unsigned int n = 0;

	while (file && fgets(line, sizeof(line), file))
		n += sscanf(line, "%*d %31s", of) == 1 && strcmp(of, name) == 0;
	if (file)
		fclose(file);
	return n;
}

static bool has_no_ip(const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	fd = open(path, O_WRONLY);
	if (fd >= 0 && write(fd, "1", 1) != 1)
		return false;
	if (fd >= 0)
		close(fd);
	return true;
}

void test_address_lists(struct iface *i)
{
	unsigned int base;
	int k;

	EXPECT(has_no_ip(i->name));
	handler_attach(i);
	EXPECT(set_up(i->name, 1) == 0);
	EXPECT(agree(i));
	base = kernel_list(i->name); /* IPv4's all hosts */
	for (k = 0; k < 3; k++)
		EXPECT(multicast(i->name, k, true) == 0);
	EXPECT(become(i, base + 3, 0));
	for (k = 3; k < 600; k++)
		EXPECT(multicast(i->name, k, true) == 0);
	EXPECT(become(i, 0, 1));
	EXPECT(iface_stats(i).rxlist_over == 1);
	for (k = 599; k >= 2; k--)
		EXPECT(multicast(i->name, k, false) == 0);
	EXPECT(become(i, base + 2, 0));
	EXPECT(iface_stats(i).rxlist_over == 1);
}

struct mode {
	const struct iface *i;
	enum knit_req_kind kind;
	uint32_t on;
};

static bool mode_is(const void *arg)
{
	const struct mode *m = arg;

	return m->i->plan->port.value[m->kind] == m->on;
}

static bool turns(const struct iface *i, enum knit_req_kind kind, uint32_t on)
{
	const struct mode m = { i, kind, on };

	return wait_for(mode_is, &m, 5000);
}

/* As tcpdump does it. */
static int membership(const struct iface *i, int type)
{
	struct packet_mreq mreq = { .mr_ifindex = if_nametoindex(i->name), .mr_type = type };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mreq, sizeof(mreq)) < 0)
		die("PACKET_ADD_MEMBERSHIP");
	return fd;
}

void test_modes(struct iface *i)
{
	int fd;

	handler_attach(i);
	EXPECT(set_flag(i->name, IFF_PROMISC, true) == 0); /* also while it is down */
	EXPECT(turns(i, KNIT_REQ_PROMISC, 1));
	EXPECT(set_flag(i->name, IFF_PROMISC, false) == 0);
	EXPECT(turns(i, KNIT_REQ_PROMISC, 0));
	EXPECT(set_up(i->name, 1) == 0);
	fd = membership(i, PACKET_MR_PROMISC);
	EXPECT(turns(i, KNIT_REQ_PROMISC, 1));
	close(fd);
	EXPECT(turns(i, KNIT_REQ_PROMISC, 0));
	fd = membership(i, PACKET_MR_ALLMULTI);
	EXPECT(turns(i, KNIT_REQ_ALLMULTI, 1));
	close(fd);
	EXPECT(turns(i, KNIT_REQ_ALLMULTI, 0));
	i->plan->result[KNIT_REQ_PROMISC] = -EOPNOTSUPP; /* refused: not requested again */
	EXPECT(set_flag(i->name, IFF_PROMISC, true) == 0);
	EXPECT(settle(i));
	EXPECT(get_flags(i->name) & IFF_PROMISC);
}

static int sysfs_carrier(const struct iface *i, const char *value)
{
	char path[64], now = '?';
	int fd, ret = 0;

	snprintf(path, sizeof(path), "/sys/class/net/%s/carrier", i->name);
	fd = open(path, O_RDWR);
	if (fd < 0)
		return -errno;
	if (value && write(fd, value, 1) != 1)
		ret = -errno;
	else if (!value)
		ret = pread(fd, &now, 1, 0) == 1 ? now - '0' : -errno;
	close(fd);
	return ret;
}

void test_carrier(struct iface *i)
{
	handler_attach(i);
	EXPECT(sysfs_carrier(i, NULL) == -EINVAL); /* down */
	EXPECT(set_up(i->name, 1) == 0);
	EXPECT(sysfs_carrier(i, NULL) == 0);
	iface_link(i, true, 1000);
	EXPECT(sysfs_carrier(i, NULL) == 1);
	EXPECT(sysfs_carrier(i, "0") == 0);
	EXPECT(sysfs_carrier(i, NULL) == 0);
	EXPECT(sysfs_carrier(i, "1") == 0);
	EXPECT(sysfs_carrier(i, NULL) == 1);
	iface_link(i, false, 0);
	EXPECT(sysfs_carrier(i, NULL) == 0);
	EXPECT(agree(i));
}
