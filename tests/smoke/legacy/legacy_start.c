// SPDX-License-Identifier: BSD-3-Clause
#include "legacy_test.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>

/*
 * Applications of KNI start in a few ways, and so does this, with a port that has been started and
 * is promiscuous:
 *
 *   examples/kni  limits and MAC from ethdev, the thread bound to the lcore, stops and starts the
 *                 port for up, down and a new MTU; a thread reports the link; polls all the time
 *   F-Stack       likewise, without limits; sets the port's link up and down; takes every MTU
 *   dperf         without callbacks; sets the interface up itself, from another thread
 *   PcapPlusPlus  an MTU, no MAC; a thread polls every quarter of a second
 *   Gatekeeper    refuses MTU and MAC; a child sets the interface up, while the parent polls every
 *                 second, five times at most
 *
 * None of them wants to hear of anything but what is done to the interface from then on.
 */
static struct {
	unsigned int up, down, mtu, mac;
} told;

static uint16_t port;
static struct rte_mempool *pool;

static int port_start(uint16_t port_id)
{
	struct rte_eth_conf conf = { 0 };

	if (rte_eth_dev_configure(port_id, 1, 1, &conf) < 0 ||
	    rte_eth_rx_queue_setup(port_id, 0, 128, 0, NULL, pool) < 0 ||
	    rte_eth_tx_queue_setup(port_id, 0, 128, 0, NULL) < 0)
		return -1;
	return rte_eth_dev_start(port_id);
}

static void count_link(uint8_t if_up)
{
	if (if_up)
		told.up++;
	else
		told.down++;
}

static int stop_and_start(uint16_t port_id, uint8_t if_up)
{
	count_link(if_up);
	rte_eth_dev_stop(port_id);
	return if_up ? rte_eth_dev_start(port_id) : 0;
}

static int set_link(uint16_t port_id, uint8_t if_up)
{
	int ret;

	count_link(if_up);
	ret = if_up ? rte_eth_dev_set_link_up(port_id) : rte_eth_dev_set_link_down(port_id);
	if (ret != -ENOTSUP)
		return ret;
	rte_eth_dev_stop(port_id);
	return if_up ? rte_eth_dev_start(port_id) : 0;
}

static int restart_for_mtu(uint16_t port_id, unsigned int mtu)
{
	told.mtu++;
	rte_eth_dev_stop(port_id);
	return port_start(port_id);
}

static int take_mtu(uint16_t port_id, unsigned int mtu)
{
	told.mtu++;
	return 0;
}

static int refuse_mtu(uint16_t port_id, unsigned int mtu)
{
	told.mtu++;
	return -ENOTSUP;
}

static int set_mac(uint16_t port_id, uint8_t mac[])
{
	told.mac++;
	return rte_eth_dev_default_mac_addr_set(port_id, (struct rte_ether_addr *)mac);
}

static int refuse_mac(uint16_t port_id, uint8_t mac[])
{
	told.mac++;
	return -ENOTSUP;
}

static void poll_always(struct rte_kni *kni)
{
	rte_kni_handle_request(kni);
}

static void poll_not(struct rte_kni *kni)
{
}

static void poll_every_second(struct rte_kni *kni)
{
	rte_kni_handle_request(kni);
	usleep(1000000);
}

static void mac_of_port(struct rte_kni_conf *conf)
{
	rte_eth_macaddr_get(port, (struct rte_ether_addr *)conf->mac_addr);
}

static void limits_of_port(struct rte_kni_conf *conf)
{
	struct rte_eth_dev_info info;

	if (rte_eth_dev_info_get(port, &info) < 0)
		return;
	conf->min_mtu = info.min_mtu;
	conf->max_mtu = info.max_mtu;
	rte_eth_dev_get_mtu(port, &conf->mtu);
}

static struct rte_kni *like_examples_kni(struct rte_kni_conf *conf)
{
	struct rte_kni_ops ops = {
		.port_id = port,
		.change_mtu = restart_for_mtu,
		.config_network_if = stop_and_start,
		.config_mac_address = set_mac,
	};

	conf->core_id = rte_lcore_id();
	conf->force_bind = 1;
	mac_of_port(conf);
	limits_of_port(conf);
	return rte_kni_alloc(pool, conf, &ops);
}

static struct rte_kni *like_f_stack(struct rte_kni_conf *conf)
{
	struct rte_kni_ops ops = {
		.port_id = port,
		.change_mtu = take_mtu,
		.config_network_if = set_link,
		.config_mac_address = set_mac,
	};

	conf->core_id = rte_lcore_id();
	conf->force_bind = 1;
	conf->mbuf_size = RTE_ETHER_MAX_LEN;
	mac_of_port(conf);
	return rte_kni_alloc(pool, conf, &ops);
}

static struct rte_kni *like_dperf(struct rte_kni_conf *conf)
{
	mac_of_port(conf);
	limits_of_port(conf);
	return rte_kni_alloc(pool, conf, NULL);
}

static struct rte_kni *like_pcapplusplus(struct rte_kni_conf *conf)
{
	struct rte_kni_ops ops = {
		.port_id = UINT16_MAX,
		.change_mtu = take_mtu,
		.config_network_if = set_link,
	};

	ops.port_id = port;
	conf->mtu = 1500;
	return rte_kni_alloc(pool, conf, &ops);
}

static struct rte_kni *like_gatekeeper(struct rte_kni_conf *conf)
{
	struct rte_kni_ops ops = {
		.port_id = port,
		.change_mtu = refuse_mtu,
		.config_network_if = stop_and_start,
		.config_mac_address = refuse_mac,
	};

	mac_of_port(conf);
	limits_of_port(conf);
	return rte_kni_alloc(pool, conf, &ops);
}

/* By ioctl from a thread, while this one polls. */
static bool up_by_thread(struct rte_kni *kni, const char *name)
{
	return kernel_set_flag(name, IFF_UP, true) == 0;
}

static int done;

static void *poll_quarters(void *kni)
{
	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
		rte_kni_handle_request(kni);
		usleep(250000);
	}
	return NULL;
}

/* By ioctl, while a thread polls. */
static bool up_beside_thread(struct rte_kni *kni, const char *name)
{
	pthread_t thread;
	bool good;

	done = 0;
	pthread_create(&thread, NULL, poll_quarters, kni);
	knit_poll = poll_not;
	good = kernel_set_flag(name, IFF_UP, true) == 0;
	good &= WAIT(told.up, ) != 0;
	__atomic_store_n(&done, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	return good;
}

/* By a child, while this process polls every second. */
static bool up_by_child(struct rte_kni *kni, const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_UP };
	unsigned int attempts;
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(knit_net_ioctl(name, SIOCSIFFLAGS, &ifr) != 0);
	for (attempts = 0; attempts < 5; attempts++) {
		poll_every_second(kni);
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status == 0;
	}
	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	return false;
}

static const struct start {
	const char *name;
	struct rte_kni *(*alloc)(struct rte_kni_conf *conf);
	bool (*up)(struct rte_kni *kni, const char *name);
	void (*poll)(struct rte_kni *kni);
	unsigned int link_calls; /* that are callbacks */
	int mtu;		 /* that may be set, 0: none */
} starts[] = {
	{ "examples/kni", like_examples_kni, up_by_thread, poll_always, 1, 1400 },
	{ "F-Stack", like_f_stack, up_by_thread, poll_always, 1, 1400 },
	{ "dperf", like_dperf, up_by_thread, poll_always, 0, 1400 },
	{ "PcapPlusPlus", like_pcapplusplus, up_beside_thread, poll_always, 1, 1400 },
	{ "Gatekeeper", like_gatekeeper, up_by_child, poll_always, 1, 0 },
};

static bool result(const struct start *s, const char *what, bool good)
{
	char name[80];

	snprintf(name, sizeof(name), "start like %s: %s", s->name, what);
	return report(name, good);
}

static bool port_as_before(const struct rte_ether_addr *mac)
{
	struct rte_eth_link link = { 0 };
	struct rte_ether_addr now;
	uint16_t mtu = 0;

	rte_eth_macaddr_get(port, &now);
	rte_eth_dev_get_mtu(port, &mtu);
	return rte_eth_link_get_nowait(port, &link) == 0 && rte_is_same_ether_addr(&now, mac) &&
	       mtu == 1500 && link.link_status && rte_eth_promiscuous_get(port) == 1;
}

/* It came up, one MTU was changed, and that is all that was told. */
static void go_on(const struct start *s, struct rte_kni *kni, const char *name)
{
	struct rte_mbuf *m[8];
	unsigned int n = 0;
	uint16_t mtu;

	result(s, "has a carrier",
	       WAIT(rte_kni_update_link(kni, 1) >= 0 && kernel_flags(name) & IFF_RUNNING,
		    s->poll(kni)));
	result(s, "gets the kernel's frames",
	       WAIT((n += rte_kni_rx_burst(kni, m + n, 8 - n)) != 0, knit_net_send(name)));
	knit_drop_mbufs(m, n);
	memset(&told, 0, sizeof(told));
	mtu = s->mtu ? s->mtu : 1400;
	knit_poll = s->poll;
	kernel_set_mtu(name, mtu);
	if (s->link_calls)
		result(s, "an MTU is told", WAIT(told.mtu == 1, s->poll(kni)));
	result(s, s->mtu ? "it stays" : "it is refused",
	       WAIT(kernel_mtu(name) == (s->mtu ? mtu : 1500), s->poll(kni)));
	result(s, "nothing else was told", told.mac + told.up + told.down == 0);
}

static void try(const struct start *s)
{
	struct rte_kni_conf conf = { .group_id = port, .mbuf_size = 2048 };
	struct rte_ether_addr mac;
	struct rte_kni *kni;

	snprintf(conf.name, sizeof(conf.name), "veth%u", port);
	rte_eth_macaddr_get(port, &mac);
	memset(&told, 0, sizeof(told));
	knit_poll = s->poll;
	kni = s->alloc(&conf);
	if (!result(s, "alloc", kni != NULL))
		return;
	result(s, "set up", s->up(kni, conf.name));
	result(s, "that is told", WAIT(told.up == s->link_calls, s->poll(kni)));
	result(s, "and nothing else",
	       told.up == s->link_calls && told.down + told.mtu == 0 && told.mac == 0);
	result(s, "the port is as it was", port_as_before(&mac));
	go_on(s, kni, conf.name);
	result(s, "release", rte_kni_release(kni) == 0);
}

/*
 * Starting one of net_tap's takes the lock that whoever asks on the module holds, as with any
 * driver that has a kernel's interface below it: KNI wanted enable_bifurcated=on for those.
 */
static const char *port_name(void)
{
	return on_tap() ? "net_tap0" : "net_ring0";
}

void knit_test_starts(struct rte_mempool *mempool)
{
	void (*before)(struct rte_kni *) = knit_poll;
	unsigned int i;

	pool = mempool;
	if (rte_eth_dev_get_port_by_name(port_name(), &port) < 0 || port_start(port) < 0) {
		report("a port to start with", false);
		return;
	}
	rte_eth_promiscuous_enable(port);
	for (i = 0; i < RTE_DIM(starts); i++)
		try(&starts[i]);
	rte_eth_dev_stop(port);
	rte_eth_dev_close(port);
	knit_poll = before;
}
