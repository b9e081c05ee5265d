// SPDX-License-Identifier: BSD-3-Clause
#include "shared/offload_frames.h"

#include "kni/base/doorbell.h"
#include "kni/control/iface.h"
#include "kni/control/pair.h"

#include <rte_ip.h>

#include <string.h>
#include <sys/eventfd.h>

/* What rte_kni_tx_burst makes of frames that ask for something. There is no engine. */
#define SIZE 128

static struct rte_kni kni;
static struct rte_mbuf *cookie_mbufs[SIZE];
static uint16_t free_cookies[SIZE];
static struct knit_ring rx_q, free_q; /* engine's */
static _Alignas(64) char shm[2][sizeof(struct knit_ring_shm) + SIZE * sizeof(struct knit_desc)];

static void make(uint32_t features)
{
	static uint64_t generation;
	struct knit_rx_end *e = &kni.pair[0].rx;
	uint32_t i;

	memset(&kni, 0, sizeof(kni));
	memset(cookie_mbufs, 0, sizeof(cookie_mbufs));
	memset(shm, 0, sizeof(shm));
	kni.generation = ++generation;
	kni.features = features;
	kni.n_pairs = 1;
	kni.pair[0].engine_doorbell = KNIT_DOORBELL_NONE;
	kni.pair[0].tx.pool = pool;
	e->cookies = (struct knit_cookies){ SIZE, SIZE, free_cookies, cookie_mbufs };
	for (i = 0; i < SIZE; i++)
		free_cookies[i] = i;
	knit_ring_bind(&e->rx_q, shm[0], SIZE, sizeof(struct knit_desc));
	knit_ring_bind(&e->free_q, shm[1], SIZE, sizeof(struct knit_desc));
	knit_ring_bind(&rx_q, shm[0], SIZE, sizeof(struct knit_desc));
	knit_ring_bind(&free_q, shm[1], SIZE, sizeof(struct knit_desc));
}

static uint64_t dropped(void)
{
	return kni.pair[0].rx.drops[KNIT_USER_DROP_RX_OFFLOAD];
}

/* The engine's turn: the next frame, which is one segment, as descriptor and as mbuf. */
static struct rte_mbuf *next(struct knit_desc *d)
{
	ck_assert_uint_ge(knit_ring_peek(&rx_q, 1), 1);
	knit_desc_load(d, knit_ring_entry(&rx_q, rx_q.cons));
	knit_ring_release(&rx_q, 1);
	ck_assert_uint_lt(d->cookie, SIZE);
	*(struct knit_desc *)knit_ring_entry(&free_q, free_q.prod) =
		(struct knit_desc){ .cookie = d->cookie };
	knit_ring_submit(&free_q, 1);
	return cookie_mbufs[d->cookie];
}

static void all_back(void)
{
	ck_assert_uint_eq(rte_kni_tx_burst(&kni, NULL, 0), 0);
	ck_assert_uint_eq(kni.pair[0].rx.cookies.n_free, SIZE);
	pool_is_full();
}

/* As an application makes it: no checksum at all, neither IP's nor the pseudo header's. */
static struct rte_mbuf *asking(const struct frame *f)
{
	struct rte_mbuf *m = frame_make(f);
	uint8_t *l3 = rte_pktmbuf_mtod_offset(m, uint8_t *, frame_l2(f));

	memset(l3 + 10, 0, 2);
	memset(l3 + frame_l3(f) + (f->proto == IPPROTO_UDP ? 6 : 16), 0, 2);
	m->l2_len = frame_l2(f);
	m->l3_len = frame_l3(f);
	m->l4_len = frame_l4(f);
	m->ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM |
		      (f->proto == IPPROTO_UDP ? RTE_MBUF_F_TX_UDP_CKSUM : RTE_MBUF_F_TX_TCP_CKSUM);
	return m;
}

static const struct frame udp = { .version = 4, .proto = IPPROTO_UDP, .payload = 100 };

/* 0: checksum offload; 1: an interface with another offload, all in software; 2, 3: shared mbuf. */
START_TEST(checksums_are_carried_out)
{
	bool offload = _i % 2 == 0, shared = _i >= 2, partial = offload && !shared;
	struct rte_mbuf *m = asking(&udp), *want = frame_make(&udp), *got;
	struct knit_desc d;

	make(offload ? KNIT_FEAT_CSUM : KNIT_FEAT_SG);
	if (shared)
		rte_mbuf_refcnt_update(m, 1);
	ck_assert_uint_eq(rte_kni_tx_burst(&kni, &m, 1), 1);
	got = next(&d);
	ck_assert_int_eq(!!(d.flags & KNIT_DESC_CSUM_PARTIAL), partial);
	if (partial) {
		ck_assert_uint_eq(d.csum_start, 34);
		ck_assert_uint_eq(d.csum_offset, 6);
		ck_assert_mem_eq(rte_pktmbuf_mtod(got, void *), rte_pktmbuf_mtod(want, void *),
				 want->pkt_len);
	} else {
		frame_verify(&udp, got, 0, udp.payload);
	}
	if (shared) {
		ck_assert_ptr_ne(got, m);
		ck_assert_uint_eq(rte_pktmbuf_mtod(m, uint8_t *)[14 + 10], 0);
		rte_pktmbuf_free(m);
	}
	rte_pktmbuf_free(want);
	ck_assert_uint_eq(dropped(), 0);
	all_back();
}
END_TEST

START_TEST(nonsense_is_counted)
{
	struct rte_mbuf *m[3] = { asking(&udp), asking(&udp), asking(&udp) };
	struct knit_desc d;

	make(KNIT_FEAT_CSUM);
	m[1]->l3_len = 0;
	ck_assert_uint_eq(rte_kni_tx_burst(&kni, m, 3), 3);
	ck_assert_uint_eq(dropped(), 1);
	ck_assert_ptr_eq(next(&d), m[0]);
	ck_assert_ptr_eq(next(&d), m[2]);
	ck_assert_uint_eq(knit_ring_peek(&rx_q, 1), 0);
	all_back();
}
END_TEST

/* Whole to an interface that has them; cut for one that has not, with nothing lost. */
START_TEST(longer_than_64_kib)
{
	const struct frame f = { .version = 4, .proto = IPPROTO_TCP, .payload = 100000 };
	uint32_t features = _i ? KNIT_FEAT_ALL : KNIT_FEAT_KNOWN, n = 0;
	struct rte_mbuf *m = frame_make(&f);
	struct knit_desc d = frame_desc(&f, 1448);

	make(features);
	ck_assert_int_eq(knit_offload_from_desc(&d, m), 0);
	ck_assert_uint_eq(rte_kni_tx_burst(&kni, &m, 1), 1);
	ck_assert_uint_eq(kni.pair[0].rx.packets, _i ? (f.payload + 1447) / 1448 : 1);
	for (; knit_ring_peek(&rx_q, 1); n++)
		next(&d);
	ck_assert_uint_eq(n, _i ? (f.payload + 1447) / 1448 : (f.payload + 54 + 2047) / 2048);
	all_back();
}
END_TEST

/* Only TCP to be cut, and only so long. */
START_TEST(too_long_is_counted)
{
	const struct frame f = { .version = 4, .proto = IPPROTO_TCP, .payload = 66000 };
	struct frame longest = f;
	struct rte_mbuf *m;
	struct knit_desc d;

	make(KNIT_FEAT_KNOWN);
	m = frame_make(&f);
	ck_assert_uint_eq(rte_kni_tx_burst(&kni, &m, 1), 1);
	ck_assert_uint_eq(kni.pair[0].rx.drops[KNIT_USER_DROP_RX_TOO_LONG], 1);
	longest.payload = KNIT_BIG_FRAME_MAX + 1 - frame_hdr(&f);
	m = frame_make(&longest);
	d = frame_desc(&longest, 1448);
	ck_assert_int_eq(knit_offload_from_desc(&d, m), -EINVAL);
	m->ol_flags = RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4;
	m->l2_len = frame_l2(&f);
	m->l3_len = frame_l3(&f);
	m->l4_len = frame_l4(&f);
	m->tso_segsz = 1448;
	ck_assert_uint_eq(rte_kni_tx_burst(&kni, &m, 1), 1);
	ck_assert_uint_eq(kni.pair[0].rx.drops[KNIT_USER_DROP_RX_TOO_LONG], 2);
	all_back();
}
END_TEST

START_TEST(without_room_it_stays_the_callers)
{
	struct rte_mbuf *m[SIZE + 1];
	struct knit_desc d;
	uint32_t i;

	make(KNIT_FEAT_CSUM);
	for (i = 0; i <= SIZE; i++)
		m[i] = asking(&udp);
	ck_assert_uint_eq(rte_kni_tx_burst(&kni, m, SIZE + 1), SIZE);
	ck_assert_uint_eq(rte_pktmbuf_mtod(m[SIZE], uint8_t *)[14 + 10], 0);
	next(&d);
	ck_assert_uint_eq(rte_kni_tx_burst(&kni, m + SIZE, 1), 1);
	for (i = 0; i < SIZE; i++)
		next(&d);
	all_back();
}
END_TEST

/* As anybody sees it who maps the shared memory, whatever stands there. */
START_TEST(what_waits_is_counted)
{
	struct rte_mbuf *m[3] = { frame_make(&udp), frame_make(&udp), frame_make(&udp) };
	struct knit_desc d;
	__u32 producer;

	make(0);
	ck_assert_uint_eq(knit_pair_to_kernel_queued(&kni, 0), 0);
	ck_assert_uint_eq(rte_kni_tx_burst(&kni, m, 3), 3);
	ck_assert_uint_eq(knit_pair_to_kernel_queued(&kni, 0), 3);
	next(&d);
	ck_assert_uint_eq(knit_pair_to_kernel_queued(&kni, 0), 2);
	producer = knit_load(&rx_q.shm->producer);
	knit_store(&rx_q.shm->producer, producer - 3);
	ck_assert_uint_eq(knit_pair_to_kernel_queued(&kni, 0), SIZE);
	knit_store(&rx_q.shm->producer, producer);
	next(&d);
	next(&d);
	all_back();
}
END_TEST

/* KNI never looked at TX flags; what a port left undone is done nevertheless. */
START_TEST(without_offloads)
{
	struct rte_mbuf *m = asking(&udp), *got;
	struct knit_desc d;

	make(0);
	ck_assert_uint_eq(rte_kni_tx_burst(&kni, &m, 1), 1);
	ck_assert_ptr_eq(next(&d), m);
	ck_assert_uint_eq(rte_pktmbuf_mtod(m, uint8_t *)[14 + 10], 0);
	ck_assert_uint_eq(d.flags, 0);
	all_back();

	m = frame_make(&udp);
	m->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_NONE;
	ck_assert_uint_eq(rte_kni_tx_burst(&kni, &m, 1), 1);
	got = next(&d);
	frame_verify(&udp, got, 0, udp.payload);
	all_back();

	m = frame_make(&udp);
	m->ol_flags = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	m->vlan_tci = 5;
	ck_assert_uint_eq(rte_kni_tx_burst(&kni, &m, 1), 1);
	got = next(&d);
	ck_assert_mem_eq(rte_pktmbuf_mtod_offset(got, void *, 12), "\x81\x00\x00\x05\x08\x00", 6);
	ck_assert_uint_eq(d.len, 14 + 4 + 20 + 8 + 100);
	all_back();

	m = frame_make(&udp);
	m->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_BAD; /* the port's opinion: the kernel finds out */
	ck_assert_uint_eq(rte_kni_tx_burst(&kni, &m, 1), 1);
	ck_assert_ptr_eq(next(&d), m);
	ck_assert_uint_eq(dropped(), 0);
	all_back();
}
END_TEST

static uint64_t rings(void)
{
	eventfd_t n;

	return eventfd_read(knit_doorbell_open(kni.pair[0].engine_doorbell), &n) < 0 ? 0 : n;
}

/* An engine that waits for frames sleeps on when buffers come back, and the other way round. */
START_TEST(wakes_for_what_is_waited_for)
{
	struct rte_mbuf *m[2] = { frame_make(&udp), frame_make(&udp) };
	int64_t doorbell;
	struct knit_desc d;

	make(0);
	ck_assert_int_eq(knit_doorbell_init(), 0);
	doorbell = knit_doorbell_new();
	ck_assert_int_ge(doorbell, 0);
	kni.pair[0].engine_doorbell = doorbell;

	knit_store(&rx_q.shm->need_data, 1);
	ck_assert_uint_eq(rte_kni_tx_burst(&kni, m, 1), 1);
	ck_assert_uint_eq(rings(), 1);
	next(&d);
	ck_assert_uint_eq(rte_kni_tx_burst(&kni, NULL, 0), 0);
	ck_assert_uint_eq(rings(), 0);

	knit_store(&rx_q.shm->need_data, 0);
	knit_store(&free_q.shm->need_space, 1);
	ck_assert_uint_eq(rte_kni_tx_burst(&kni, m + 1, 1), 1);
	ck_assert_uint_eq(rings(), 0);
	next(&d);
	ck_assert_uint_eq(rte_kni_tx_burst(&kni, NULL, 0), 0);
	ck_assert_uint_eq(rings(), 1);
	all_back();
	knit_doorbell_free(doorbell);
}
END_TEST

KNIT_SUITE_EAL(kni_burst, knit_eal_small_pages)
{
	TCase *tcase = tcase_create("tx_burst");

	frames_make_pools();
	tcase_add_loop_test(tcase, checksums_are_carried_out, 0, 4);
	tcase_add_test(tcase, nonsense_is_counted);
	tcase_add_loop_test(tcase, longer_than_64_kib, 0, 2);
	tcase_add_test(tcase, too_long_is_counted);
	tcase_add_test(tcase, without_room_it_stays_the_callers);
	tcase_add_test(tcase, what_waits_is_counted);
	tcase_add_test(tcase, without_offloads);
	tcase_add_test(tcase, wakes_for_what_is_waited_for);
	suite_add_tcase(s, tcase);
}
