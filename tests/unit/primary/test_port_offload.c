// SPDX-License-Identifier: BSD-3-Clause
#include "kni/base/compat.h"
#include "port/port_offload.h"
#include "unit.h"

#include <string.h>

/* Three ports: 0 and 1 are cross-connected, 2 stands alone. The driver has everything. */
#define CSUMS                                                           \
	(RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM | \
	 RTE_ETH_TX_OFFLOAD_UDP_CKSUM)

static struct knit_config conf;
static struct rte_eth_dev_info info;
static struct port_offloads got;

static void setup(void)
{
	struct knit_conf_worker *w = &conf.workers[0];
	unsigned int i;

	memset(&conf, 0, sizeof(conf));
	info = (struct rte_eth_dev_info){ .driver_name = "net_virtio",
					  .max_mtu = 9700,
					  .rx_offload_capa = UINT64_MAX,
					  .tx_offload_capa = UINT64_MAX };
	conf.mempool.data_room = 2048;
	conf.n_ports = 3;
	for (i = 0; i < 3; i++)
		conf.ports[i] = (struct knit_conf_port){ .mtu = 1500,
							 .rx_checksum = true,
							 .tx_checksum = true,
							 .tso = true,
							 .vlan = true };
	conf.n_workers = 1;
	w->n_rules = 2;
	w->rules[0] = (struct knit_conf_rule){ .mode = KNIT_FORWARD_PUNT, .a = 2, .b = -1 };
	w->rules[1] = (struct knit_conf_rule){ .mode = KNIT_FORWARD_XCONNECT, .a = 0, .b = 1 };
}

static void teardown(void)
{
}

static void iface(int port)
{
	conf.ifaces[conf.n_ifaces++].port = port;
}

static bool fast(unsigned int port)
{
	port_offload_choose(&conf, port, &info, false, &got);
	return got.fast;
}

static bool strips(unsigned int port)
{
	fast(port);
	return got.rx & RTE_ETH_RX_OFFLOAD_VLAN_STRIP;
}

#define OTHER_RX (RTE_ETH_RX_OFFLOAD_SCATTER | RTE_ETH_RX_OFFLOAD_VLAN_STRIP)
#define OTHER_TX (RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_VLAN_INSERT)

/* As DPDK's net_virtio turns offloads into features: any checksum is one, TSO are two. */
static unsigned int features(uint64_t rx, uint64_t tx)
{
	unsigned int f = 0;

	if (rx & (RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM))
		f |= 1;
	if (tx & (RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM))
		f |= 2;
	if (tx & RTE_ETH_TX_OFFLOAD_TCP_TSO)
		f |= 4;
	return f;
}

START_TEST(auto_without_interfaces)
{
	ck_assert(fast(2));
	ck_assert(fast(0) && fast(1));
	ck_assert_uint_eq(got.tx, 0);
	ck_assert_uint_eq(got.rx, RTE_ETH_RX_OFFLOAD_SCATTER | RTE_ETH_RX_OFFLOAD_CHECKSUM);
}
END_TEST

/* One of a pair has an interface: the other one gets frames from which a tag was taken. */
START_TEST(auto_with_an_interface)
{
	iface(-1);
	iface(1);
	ck_assert(!fast(0) && fast(2));
	ck_assert(!fast(1));
	ck_assert_uint_eq(got.tx, RTE_ETH_TX_OFFLOAD_MULTI_SEGS | CSUMS |
					  RTE_ETH_TX_OFFLOAD_VLAN_INSERT |
					  RTE_ETH_TX_OFFLOAD_TCP_TSO);
	ck_assert(strips(0) && strips(1));
	conf.ports[1].vlan = conf.ports[1].tso = conf.ports[1].tx_checksum = false;
	ck_assert(!fast(1));
	ck_assert_uint_eq(got.tx, RTE_ETH_TX_OFFLOAD_MULTI_SEGS);
	conf.n_ifaces = 0;
	iface(0);
	ck_assert(!fast(0) && !fast(1));
	/* two interfaces that are joined have the numbers 0 and 1, too */
	conf.n_ifaces = 0;
	iface(2);
	conf.workers[0].rules[1].ifaces = true;
	ck_assert(fast(0) && fast(1) && !fast(2));
	ck_assert(strips(2));
}
END_TEST

/* A pair is fast or full together, unless it is told otherwise. */
START_TEST(auto_beside_another)
{
	conf.ports[1].tx = KNIT_TX_FULL;
	ck_assert(!fast(0) && !fast(1) && strips(0) && strips(1));
	conf.ports[1].tx = KNIT_TX_AUTO;
	conf.ports[1].mtu = 9000;
	ck_assert(!fast(0) && !fast(1));
	conf.ports[0].tx = KNIT_TX_FAST;
	ck_assert(fast(0) && !fast(1));
	ck_assert(strips(0) && !strips(1));
}
END_TEST

START_TEST(auto_with_long_frames)
{
	conf.ports[0].mtu = 2048 - 14 - 8;
	ck_assert(fast(0));
	conf.ports[0].mtu++;
	ck_assert(!fast(0));
	conf.mempool.data_room = 4096;
	ck_assert(fast(0));
}
END_TEST

START_TEST(as_told)
{
	conf.ports[0].tx = KNIT_TX_FULL;
	ck_assert(!fast(0));
	conf.ports[0].tx = KNIT_TX_FAST;
	iface(0);
	ck_assert(fast(0));
	ck_assert_uint_eq(got.tx, 0);
}
END_TEST

START_TEST(largest_mtu)
{
	ck_assert_uint_eq(port_offload_max_mtu(&conf, 0, &info), 2026);
	conf.ports[0].tx = KNIT_TX_FULL;
	ck_assert_uint_eq(port_offload_max_mtu(&conf, 0, &info), 9700);
	conf.ports[0].tx = KNIT_TX_FAST;
	ck_assert_uint_eq(port_offload_max_mtu(&conf, 0, &info), 2026);
	conf.mempool.data_room = 16384;
	ck_assert_uint_eq(port_offload_max_mtu(&conf, 0, &info), 9700);
}
END_TEST

/* Whatever a port uses: other features, each of which the device has. */
START_TEST(varied)
{
	static const uint64_t rx[] = { 0, RTE_ETH_RX_OFFLOAD_TCP_CKSUM, RTE_ETH_RX_OFFLOAD_SCATTER,
				       RTE_ETH_RX_OFFLOAD_CHECKSUM |
					       RTE_ETH_RX_OFFLOAD_VLAN_STRIP };
	static const uint64_t tx[] = { 0, RTE_ETH_TX_OFFLOAD_MULTI_SEGS, CSUMS,
				       RTE_ETH_TX_OFFLOAD_TCP_TSO,
				       CSUMS | RTE_ETH_TX_OFFLOAD_VLAN_INSERT };
	struct port_offloads was = { 0 }, o;
	unsigned int i;

	for (i = 0; i < RTE_DIM(rx) * RTE_DIM(tx); i++) {
		was.rx = rx[i % RTE_DIM(rx)];
		was.tx = tx[i / RTE_DIM(rx)];
		o = was;
		ck_assert(port_offload_vary(&info, &o));
		ck_assert(features(o.rx, o.tx) != features(was.rx, was.tx));
		/* and what else selects a function stays */
		ck_assert_uint_eq(o.rx & OTHER_RX, was.rx & OTHER_RX);
		ck_assert_uint_eq(o.tx & OTHER_TX, was.tx & OTHER_TX);
		ck_assert(o.rss == was.rss);
	}
}
END_TEST

START_TEST(varied_with_what_there_is)
{
	struct port_offloads o = { .rx = RTE_ETH_RX_OFFLOAD_SCATTER };

	info.tx_offload_capa = RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_TCP_TSO;
	info.rx_offload_capa = OTHER_RX | RTE_ETH_RX_OFFLOAD_TCP_CKSUM;
	ck_assert(port_offload_vary(&info, &o));
	ck_assert_uint_eq(o.tx, RTE_ETH_TX_OFFLOAD_TCP_TSO);
	ck_assert_uint_eq(o.rx, RTE_ETH_RX_OFFLOAD_SCATTER);
	o.tx = 0;
	info.tx_offload_capa = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	ck_assert(port_offload_vary(&info, &o));
	ck_assert_uint_eq(o.tx, 0);
	ck_assert_uint_eq(o.rx, RTE_ETH_RX_OFFLOAD_SCATTER | RTE_ETH_RX_OFFLOAD_TCP_CKSUM);
	o.rx = 0;
	info.rx_offload_capa = OTHER_RX;
	ck_assert(port_offload_vary(&info, &o) == KNIT_VIRTIO_RSS);
	ck_assert_uint_eq(o.rx | o.tx, 0);
	ck_assert(o.rss);
	o.rx = RTE_ETH_RX_OFFLOAD_SCATTER | RTE_ETH_RX_OFFLOAD_RSS_HASH;
	ck_assert(port_offload_vary(&info, &o) == KNIT_VIRTIO_RSS);
	ck_assert_uint_eq(o.rx, RTE_ETH_RX_OFFLOAD_SCATTER); /* the hash goes with RSS */
	ck_assert(!o.rss);
}
END_TEST

KNIT_SUITE(port_offload)
{
	knit_add_fixture_test(s, "auto without interfaces", auto_without_interfaces, 0, setup,
			      teardown);
	knit_add_fixture_test(s, "auto with an interface", auto_with_an_interface, 0, setup,
			      teardown);
	knit_add_fixture_test(s, "auto beside another", auto_beside_another, 0, setup, teardown);
	knit_add_fixture_test(s, "auto with long frames", auto_with_long_frames, 0, setup,
			      teardown);
	knit_add_fixture_test(s, "as told", as_told, 0, setup, teardown);
	knit_add_fixture_test(s, "largest mtu", largest_mtu, 0, setup, teardown);
	knit_add_fixture_test(s, "varied", varied, 0, setup, teardown);
	knit_add_fixture_test(s, "varied with what there is", varied_with_what_there_is, 0, setup,
			      teardown);
}
