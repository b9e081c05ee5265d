// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_tap
#include "kni/base/log.h"
#include "kni/base/netns.h"
#include "tap.h"

#include <linux/if_tun.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Where the net_device is and how it is called. Its file alone knows: name and index may be another
 * device's as soon as ours was moved or renamed, and so may be both together. Nothing is remembered
 * for later, neither because it might be wrong then nor because a file or socket of a namespace
 * keeps that alive.
 */

#ifndef TUNGETDEVNETNS
#define TUNGETDEVNETNS _IO('T', 227)
#endif

#define TRIES 5

/* Kernels before 6.10 and its backports warn if asked while the namespace ends. */
static int device_netns(const struct knit_tap_iface *t)
{
	int fd = ioctl(t->pair[0].fd, TUNGETDEVNETNS);

	if (fd >= 0)
		return fd;
	return errno == EBADFD || errno == EINVAL ? -ENODEV : -errno;
}

/*
 * Who gave up his rights may still look where he is himself, if the device has the index there that
 * it had when it was seen last: the kernel gives no index twice in one namespace.
 */
static int own_netns(const struct knit_tap_iface *t, const char *name)
{
	if (t->ifindex == 0 || if_nametoindex(name) != t->ifindex)
		return -EPERM;
	return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

static int find_netns(const struct knit_tap_iface *t, const char *name)
{
	int fd = device_netns(t);

	return fd == -EPERM ? own_netns(t, name) : fd;
}

static int device_name(const struct knit_tap_iface *t, char name[IFNAMSIZ])
{
	struct ifreq ifr;

	if (ioctl(t->pair[0].fd, TUNGETIFF, &ifr) < 0)
		return errno == EBADFD ? -ENODEV : -errno;
	memcpy(name, ifr.ifr_name, IFNAMSIZ);
	return 0;
}

static bool same_file(int a, int b)
{
	struct stat of_a, of_b;

	return fstat(a, &of_a) == 0 && fstat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
	       of_a.st_ino == of_b.st_ino;
}

/* No call tells namespace and name together: are both as they were? */
static bool is_there(const struct knit_tap_iface *t, const struct knit_tap_place *p)
{
	char name[IFNAMSIZ];
	int netns = find_netns(t, p->link.name);
	bool same;

	if (netns < 0)
		return false;
	same = same_file(netns, p->netns) && device_name(t, name) == 0 &&
	       strncmp(name, p->link.name, IFNAMSIZ) == 0;
	close(netns);
	return same;
}

static int place_open_socket(struct knit_tap_place *p)
{
	int ret, saved;

	ret = knit_netns_enter_fd(p->netns, &saved);
	if (ret < 0)
		return ret;
	ret = knit_nl_open(&p->nl, false);
	knit_netns_leave(&saved);
	return ret;
}

static int place_find(const struct knit_tap_iface *t, struct knit_tap_place *p)
{
	char name[IFNAMSIZ];
	int ret;

	ret = device_name(t, name);
	if (ret < 0)
		return ret;
	p->netns = find_netns(t, name);
	if (p->netns < 0)
		return p->netns;
	ret = place_open_socket(p);
	if (ret < 0)
		return ret;
	ret = knit_nl_link_get(&p->nl, 0, name, &p->link);
	if (ret == -ENODEV || (ret == 0 && !is_there(t, p)))
		return -EAGAIN;
	return ret;
}

int knit_tap_there(const struct knit_tap_iface *t,
		   int (*act)(struct knit_tap_place *place, void *arg), void *arg)
{
	struct knit_tap_place place;
	int ret, tries = 0;

	do {
		memset(&place, 0, sizeof(place));
		place.netns = -1;
		ret = place_find(t, &place);
		if (ret == 0)
			ret = act(&place, arg);
		knit_nl_close(&place.nl);
		if (place.netns >= 0)
			close(place.netns);
	} while (ret == -EAGAIN && ++tries < TRIES);
	return ret;
}

static int place_copy_link(struct knit_tap_place *place, void *arg)
{
	*(struct knit_nl_link *)arg = place->link;
	return 0;
}

int knit_tap_link(const struct knit_tap_iface *t, struct knit_nl_link *link)
{
	return knit_tap_there(t, place_copy_link, link);
}

static int place_set_mtu(struct knit_tap_place *place, void *arg)
{
	return knit_nl_link_mtu(&place->nl, place->link.ifindex, *(uint32_t *)arg);
}

int knit_tap_set_mtu(const struct knit_tap_iface *t, uint32_t mtu)
{
	return knit_tap_there(t, place_set_mtu, &mtu);
}
