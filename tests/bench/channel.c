// SPDX-License-Identifier: BSD-3-Clause
#include "channel.h"

#include "kni/base/compat.h"

#include <rte_kni.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PORT_DESC 1024
#define RX_OFFLOADS                                                  \
	(RTE_ETH_RX_OFFLOAD_TCP_LRO | RTE_ETH_RX_OFFLOAD_TCP_CKSUM | \
	 RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_SCATTER)
#define TX_OFFLOADS                                                   \
	(RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_TCP_TSO | \
	 RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM)

static uint16_t port_rx(struct channel *ch, struct rte_mbuf **mbufs, uint16_t n)
{
	return rte_eth_rx_burst(ch->port, 0, mbufs, n);
}

static uint16_t port_tx(struct channel *ch, struct rte_mbuf **mbufs, uint16_t n)
{
	return rte_eth_tx_burst(ch->port, 0, mbufs, n);
}

static uint16_t kni_rx(struct channel *ch, struct rte_mbuf **mbufs, uint16_t n)
{
	return rte_kni_rx_burst(ch->kni, mbufs, n);
}

static uint16_t kni_tx(struct channel *ch, struct rte_mbuf **mbufs, uint16_t n)
{
	return rte_kni_tx_burst(ch->kni, mbufs, n);
}

/* All that the port has of them, as virtio-user's documentation recommends. */
static int take_offloads(uint16_t port, struct rte_eth_conf *conf)
{
	struct rte_eth_dev_info info;
	int ret;

	ret = rte_eth_dev_info_get(port, &info);
	if (ret < 0)
		return ret;
	conf->rxmode.offloads = info.rx_offload_capa & RX_OFFLOADS;
	conf->txmode.offloads = info.tx_offload_capa & TX_OFFLOADS;
	return 0;
}

static int port_start(uint16_t port, struct rte_mempool *pool, bool offloads)
{
	struct rte_eth_conf conf = { 0 };
	uint16_t rx_desc = PORT_DESC;
	uint16_t tx_desc = PORT_DESC;
	int ret;

	ret = offloads ? take_offloads(port, &conf) : 0;
	if (ret == 0)
		ret = rte_eth_dev_configure(port, 1, 1, &conf);
	if (ret == 0)
		ret = rte_eth_dev_adjust_nb_rx_tx_desc(port, &rx_desc, &tx_desc);
	if (ret == 0)
		ret = rte_eth_rx_queue_setup(port, 0, rx_desc, SOCKET_ID_ANY, NULL, pool);
	if (ret == 0)
		ret = rte_eth_tx_queue_setup(port, 0, tx_desc, SOCKET_ID_ANY, NULL);
	if (ret == 0)
		ret = rte_eth_dev_start(port);
	return ret;
}

static int port_open(struct channel *ch, const char *name, const struct channel_conf *conf,
		     bool offloads)
{
	int ret;

	ret = rte_eth_dev_get_port_by_name(name, &ch->port);
	if (ret == 0)
		ret = port_start(ch->port, conf->pool, offloads);
	if (ret < 0) {
		fprintf(stderr, "bench-channel: port %s: %s\n", name, strerror(-ret));
		return ret;
	}
	/* for the others' MAC addresses; drivers that lack it take all frames anyway */
	rte_eth_promiscuous_enable(ch->port);
	ch->offloads = offloads;
	ch->rx = port_rx;
	ch->tx = port_tx;
	return 0;
}

/* name is NAME or NAME@NETNS. */
static int kni_open(struct channel *ch, const char *name, const struct channel_conf *conf)
{
	struct rte_kni_ext_conf ext = { .size = sizeof(ext), .engine = conf->engine };
	struct rte_kni_ops ops = { .port_id = UINT16_MAX };
	const char *netns = strchr(name, '@');
	struct rte_kni_conf kni = { 0 };
	int len = netns ? (int)(netns - name) : (int)strlen(name);

	if (len == 0 || len >= RTE_KNI_NAMESIZE) {
		fprintf(stderr, "bench-channel: knit=%s: bad name\n", name);
		return -EINVAL;
	}
	memcpy(kni.name, name, len);
	kni.mbuf_size = rte_pktmbuf_data_room_size(conf->pool) - RTE_PKTMBUF_HEADROOM;
	kni.force_bind = conf->engine_cpu >= 0;
	kni.core_id = conf->engine_cpu >= 0 ? conf->engine_cpu : 0;
	ext.netns = netns ? netns + 1 : NULL;
	ext.offloads = RTE_KNI_OFFLOAD_SG | RTE_KNI_OFFLOAD_CSUM | RTE_KNI_OFFLOAD_TSO |
		       RTE_KNI_OFFLOAD_USO | (conf->big_tcp ? RTE_KNI_OFFLOAD_BIG_TCP : 0);
	ext.async = 1;
	ch->kni = rte_kni_alloc_ext(conf->pool, &kni, &ops, &ext);
	if (!ch->kni) {
		fprintf(stderr, "bench-channel: knit=%s: cannot be created\n", name);
		return -ENODEV;
	}
	ch->rx = kni_rx;
	ch->tx = kni_tx;
	return 0;
}

int channel_open(struct channel *ch, const char *spec, const struct channel_conf *conf)
{
	memset(ch, 0, sizeof(*ch));
	if (strncmp(spec, "port=", 5) == 0)
		return port_open(ch, spec + 5, conf, false);
	if (strncmp(spec, "offload=", 8) == 0)
		return port_open(ch, spec + 8, conf, true);
	if (strncmp(spec, "knit=", 5) == 0)
		return kni_open(ch, spec + 5, conf);
	fprintf(stderr,
		"bench-channel: channel %s: port=NAME, offload=NAME or knit=NAME[@NETNS] is "
		"expected\n",
		spec);
	return -EINVAL;
}

void channel_close(struct channel *ch)
{
	if (ch->kni) {
		rte_kni_release(ch->kni);
		return;
	}
	rte_eth_dev_stop(ch->port);
	rte_eth_dev_close(ch->port);
}

void channel_service(struct channel *ch)
{
	if (!ch->kni)
		return;
	rte_kni_handle_request(ch->kni);
	if (!ch->link_set)
		ch->link_set = rte_kni_update_link(ch->kni, 1) >= 0;
}
