// SPDX-License-Identifier: BSD-3-Clause
#include "kni/base/compat.h"
#include "port/port_renew.h"
#include "port/port_setup.h"
#include "primary.h"
#include "unit.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <errno.h>
#include <string.h>

/*
 * How a device is initialised anew. Functions here stand in for ethdev and net_virtio: they note
 * what they get, and free what the dead worker's queue held as soon as it is configured. Worker
 * 0 lives, worker 1 is dead, worker 2 has no queue on the port. Each test is a process of its own.
 */
#define SUMS (RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM)
#define HELD 3

static struct knit_topo topo;
static struct knit_plan plan;
static struct knit_conf_port conf = { .name = "left" };
static struct primary primary;
static struct port *const port = &primary.ports[0];
static struct rte_eth_dev_info capabilities;
static const struct rte_ether_addr current = { { 2, 1, 2, 3, 4, 5 } };

static struct rte_mbuf *held[HELD];
static bool keeps;     /* the driver keeps the mbufs */
static int refusal;    /* of a configuration with RSS */
static int broken_mac; /* what setting the address returns */
static struct port_setup configured[4];
static unsigned int n_configured;
static struct rte_ether_addr mac;
static bool set_up; /* the queues */

int rte_eth_dev_info_get(uint16_t id, struct rte_eth_dev_info *info)
{
	*info = capabilities;
	return 0;
}

int port_configure(struct port *of, const struct port_setup *o)
{
	ck_assert_ptr_eq(of, port);
	ck_assert_uint_lt(n_configured, RTE_DIM(configured));
	configured[n_configured++] = *o;
	if (!keeps && held[0] && n_configured == 1) {
		rte_pktmbuf_free_bulk(held, HELD);
		held[0] = NULL;
	}
	return o->rss ? refusal : 0;
}

int rte_eth_dev_default_mac_addr_set(uint16_t id, struct rte_ether_addr *addr)
{
	mac = *addr;
	return broken_mac;
}

int port_setup_queues(struct primary *p, unsigned int i)
{
	ck_assert_uint_eq(n_configured, 2);
	set_up = true;
	return 0;
}

/* The dead worker's pool was emptied; its queue holds HELD of the mbufs. */
static void dead_worker(struct knit_topo_worker *w)
{
	struct rte_mbuf *other[16 - HELD];

	w->state = KNIT_PROCESS_DEAD;
	ck_assert_int_eq(rte_pktmbuf_alloc_bulk(w->pool, held, HELD), 0);
	while (rte_mempool_avail_count(w->pool))
		ck_assert_int_eq(rte_pktmbuf_alloc_bulk(w->pool, other, 1), 0);
}

static void setup(void)
{
	static const char *const names[] = { "pool0", "pool1" };
	unsigned int w;

	primary.topo = &topo;
	primary.plan = &plan;
	port->conf = &conf;
	port->topo = &topo.ports[0];
	topo.n_ports = 1;
	topo.n_workers = 3;
	topo.ports[0] = (struct knit_topo_port){ .driver = "net_virtio", .mtu = 4000 };
	memcpy(topo.ports[0].mac, current.addr_bytes, sizeof(current.addr_bytes));
	capabilities =
		(struct rte_eth_dev_info){ .driver_name = "net_virtio",
					   .max_mtu = 9000,
					   .rx_offload_capa = SUMS,
					   .tx_offload_capa = RTE_ETH_TX_OFFLOAD_MULTI_SEGS };
	port->setup = (struct port_setup){ .rx_offloads = SUMS, .mtu = 4000 };
	for (w = 0; w < 2; w++) {
		topo.workers[w].state = KNIT_PROCESS_ATTACHED;
		plan.workers[w].rxq[0] = plan.workers[w].txq[0] = w;
		topo.workers[w].pool = rte_pktmbuf_pool_create(names[w], 15, 0, 0, 256, 0);
		ck_assert_ptr_nonnull(topo.workers[w].pool);
	}
	plan.workers[2].rxq[0] = plan.workers[2].txq[0] = -1;
	dead_worker(&topo.workers[1]);
}

static void teardown(void)
{
}

START_TEST(renewed)
{
	ck_assert_int_eq(port_renew(&primary, 0), 0);
	ck_assert_uint_eq(n_configured, 2);
	ck_assert_uint_eq(configured[0].rx_offloads & SUMS, 0);
	ck_assert_uint_eq(configured[1].rx_offloads & SUMS, SUMS);
	ck_assert_uint_eq(configured[1].mtu, 4000); /* the kernel has set it */
	ck_assert(rte_is_same_ether_addr(&mac, &current));
	ck_assert(set_up);
	ck_assert_uint_eq(rte_mempool_avail_count(topo.workers[1].pool), HELD);
}
END_TEST

/* The device has no offload: the driver refuses RSS, but has initialised the device then. */
START_TEST(renewed_by_a_refusal)
{
	port->setup.rx_offloads = capabilities.rx_offload_capa = 0;
	refusal = -ENOTSUP;
	ck_assert_int_eq(port_renew(&primary, 0), KNIT_VIRTIO_RSS ? 0 : -EIO);
	if (!KNIT_VIRTIO_RSS)
		return;
	ck_assert(configured[0].rss && !configured[1].rss);
	ck_assert(set_up);
}
END_TEST

/* Any other refusal, or one of what the device has, is an error. */
START_TEST(refused)
{
	port->setup.rx_offloads = capabilities.rx_offload_capa = 0;
	refusal = -EINVAL;
	ck_assert_int_lt(port_renew(&primary, 0), 0);
	refusal = -ENOTSUP;
	capabilities.flow_type_rss_offloads = RTE_ETH_RSS_IP;
	n_configured = 0;
	ck_assert_int_lt(port_renew(&primary, 0), 0);
	ck_assert(!set_up);
}
END_TEST

/* Another release may initialise the device no longer. Then the old mbufs are still in use. */
START_TEST(nothing_freed)
{
	keeps = true;
	ck_assert_int_eq(port_renew(&primary, 0), -EIO);
	ck_assert(!set_up);
}
END_TEST

/* uio_pci_generic stopped the device, and nobody is dead. */
START_TEST(nobody_dead)
{
	keeps = true;
	topo.workers[1].state = KNIT_PROCESS_ATTACHED;
	ck_assert_int_eq(port_renew(&primary, 0), 0);
	ck_assert(set_up);
}
END_TEST

START_TEST(address)
{
	broken_mac = -ENOTSUP; /* it has none that can be set */
	ck_assert_int_eq(port_renew(&primary, 0), 0);
	n_configured = 0;
	broken_mac = -EIO;
	ck_assert_int_eq(port_renew(&primary, 0), -EIO);
}
END_TEST

KNIT_SUITE_EAL(port_renew, knit_eal_small_pages)
{
	knit_add_fixture_test(s, "renewed", renewed, 0, setup, teardown);
	knit_add_fixture_test(s, "renewed by a refusal", renewed_by_a_refusal, 0, setup, teardown);
	knit_add_fixture_test(s, "refused", refused, 0, setup, teardown);
	knit_add_fixture_test(s, "nothing freed", nothing_freed, 0, setup, teardown);
	knit_add_fixture_test(s, "nobody dead", nobody_dead, 0, setup, teardown);
	knit_add_fixture_test(s, "address", address, 0, setup, teardown);
}
