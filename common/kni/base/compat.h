/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_COMPAT_H
#define KNIT_COMPAT_H

/* The one place that knows DPDK versions. Everything else is written for the newest names. */

#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_telemetry.h>
#include <rte_version.h>

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/syscall.h>

/* Headers of Debian 11 are older than its kernel. The number is the same everywhere. */
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

/*
 * A control thread: it runs on the CPUs of the process, except those of its lcores. name: 15
 * characters at most. 0 or a negative errno.
 */
#if RTE_VERSION >= RTE_VERSION_NUM(23, 11, 0, 0)
#include <rte_thread.h>

struct knit_thread {
	rte_thread_t id;
};

static inline int knit_thread_create(struct knit_thread *t, const char *name,
				     uint32_t (*fn)(void *), void *arg)
{
	return -rte_thread_create_control(&t->id, name, fn, arg);
}

static inline void knit_thread_join(struct knit_thread *t)
{
	rte_thread_join(t->id, NULL);
}
#else
struct knit_thread {
	pthread_t id;
};

static inline int knit_thread_create(struct knit_thread *t, const char *name,
				     uint32_t (*fn)(void *), void *arg)
{
	return rte_ctrl_thread_create(&t->id, name, NULL, (void *(*)(void *))(void (*)(void))fn,
				      arg);
}

static inline void knit_thread_join(struct knit_thread *t)
{
	pthread_join(t->id, NULL);
}
#endif

#if RTE_VERSION < RTE_VERSION_NUM(23, 3, 0, 0)
#define RTE_TEL_UINT_VAL RTE_TEL_U64_VAL
#define rte_tel_data_add_array_uint rte_tel_data_add_array_u64
#define rte_tel_data_add_dict_uint rte_tel_data_add_dict_u64
#endif

#if RTE_VERSION < RTE_VERSION_NUM(21, 11, 0, 0)
#define RTE_ETH_LINK_FULL_DUPLEX ETH_LINK_FULL_DUPLEX
#define RTE_ETH_LINK_UP ETH_LINK_UP
#define RTE_ETH_MQ_RX_RSS ETH_MQ_RX_RSS
#define RTE_ETH_RSS_IP ETH_RSS_IP
#define RTE_ETH_RSS_TCP ETH_RSS_TCP
#define RTE_ETH_RSS_UDP ETH_RSS_UDP
#define RTE_ETH_RX_OFFLOAD_CHECKSUM DEV_RX_OFFLOAD_CHECKSUM
#define RTE_ETH_RX_OFFLOAD_RSS_HASH DEV_RX_OFFLOAD_RSS_HASH
#define RTE_ETH_RX_OFFLOAD_SCATTER DEV_RX_OFFLOAD_SCATTER
#define RTE_ETH_RX_OFFLOAD_TCP_CKSUM DEV_RX_OFFLOAD_TCP_CKSUM
#define RTE_ETH_RX_OFFLOAD_TCP_LRO DEV_RX_OFFLOAD_TCP_LRO
#define RTE_ETH_RX_OFFLOAD_UDP_CKSUM DEV_RX_OFFLOAD_UDP_CKSUM
#define RTE_ETH_RX_OFFLOAD_VLAN_STRIP DEV_RX_OFFLOAD_VLAN_STRIP
#define RTE_ETH_TX_OFFLOAD_IPV4_CKSUM DEV_TX_OFFLOAD_IPV4_CKSUM
#define RTE_ETH_TX_OFFLOAD_MULTI_SEGS DEV_TX_OFFLOAD_MULTI_SEGS
#define RTE_ETH_TX_OFFLOAD_TCP_CKSUM DEV_TX_OFFLOAD_TCP_CKSUM
#define RTE_ETH_TX_OFFLOAD_TCP_TSO DEV_TX_OFFLOAD_TCP_TSO
#define RTE_ETH_TX_OFFLOAD_UDP_CKSUM DEV_TX_OFFLOAD_UDP_CKSUM
#define RTE_ETH_TX_OFFLOAD_UDP_TSO DEV_TX_OFFLOAD_UDP_TSO
#define RTE_ETH_TX_OFFLOAD_VLAN_INSERT DEV_TX_OFFLOAD_VLAN_INSERT
#define RTE_MBUF_F_RX_IP_CKSUM_GOOD PKT_RX_IP_CKSUM_GOOD
#define RTE_MBUF_F_RX_L4_CKSUM_BAD PKT_RX_L4_CKSUM_BAD
#define RTE_MBUF_F_RX_L4_CKSUM_GOOD PKT_RX_L4_CKSUM_GOOD
#define RTE_MBUF_F_RX_L4_CKSUM_MASK PKT_RX_L4_CKSUM_MASK
#define RTE_MBUF_F_RX_L4_CKSUM_NONE PKT_RX_L4_CKSUM_NONE
#define RTE_MBUF_F_RX_LRO PKT_RX_LRO
#define RTE_MBUF_F_RX_RSS_HASH PKT_RX_RSS_HASH
#define RTE_MBUF_F_RX_VLAN PKT_RX_VLAN
#define RTE_MBUF_F_RX_VLAN_STRIPPED PKT_RX_VLAN_STRIPPED
#define RTE_MBUF_F_TX_IPV4 PKT_TX_IPV4
#define RTE_MBUF_F_TX_IPV6 PKT_TX_IPV6
#define RTE_MBUF_F_TX_IP_CKSUM PKT_TX_IP_CKSUM
#define RTE_MBUF_F_TX_L4_MASK PKT_TX_L4_MASK
#define RTE_MBUF_F_TX_MACSEC PKT_TX_MACSEC
#define RTE_MBUF_F_TX_OUTER_IP_CKSUM PKT_TX_OUTER_IP_CKSUM
#define RTE_MBUF_F_TX_OUTER_UDP_CKSUM PKT_TX_OUTER_UDP_CKSUM
#define RTE_MBUF_F_TX_QINQ PKT_TX_QINQ
#define RTE_MBUF_F_TX_SCTP_CKSUM PKT_TX_SCTP_CKSUM
#define RTE_MBUF_F_TX_SEC_OFFLOAD PKT_TX_SEC_OFFLOAD
#define RTE_MBUF_F_TX_TCP_CKSUM PKT_TX_TCP_CKSUM
#define RTE_MBUF_F_TX_TCP_SEG PKT_TX_TCP_SEG
#define RTE_MBUF_F_TX_TUNNEL_MASK PKT_TX_TUNNEL_MASK
#define RTE_MBUF_F_TX_UDP_CKSUM PKT_TX_UDP_CKSUM
#define RTE_MBUF_F_TX_UDP_SEG PKT_TX_UDP_SEG
#define RTE_MBUF_F_TX_VLAN PKT_TX_VLAN
#define RTE_VLAN_HLEN 4
#endif

/*
 * What bursts of a port call: rx_pkt_burst, tx_pkt_burst, tx_pkt_prepare are its members. Before
 * 21.11 they are in the device itself.
 */
#if RTE_VERSION >= RTE_VERSION_NUM(21, 11, 0, 0)
#define knit_eth_calls(port) (&rte_eth_fp_ops[port])
#else
#define knit_eth_calls(port) (&rte_eth_devices[port])
#endif

/* The driver's transmit queues, or NULL. */
static inline void **knit_eth_tx_queues(uint16_t port)
{
#if RTE_VERSION >= RTE_VERSION_NUM(21, 11, 0, 0)
	return rte_eth_fp_ops[port].txq.data;
#else
	return rte_eth_devices[port].data ? rte_eth_devices[port].data->tx_queues : NULL;
#endif
}

/*
 * Where bursts of the port find its queues, in memory that all processes share. Before 21.11 all
 * look at the same place, so there is nothing to be set.
 */
static inline void knit_eth_queues(uint16_t port, void **rx, void **tx)
{
#if RTE_VERSION >= RTE_VERSION_NUM(21, 11, 0, 0)
	*rx = (void *)rte_eth_fp_ops[port].rxq.data;
	*tx = (void *)rte_eth_fp_ops[port].txq.data;
#else
	*rx = *tx = NULL;
#endif
}

static inline void knit_eth_set_queues(uint16_t port, void *rx, void *tx)
{
#if RTE_VERSION >= RTE_VERSION_NUM(21, 11, 0, 0)
	rte_eth_fp_ops[port].rxq.data = rx;
	rte_eth_fp_ops[port].txq.data = tx;
#endif
}

/* For tests: a port whose bursts get these queues, one each way. */
static inline void knit_eth_fake_queues(uint16_t port, void **queues, void **callbacks)
{
#if RTE_VERSION >= RTE_VERSION_NUM(21, 11, 0, 0)
	struct rte_eth_fp_ops *ops = &rte_eth_fp_ops[port];

	ops->rxq.data = ops->txq.data = queues;
	ops->rxq.clbk = ops->txq.clbk = (void *)callbacks;
#else
	static struct rte_eth_dev_data data;

	data.rx_queues = data.tx_queues = queues;
	rte_eth_devices[port].data = &data;
#endif
}

/*
 * rte_eth_dev_configure with an MTU. Before 21.11 a configuration has the longest frame, from which
 * ethdev takes the MTU of drivers with jumbo frames only.
 */
static inline int knit_eth_configure(uint16_t port, uint16_t n_rx, uint16_t n_tx,
				     struct rte_eth_conf *conf, uint16_t mtu)
{
#if RTE_VERSION >= RTE_VERSION_NUM(21, 11, 0, 0)
	conf->rxmode.mtu = mtu;
	return rte_eth_dev_configure(port, n_rx, n_tx, conf);
#else
	struct rte_eth_dev_info info;
	uint32_t overhead = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;
	int ret;

	ret = rte_eth_dev_info_get(port, &info);
	if (ret < 0)
		return ret;
	if (info.max_mtu != UINT16_MAX && info.max_rx_pktlen > info.max_mtu)
		overhead = info.max_rx_pktlen - info.max_mtu;
	conf->rxmode.max_rx_pkt_len = mtu + overhead;
	if (mtu > RTE_ETHER_MTU)
		conf->rxmode.offloads |= DEV_RX_OFFLOAD_JUMBO_FRAME & info.rx_offload_capa;
	ret = rte_eth_dev_configure(port, n_rx, n_tx, conf);
	if (ret == 0)
		ret = rte_eth_dev_set_mtu(port, mtu);
	return ret == -ENOTSUP ? 0 : ret;
#endif
}

/*
 * Before 21.11 a secondary takes the primary's telemetry socket away, and can't attach a port of
 * net_ring; net_virtio does not know RSS.
 */
#if RTE_VERSION >= RTE_VERSION_NUM(21, 11, 0, 0)
#define KNIT_SECONDARY_TELEMETRY true
#define KNIT_SECONDARY_NET_RING true
#define KNIT_VIRTIO_RSS true
#else
#define KNIT_SECONDARY_TELEMETRY false
#define KNIT_SECONDARY_NET_RING false
#define KNIT_VIRTIO_RSS false
#endif

/*
 * rte_eth_tx_prepare for any driver. 25.11 calls what the driver has without a look, and in a
 * secondary nothing stands in for drivers that have none.
 */
static inline uint16_t knit_tx_prepare(uint16_t port, uint16_t queue, struct rte_mbuf **m,
				       uint16_t n)
{
#if RTE_VERSION >= RTE_VERSION_NUM(25, 3, 0, 0)
	if (knit_eth_calls(port)->tx_pkt_prepare == NULL)
		return n;
#endif
	return rte_eth_tx_prepare(port, queue, m, n);
}

#endif
