// SPDX-License-Identifier: BSD-3-Clause
#include "legacy_test.h"

#include <linux/if_packet.h>
#include <pthread.h>
#include <sys/socket.h>

unsigned int knit_failed;
void (*knit_poll)(struct rte_kni *kni);

int knit_net_ioctl(const char *name, unsigned long request, struct ifreq *ifr)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret;

	snprintf(ifr->ifr_name, sizeof(ifr->ifr_name), "%s", name);
	ret = ioctl(fd, request, ifr);
	if (fd >= 0)
		close(fd);
	return ret;
}

void knit_net_send(const char *name)
{
	static const char frame[60] = "\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\1\x88\xb5";
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_ifindex = if_nametoindex(name),
				  .sll_halen = 6 };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (sendto(fd, frame, sizeof(frame), MSG_DONTWAIT, (void *)&to, sizeof(to)) < 0)
		usleep(1000); /* it can't yet */
	close(fd);
}

struct change {
	const char *name;
	unsigned long request;
	struct ifreq ifr;
	int ret;
	int done;
};

static void *change_thread(void *arg)
{
	struct change *c = arg;

	c->ret = knit_net_ioctl(c->name, c->request, &c->ifr);
	__atomic_store_n(&c->done, 1, __ATOMIC_RELEASE);
	return NULL;
}

int knit_net_change(const char *name, unsigned long request, const struct ifreq *ifr)
{
	struct change c = { .name = name, .request = request, .ifr = *ifr };
	struct rte_kni *kni = rte_kni_get(name);
	pthread_t thread;

	if (pthread_create(&thread, NULL, change_thread, &c) != 0)
		return -1;
	while (!__atomic_load_n(&c.done, __ATOMIC_ACQUIRE)) {
		knit_poll(kni);
		usleep(100);
	}
	pthread_join(thread, NULL);
	return c.ret;
}
