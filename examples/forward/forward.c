// SPDX-License-Identifier: BSD-3-Clause
/*
 * The smallest useful application of rte_kni.h: the first port of EAL, and one interface of the
 * kernel, "kni0". What the port receives goes to the kernel, what the kernel sends goes to the
 * port. `ip link set kni0 up` and `ip link set kni0 mtu 2000` act on the port.
 */
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_kni.h>
#include <rte_mbuf.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define PORT 0
#define BURST 32
#define DESCRIPTORS 512
#define MBUFS 8191

static struct rte_mempool *pool;
static volatile sig_atomic_t stopped;
static bool carrier_due; /* the interface was set up, and has no carrier yet */

static void stop(int signal)
{
	stopped = 1;
}

static int start_port(void)
{
	struct rte_eth_conf conf = { 0 };
	int ret = rte_eth_dev_configure(PORT, 1, 1, &conf);

	if (ret == 0)
		ret = rte_eth_rx_queue_setup(PORT, 0, DESCRIPTORS, SOCKET_ID_ANY, NULL, pool);
	if (ret == 0)
		ret = rte_eth_tx_queue_setup(PORT, 0, DESCRIPTORS, SOCKET_ID_ANY, NULL);
	return ret == 0 ? rte_eth_dev_start(PORT) : ret;
}

/* The kernel waits for the answer: 0, or the errno that `ip link` prints. */
static int change_mtu(uint16_t port, unsigned int mtu)
{
	int ret = rte_eth_dev_set_mtu(port, mtu);

	printf("MTU %u: %s\n", mtu, rte_strerror(-ret));
	return ret;
}

/* Drivers that can't switch the link off go on as they are. */
static int change_link(uint16_t port, uint8_t up)
{
	int ret = up ? rte_eth_dev_set_link_up(port) : rte_eth_dev_set_link_down(port);

	if (ret == -ENOTSUP)
		ret = 0;
	printf("%s: %s\n", up ? "up" : "down", rte_strerror(-ret));
	carrier_due = up && ret == 0;
	return ret;
}

static struct rte_kni *make_interface(void)
{
	struct rte_kni_ops ops = { .port_id = PORT,
				   .change_mtu = change_mtu,
				   .config_network_if = change_link };
	struct rte_kni_conf conf = { .name = "kni0", .mbuf_size = RTE_MBUF_DEFAULT_DATAROOM };

	rte_eth_dev_get_mtu(PORT, &conf.mtu);
	conf.max_mtu = RTE_MBUF_DEFAULT_DATAROOM - RTE_ETHER_HDR_LEN - RTE_ETHER_CRC_LEN;
	rte_eth_macaddr_get(PORT, (struct rte_ether_addr *)conf.mac_addr);
	return rte_kni_alloc(pool, &conf, &ops);
}

static void drop(struct rte_mbuf **m, unsigned int n)
{
	while (n--)
		rte_pktmbuf_free(*m++);
}

static void forward(struct rte_kni *kni)
{
	struct rte_mbuf *m[BURST];
	unsigned int n, sent;

	n = rte_eth_rx_burst(PORT, 0, m, BURST);
	sent = rte_kni_tx_burst(kni, m, n);
	drop(m + sent, n - sent);

	n = rte_kni_rx_burst(kni, m, BURST);
	sent = rte_eth_tx_burst(PORT, 0, m, n);
	drop(m + sent, n - sent);

	rte_kni_handle_request(kni);
	/* fails until the kernel has the answer to "up" */
	if (carrier_due && rte_kni_update_link(kni, 1) >= 0)
		carrier_due = false;
}

static void run(struct rte_kni *kni)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	printf("kni0 is ready\n");
	while (!stopped)
		forward(kni);
}

static int failed(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, rte_strerror(error));
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct rte_kni *kni;
	int ret;

	if (rte_eal_init(argc, argv) < 0)
		return failed("EAL", rte_errno);
	if (!rte_eth_dev_is_valid_port(PORT))
		return failed("give a port, like --vdev net_tap0", ENODEV);
	pool = rte_pktmbuf_pool_create("pool", MBUFS, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
				       SOCKET_ID_ANY);
	if (!pool)
		return failed("no pool", rte_errno);
	ret = start_port();
	if (ret < 0)
		return failed("the port does not start", -ret);
	if (rte_kni_init(1) < 0)
		return failed("no librte_kni", rte_errno);
	kni = make_interface();
	if (!kni)
		return failed("no interface", rte_errno);
	run(kni);
	rte_kni_release(kni);
	rte_kni_close();
	rte_eth_dev_stop(PORT);
	return rte_eal_cleanup() < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
