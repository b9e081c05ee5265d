// SPDX-License-Identifier: BSD-3-Clause
#include "shared/offload_frames.h"

#include "kni/base/compat.h"
#include "worker/datapath/datapath.h"

#include <string.h>

/* A worker's way from and to a port whose driver is these functions. */
#define N 16
#define MTU 1500
#define FAKE (RTE_MAX_ETHPORTS - 1)

static struct knit_worker worker;
static struct knit_worker_stats stats;
static struct knit_worker_port_stats port_stats;
static struct knit_topo_port port;
static struct rte_mbuf *frames[N];
static void *queues[1], *callbacks[1];
static unsigned int prepared, sent;

static uint16_t fake_rx(void *queue, struct rte_mbuf **m, uint16_t n)
{
	memcpy(m, frames, sizeof(frames));
	return N;
}

static uint16_t fake_tx(void *queue, struct rte_mbuf **m, uint16_t n)
{
	rte_pktmbuf_free_bulk(m, n);
	sent += n;
	return n;
}

static uint16_t fake_prepare(void *queue, struct rte_mbuf **m, uint16_t n)
{
	prepared += n;
	return n;
}

static void set_up(void)
{
	knit_eth_calls(FAKE)->rx_pkt_burst = fake_rx;
	knit_eth_calls(FAKE)->tx_pkt_burst = fake_tx;
	knit_eth_calls(FAKE)->tx_pkt_prepare = fake_prepare;
	knit_eth_fake_queues(FAKE, queues, callbacks);
	worker.stats = &stats;
	worker.burst = N;
	port = (struct knit_topo_port){ .mtu = MTU,
					.admin_up = 1,
					.tx_capa = RTE_ETH_TX_OFFLOAD_MULTI_SEGS };
	prepared = sent = 0;
}

/* Bytes of payload beyond IP's 20: MTU - 20 fill the MTU. */
static struct rte_mbuf *frame_of(unsigned int tags, uint32_t payload)
{
	static const uint8_t tag[4] = { 0x81, 0, 0, 5 };
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	uint8_t *p = (uint8_t *)rte_pktmbuf_append(m, 14 + 4 * tags + 20 + payload);
	unsigned int i;

	memset(p, 0, m->pkt_len);
	for (i = 0; i < tags; i++)
		memcpy(p + 12 + 4 * i, tag, 4);
	p[12 + 4 * tags] = 0x08;
	return m;
}

static uint32_t transmit(void)
{
	struct knit_output out = { .end = KNIT_END_PORT,
				   .port_id = FAKE,
				   .port = &port,
				   .stats = &port_stats,
				   .offload.pool = pool };
	struct knit_burst b = { .m = frames, .n = N };

	knit_burst_sum(&b);
	return knit_port_tx(&worker, &out, &b);
}

/* _i: tags in the data, which an MTU does not count. The driver gets them as they are. */
START_TEST(full_frames_go_at_once)
{
	unsigned int i;

	set_up();
	for (i = 0; i < N; i++)
		frames[i] = frame_of(_i, i == 3 ? 100 : MTU - 20);
	ck_assert_uint_eq(transmit(), N);
	ck_assert_uint_eq(sent, N);
	ck_assert_uint_eq(prepared, 0);
	pool_is_full();
}
END_TEST

START_TEST(too_long_frames_go_alone)
{
	uint64_t dropped = stats.drops[KNIT_WORKER_DROP_PORT_TOO_LONG];
	unsigned int i;

	set_up();
	for (i = 0; i < N; i++)
		frames[i] = frame_of(_i, MTU - 20 + (i == 5 || i == N - 1));
	ck_assert_uint_eq(transmit(), N - 2);
	ck_assert_uint_eq(sent, N - 2);
	ck_assert_uint_eq(stats.drops[KNIT_WORKER_DROP_PORT_TOO_LONG], dropped + 2);
	pool_is_full();
}
END_TEST

/* In a secondary nothing stands in for what a driver does not have. */
START_TEST(driver_without_prepare)
{
	unsigned int i;

	set_up();
	knit_eth_calls(FAKE)->tx_pkt_prepare = NULL;
	for (i = 0; i < N; i++)
		frames[i] = frame_of(0, MTU - 20 + (i == 5));
	ck_assert_uint_eq(transmit(), N - 1);
	ck_assert_uint_eq(sent, N - 1);
	pool_is_full();
}
END_TEST

/* RX_L4_CKSUM_NONE goes on only from ports that mean a partial checksum by it. */
START_TEST(none_is_forgotten)
{
	const uint64_t none = RTE_MBUF_F_RX_L4_CKSUM_NONE, bad = RTE_MBUF_F_RX_L4_CKSUM_BAD;
	struct knit_input in = { .port_id = FAKE, .port = &port, .stats = &port_stats };
	struct knit_burst b;
	unsigned int i;

	set_up();
	port.rx_partial = _i;
	for (i = 0; i < N; i++) {
		frames[i] = frame_of(0, 100);
		frames[i]->ol_flags = i == 2 ? bad : i % 2 ? none : RTE_MBUF_F_RX_RSS_HASH;
	}
	ck_assert_uint_eq(knit_port_rx(&worker, &in, &b), N);
	ck_assert_uint_eq(b.flags, RTE_MBUF_F_RX_RSS_HASH | (_i ? none : bad));
	for (i = 0; i < N; i++)
		ck_assert_uint_eq(b.m[i]->ol_flags, i == 2  ? bad
						    : i % 2 ? (_i ? none : 0)
							    : RTE_MBUF_F_RX_RSS_HASH);
	rte_pktmbuf_free_bulk(frames, N);
	pool_is_full();
}
END_TEST

KNIT_SUITE_EAL(worker_port, knit_eal_small_pages)
{
	TCase *t = tcase_create("port");

	frames_make_pools();
	tcase_add_loop_test(t, full_frames_go_at_once, 0, 3);
	tcase_add_loop_test(t, too_long_frames_go_alone, 0, 3);
	tcase_add_test(t, driver_without_prepare);
	tcase_add_loop_test(t, none_is_forgotten, 0, 2);
	suite_add_tcase(s, t);
}
