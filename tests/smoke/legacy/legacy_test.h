/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_LEGACY_TEST_H
#define KNIT_LEGACY_TEST_H

#include "legacy_app.h"

#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* What the files of the selftest share. */

extern unsigned int knit_failed;

static inline bool report(const char *name, bool good)
{
	printf("%s %s\n", good ? "ok" : "not ok", name);
	knit_failed += !good;
	return good;
}

/* Polls cond for up to three seconds, doing something in between. cond is not asked again then. */
#define WAIT(cond, doing)                                           \
	({                                                          \
		bool is_ = (cond);                                  \
		int tries_;                                         \
		for (tries_ = 0; tries_ < 3000 && !is_; tries_++) { \
			doing;                                      \
			usleep(1000);                               \
			is_ = (cond);                               \
		}                                                   \
		is_;                                                \
	})

/* The parts of the selftest that have a file of their own. */
void knit_test_alloc(struct rte_mempool *pool);
void knit_test_starts(struct rte_mempool *pool); /* on net_tap0 or net_ring0 */

/*
 * The kernel's view, by the calls that `ip link` would make. Whoever changes something may have to
 * wait for the application's answer: it does so in a thread, and knit_poll is called meanwhile,
 * again and again.
 */
extern void (*knit_poll)(struct rte_kni *kni);
int knit_net_ioctl(const char *name, unsigned long request, struct ifreq *ifr);
void knit_net_send(const char *name); /* the kernel sends a frame, if it can now */
int knit_net_change(const char *name, unsigned long request, const struct ifreq *ifr);

static inline int kernel_flags(const char *name)
{
	struct ifreq ifr = { 0 };

	return knit_net_ioctl(name, SIOCGIFFLAGS, &ifr) < 0 ? -1 : (unsigned short)ifr.ifr_flags;
}

static inline int kernel_set_flag(const char *name, int flag, bool on)
{
	struct ifreq ifr = { 0 };

	knit_net_ioctl(name, SIOCGIFFLAGS, &ifr);
	ifr.ifr_flags = on ? ifr.ifr_flags | flag : ifr.ifr_flags & ~flag;
	return knit_net_change(name, SIOCSIFFLAGS, &ifr);
}

/* -1: not to be read, as on an interface that is down. */
static inline int kernel_carrier(const char *name)
{
	char path[64];
	int on = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/net/%s/carrier", name);
	file = fopen(path, "r");
	if (file == NULL)
		return -1;
	if (fscanf(file, "%d", &on) != 1)
		on = -1;
	fclose(file);
	return on;
}

static inline int kernel_mtu(const char *name)
{
	struct ifreq ifr = { 0 };

	return knit_net_ioctl(name, SIOCGIFMTU, &ifr) < 0 ? -1 : ifr.ifr_mtu;
}

static inline int kernel_set_mtu(const char *name, int mtu)
{
	struct ifreq ifr = { .ifr_mtu = mtu };

	return knit_net_change(name, SIOCSIFMTU, &ifr);
}

static inline bool kernel_mac_is(const char *name, const uint8_t mac[6])
{
	struct ifreq ifr = { 0 };

	return knit_net_ioctl(name, SIOCGIFHWADDR, &ifr) == 0 &&
	       memcmp(ifr.ifr_hwaddr.sa_data, mac, 6) == 0;
}

static inline int kernel_set_mac(const char *name, const uint8_t mac[6])
{
	struct ifreq ifr = { .ifr_hwaddr.sa_family = ARPHRD_ETHER };

	memcpy(ifr.ifr_hwaddr.sa_data, mac, 6);
	return knit_net_change(name, SIOCSIFHWADDR, &ifr);
}

static inline bool on_tap(void)
{
	const char *engine = getenv("KNIT_ENGINE");

	return engine && strcmp(engine, "tap") == 0;
}

#endif
