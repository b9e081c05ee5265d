// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_tap
#include "kni/base/log.h"
#include "tap.h"

#include <linux/ethtool.h>
#include <linux/if_arp.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define TUN_PATH "/dev/net/tun"

/* Linux 6.2; both or none */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

#define PREDECESSOR_POLL_MS 20
#define PREDECESSOR_TRIES 250
#define LINK_MODE_WORDS 16 /* of 32 bits; the kernel has 4 */

static int open_tun(void)
{
	int fd = open(TUN_PATH, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int knit_tap_dev_available(bool log)
{
	const unsigned int need = IFF_MULTI_QUEUE | IFF_VNET_HDR | IFF_TAP;
	unsigned int have = 0;
	int fd = open_tun();
	int ret = 0;

	if (fd < 0) {
		if (log)
			log_err("tap engine: open %s: %s%s", TUN_PATH, strerror(-fd),
				fd == -EACCES || fd == -EPERM ? " (needs root)" : "");
		return fd;
	}
	if (ioctl(fd, TUNGETFEATURES, &have) < 0 || (have & need) != need)
		ret = -EOPNOTSUPP;
	if (ret < 0 && log)
		log_err("tap engine: %s lacks multi-queue or offload headers", TUN_PATH);
	close(fd);
	return ret;
}

static int log_create(const struct knit_tap_iface *t, int err)
{
	const char *hint = "";

	if (err == EBUSY || err == EEXIST) {
		err = EEXIST;
		hint = ": an interface of that name is already there";
	} else if (err == EINVAL) {
		/* the kernel's answer to a name that is taken by another kind of device, too */
		hint = if_nametoindex(t->name) ? ": an interface of that name is already there"
					       : ": not a name for an interface";
		err = if_nametoindex(t->name) ? EEXIST : EINVAL;
	} else if (err == EPERM) {
		hint = " (needs CAP_NET_ADMIN)";
	}
	log_err("%s: make tap device: %s%s", t->name, strerror(err), hint);
	return -err;
}

/*
 * A primary's tap device may still be a killed predecessor's: it stays until workers that had a
 * file of it have ended. True: after a pause; try once more.
 */
static bool wait_for_name(const struct knit_tap_iface *t, int err, int *tries)
{
	const struct timespec pause = { .tv_nsec = PREDECESSOR_POLL_MS * 1000000L };

	if ((err != EBUSY && err != EEXIST) || t->kni->legacy || *tries == PREDECESSOR_TRIES)
		return false;
	if ((*tries)++ == 0)
		log_notice("%s: there is an interface of that name; waiting up to %d s in case a "
			   "primary was killed and its workers are about to end",
			   t->name, PREDECESSOR_TRIES * PREDECESSOR_POLL_MS / 1000);
	nanosleep(&pause, NULL);
	return true;
}

/*
 * The first queue makes the net_device and insists on a new one; the others join it by its name,
 * which the kernel makes of a pattern.
 */
static int open_queue(struct knit_tap_iface *t, uint16_t i, char name[IFNAMSIZ])
{
	int hdr_size = sizeof(struct virtio_net_hdr);
	struct ifreq ifr = { 0 };
	int fd = open_tun(), tries = 0;

	if (fd < 0)
		return errno_log(-fd, "open " TUN_PATH);
	t->pair[i].fd = fd;
	ifr.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE;
	if (i == 0)
		ifr.ifr_flags |= IFF_TUN_EXCL;
	memcpy(ifr.ifr_name, name, sizeof(ifr.ifr_name));
	while (ioctl(fd, TUNSETIFF, &ifr) < 0)
		if (!wait_for_name(t, errno, &tries))
			return log_create(t, errno);
	memcpy(name, ifr.ifr_name, sizeof(ifr.ifr_name));
	if (ioctl(fd, TUNSETVNETHDRSZ, &hdr_size) < 0)
		return errno_log(errno, "set size of the tap frame header");
	return 0;
}

/*
 * What the kernel may send as it is: whole TCP frames, without checksums. What it accepts from us
 * needs no setting, but UDP GSO came in both directions at once, so that trying it tells.
 */
static int set_dev_offload(const struct knit_tap_iface *t)
{
	unsigned int flags = 0;

	if (t->features & KNIT_FEAT_CSUM)
		flags |= TUN_F_CSUM;
	if (t->features & KNIT_FEAT_CSUM && t->features & KNIT_FEAT_TSO)
		flags |= TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
	if (t->features & KNIT_FEAT_CSUM && t->features & KNIT_FEAT_USO && t->kernel_uso)
		flags |= TUN_F_USO4 | TUN_F_USO6;
	return ioctl(t->pair[0].fd, TUNSETOFFLOAD, flags) < 0 ? -errno : 0;
}

struct move {
	int netns;
	const char *name;
};

static int link_move(struct knit_tap_place *place, void *arg)
{
	const struct move *to = arg;

	return knit_nl_link_move(&place->nl, place->link.ifindex, to->netns, to->name);
}

static int open_queues(struct knit_tap_iface *t, int netns)
{
	struct move to = { netns, t->name };
	char name[IFNAMSIZ] = "knit%d";
	int ret, tries = 0;
	uint16_t i;

	if (netns < 0)
		memcpy(name, t->name, sizeof(name));
	for (i = 0; i < t->n_pairs; i++) {
		ret = open_queue(t, i, name);
		if (ret < 0)
			return ret;
	}
	if (netns < 0)
		return 0;
	do
		ret = knit_tap_there(t, link_move, &to);
	while (ret < 0 && wait_for_name(t, -ret, &tries));
	return ret < 0 ? log_create(t, -ret) : 0;
}

/* A file of /dev/net/tun keeps the namespace alive in which it was opened: not the interface's. */
int knit_tap_dev_open(struct knit_tap_iface *t, int netns)
{
	uint16_t i;
	int ret;

	if (strpbrk(t->name, "%/: ") || strcmp(t->name, ".") == 0 || strcmp(t->name, "..") == 0) {
		log_err("%s: not a name for an interface", t->name);
		return -EINVAL;
	}
	for (i = 0; i < t->n_pairs; i++)
		t->pair[i].fd = -1;
	ret = open_queues(t, netns);
	if (ret < 0)
		goto err_close;
	t->kernel_uso = ioctl(t->pair[0].fd, TUNSETOFFLOAD,
			      TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_USO4 | TUN_F_USO6) == 0;
	ret = set_dev_offload(t);
	if (ret < 0) {
		errno_log(-ret, "set offloads of the tap device");
		goto err_close;
	}
	return 0;

err_close:
	knit_tap_dev_close(t);
	return ret;
}

void knit_tap_dev_close(struct knit_tap_iface *t)
{
	uint16_t i;

	for (i = 0; i < t->n_pairs; i++) {
		if (t->pair[i].fd >= 0)
			close(t->pair[i].fd);
		t->pair[i].fd = -1;
	}
}

int knit_tap_dev_carrier(const struct knit_tap_iface *t, bool on)
{
	int value = on;

	return ioctl(t->pair[0].fd, TUNSETCARRIER, &value) < 0 ? -errno : 0;
}

int knit_tap_dev_queue(const struct knit_tap_iface *t, uint16_t pair, bool attach)
{
	struct ifreq ifr = { .ifr_flags = attach ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE };

	return ioctl(t->pair[pair].fd, TUNSETQUEUE, &ifr) < 0 ? -errno : 0;
}

int knit_tap_dev_speed(const struct knit_tap_place *place, uint32_t speed, bool full_duplex)
{
	union {
		struct ethtool_link_settings s; /* ends with three masks */
		uint8_t room[sizeof(struct ethtool_link_settings) +
			     sizeof(uint32_t) * 3 * LINK_MODE_WORDS];
	} req = { .s.cmd = ETHTOOL_GLINKSETTINGS };
	int fd = knit_nl_fd(&place->nl); /* any socket of the namespace does */
	struct ifreq ifr = { .ifr_data = (void *)&req };
	int words;

	memcpy(ifr.ifr_name, place->link.name, sizeof(ifr.ifr_name));
	/* the first call only tells, negated, how many words the kernel's mode masks have */
	if (ioctl(fd, SIOCETHTOOL, &ifr) < 0)
		return -errno;
	words = -req.s.link_mode_masks_nwords;
	if (words <= 0 || words > LINK_MODE_WORDS)
		return -EPROTO;
	memset(&req, 0, sizeof(req));
	req.s.link_mode_masks_nwords = words;
	req.s.cmd = ETHTOOL_SLINKSETTINGS;
	req.s.speed = speed == 0 ? (uint32_t)SPEED_UNKNOWN : speed;
	req.s.duplex = speed == (uint32_t)SPEED_UNKNOWN ? DUPLEX_UNKNOWN
		       : full_duplex			? DUPLEX_FULL
							: DUPLEX_HALF;
	req.s.port = PORT_OTHER;
	return ioctl(fd, SIOCETHTOOL, &ifr) < 0 ? -errno : 0;
}

/* Through the file it can't be another device's. */
int knit_tap_set_mac(const struct knit_tap_iface *t, const uint8_t *mac)
{
	struct ifreq ifr = { .ifr_hwaddr.sa_family = ARPHRD_ETHER };

	memcpy(ifr.ifr_hwaddr.sa_data, mac, 6);
	return ioctl(t->pair[0].fd, SIOCSIFHWADDR, &ifr) < 0 ? -errno : 0;
}
