// SPDX-License-Identifier: BSD-3-Clause
#include "unit.h"

#include "system/topology/handoff.h"
#include "worker/datapath/forward.h"
#include "worker/datapath/watch.h"
#include "worker/watch.h"

#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

/*
 * A worker with a port, left, whose frames go to interface kl or port right, and a second input,
 * from another worker. Its receive and send functions are those of this file.
 */
#define N 64
enum {
	OUT_NONE,
	OUT_IFACE,
	OUT_RIGHT,
	OUT_HANDOFF
};
enum {
	IN_LEFT,
	IN_HANDOFF
};

static struct knit_topo topo;
static struct knit_worker w;
static struct rte_kni kl;
static struct knit_handoff *handoff;
static struct knit_watch *watch;
static uint64_t tail;

static struct rte_mbuf mbufs[N], *ptrs[N];
static uint8_t data[N][128];
static uint32_t n_received;
static uint32_t sent[4];
static enum knit_worker_drop why;
static uint32_t n_lost; /* of each send, the last ones */

static const uint8_t own[6] = { 2, 0, 0, 0, 0, 1 };
static const uint8_t other[6] = { 2, 0, 0, 0, 0, 2 };

static uint32_t receive(struct knit_worker *worker, struct knit_input *in, struct knit_burst *b)
{
	b->m = ptrs;
	b->n = n_received;
	return b->n;
}

static uint32_t send_some(struct knit_worker *worker, struct knit_output *out, struct knit_burst *b)
{
	uint32_t lost = RTE_MIN(n_lost, b->n);

	sent[out - w.outputs] += b->n - lost;
	if (lost && w.watcher)
		knit_watch_dropped(w.watcher, why, b->m + b->n - lost, lost);
	return b->n - lost;
}

/* Software makes two frames of each. */
static uint32_t send_halves(struct knit_worker *worker, struct knit_output *out,
			    struct knit_burst *b)
{
	static struct rte_mbuf halves[2];
	struct rte_mbuf *two[2] = { &halves[0], &halves[1] };
	uint32_t i;

	for (i = 0; i < b->n; i++) {
		knit_watch_changed(w.watcher, b->m[i], two, 2);
		if (n_lost)
			knit_watch_dropped(w.watcher, why, two, n_lost);
	}
	return b->n;
}

static void frame(unsigned int i, const uint8_t dst[6], uint16_t len)
{
	memset(data[i], (int)i, sizeof(data[i]));
	memcpy(data[i], dst, 6);
	memcpy(data[i] + 12, "\x08\x00", 2);
	mbufs[i] = (struct rte_mbuf){
		.buf_addr = data[i], .data_len = len, .pkt_len = len, .nb_segs = 1
	};
	ptrs[i] = &mbufs[i];
	n_received = i + 1;
}

static void setup(void)
{
	struct knit_config *conf = calloc(1, sizeof(*conf));
	size_t size;

	conf->n_workers = 1;
	conf->watch.buffer = 128;
	size = knit_watch_bytes(conf);
	watch = aligned_alloc(RTE_CACHE_LINE_SIZE, size);
	memset(watch, 0, size);
	knit_watch_init(watch, conf);
	free(conf);
	handoff = calloc(1, knit_handoff_bytes(64));
	handoff->producer = 5;
	handoff->consumer = 6;
	topo.watch = watch;
	topo.n_ports = 2;
	topo.n_ifaces = 1;
	topo.n_workers = 1;
	topo.ifaces[0].kni = &kl;
	memcpy(topo.ports[0].mac, own, 6);
	w.topo = &topo;
	w.entry = &topo.workers[0];
	w.n_inputs = 2;
	w.n_outputs = 4;
	w.inputs[IN_LEFT] = (struct knit_input){ .receive = receive,
						 .end = KNIT_END_PORT,
						 .queue = 3,
						 .kernel = OUT_IFACE,
						 .peer = OUT_RIGHT,
						 .port = &topo.ports[0] };
	w.inputs[IN_HANDOFF] = (struct knit_input){ .receive = receive,
						    .end = KNIT_END_HANDOFF,
						    .kernel = OUT_RIGHT,
						    .peer = OUT_RIGHT,
						    .handoff = handoff };
	w.outputs[OUT_NONE].send = send_some;
	w.outputs[OUT_IFACE].send = send_some;
	w.outputs[OUT_IFACE].end = KNIT_END_IFACE;
	w.outputs[OUT_IFACE].kni = &kl;
	w.outputs[OUT_IFACE].queue = 4;
	w.outputs[OUT_RIGHT].send = send_some;
	w.outputs[OUT_RIGHT].end = KNIT_END_PORT;
	w.outputs[OUT_RIGHT].port = &topo.ports[1];
	w.outputs[OUT_HANDOFF].send = send_some;
	w.outputs[OUT_HANDOFF].end = KNIT_END_HANDOFF;
	w.outputs[OUT_HANDOFF].port = &topo.ports[1];
	w.outputs[OUT_HANDOFF].handoff = handoff;
	watch->spec = (struct knit_watch_spec){
		.workers = 1, .snaplen = 64, .share = 100, .journeys = 1
	};
}

/* What to watch is in watch->spec. */
static void follow(uint32_t serial)
{
	watch->serial = serial;
	knit_watch_look(&w);
}

/* One burst of an input to one output. */
static void pass(unsigned int input, unsigned int output)
{
	struct knit_burst b;

	w.inputs[input].receive(&w, &w.inputs[input], &b);
	w.outputs[output].send(&w, &w.outputs[output], &b);
}

static const struct knit_watch_record *next(void)
{
	const struct knit_watch_ring *r = watch->ring[0];
	const struct knit_watch_record *record;
	uint32_t size;

	record = knit_watch_next(r, r->bytes, &tail, watch->serial, &size);
	if (record) {
		ck_assert(knit_watch_valid(record, size));
		tail += size;
	}
	return record;
}

static void check_step(const struct knit_watch_record *r, unsigned int i, enum knit_watch_what what,
		       enum knit_watch_end end, unsigned int index, unsigned int value)
{
	ck_assert_uint_gt(r->n_steps, i);
	ck_assert_uint_eq(r->steps[i].what, what);
	ck_assert_uint_eq(r->steps[i].end, end);
	ck_assert_uint_eq(r->steps[i].index, index);
	ck_assert_uint_eq(r->steps[i].value, value);
	ck_assert(i == 0 || r->steps[i].tsc >= r->steps[i - 1].tsc);
}

/* Nothing is replaced, not even for a moment, while nobody watches; and everything is put back. */
START_TEST(only_while_watched)
{
	follow(0);
	ck_assert_ptr_null(w.watcher);
	ck_assert(w.inputs[IN_LEFT].receive == receive);
	follow(7);
	ck_assert_ptr_nonnull(w.watcher);
	ck_assert(w.inputs[IN_LEFT].receive == knit_watch_receive);
	ck_assert(w.outputs[OUT_RIGHT].send == knit_watch_send);
	ck_assert_uint_eq(watch->ring[0]->following, 7);
	follow(8);
	ck_assert_uint_eq(watch->ring[0]->following, 8);
	follow(0);
	ck_assert_ptr_null(w.watcher);
	ck_assert_uint_eq(watch->ring[0]->following, 0);
	ck_assert(w.inputs[IN_LEFT].receive == receive);
	ck_assert(w.inputs[IN_HANDOFF].receive == receive);
	ck_assert(w.outputs[OUT_RIGHT].send == send_some);
	/* for other workers */
	watch->spec.workers = 2;
	follow(9);
	ck_assert_ptr_null(w.watcher);
	ck_assert_uint_eq(watch->ring[0]->following, 9);
}
END_TEST

START_TEST(journey)
{
	const struct knit_watch_record *r;

	watch->spec.ports[0] = 1;
	watch->spec.ports[1] = 2; /* and where it leaves: still one record */
	follow(1);
	frame(0, other, 100);
	pass(IN_LEFT, OUT_RIGHT);
	r = next();
	ck_assert_ptr_nonnull(r);
	ck_assert_uint_eq(r->len, 100);
	ck_assert_uint_eq(r->captured, 64);
	ck_assert_mem_eq(r->data, data[0], 64);
	ck_assert_uint_eq(r->end, KNIT_WATCH_PORT);
	ck_assert_uint_eq(r->direction, KNIT_WATCH_RX);
	ck_assert_uint_eq(r->index, 0);
	ck_assert_uint_eq(r->n_steps, 3);
	check_step(r, 0, KNIT_WATCH_RECEIVED, KNIT_WATCH_PORT, 0, 3);
	check_step(r, 1, KNIT_WATCH_DECIDED, 0, KNIT_WATCH_WHY_OTHER, 0);
	check_step(r, 2, KNIT_WATCH_HANDED, KNIT_WATCH_PORT, 1, 0);
	ck_assert_ptr_null(next());
	ck_assert_uint_eq(sent[OUT_RIGHT], 1);
}
END_TEST

/* Each place where it passes, for files. */
START_TEST(each_place)
{
	const struct knit_watch_record *r;

	watch->spec.journeys = 0;
	watch->spec.ports[0] = 1;
	watch->spec.ifaces[0] = 1;
	follow(1);
	frame(0, own, 60);
	pass(IN_LEFT, OUT_IFACE);
	r = next();
	ck_assert_uint_eq(r->end, KNIT_WATCH_PORT);
	check_step(r, 1, KNIT_WATCH_DECIDED, 0, KNIT_WATCH_WHY_OWN, 0);
	check_step(r, 2, KNIT_WATCH_HANDED, KNIT_WATCH_IFACE, 0, 4);
	r = next();
	ck_assert_uint_eq(r->end, KNIT_WATCH_IFACE);
	ck_assert_uint_eq(r->direction, KNIT_WATCH_RX);
	check_step(r, 0, KNIT_WATCH_RECEIVED, KNIT_WATCH_PORT, 0, 3);
	check_step(r, 1, KNIT_WATCH_DECIDED, 0, KNIT_WATCH_WHY_OWN, 0);
	check_step(r, 2, KNIT_WATCH_HANDED, KNIT_WATCH_IFACE, 0, 4);
	ck_assert_ptr_null(next());
	ck_assert_uint_eq(watch->ring[0]->counts.seen, 2);
	ck_assert_uint_eq(watch->ring[0]->counts.matched, 2);
}
END_TEST

/* The last two of five are lost, wherever in the burst they are looked for. */
START_TEST(drops)
{
	const struct knit_watch_record *r;
	unsigned int i;

	watch->spec.ports[0] = 1;
	follow(1);
	for (i = 0; i < 5; i++)
		frame(i, other, 60 + i);
	why = KNIT_WORKER_DROP_PORT_TX_FULL;
	n_lost = 2;
	pass(IN_LEFT, OUT_RIGHT);
	for (i = 0; i < 5; i++) {
		r = next();
		ck_assert_uint_eq(r->len, 60 + i);
		ck_assert_uint_eq(r->n_steps, 3);
		if (i < 3)
			check_step(r, 2, KNIT_WATCH_HANDED, KNIT_WATCH_PORT, 1, 0);
		else
			check_step(r, 2, KNIT_WATCH_DROPPED, 0, KNIT_WORKER_DROP_PORT_TX_FULL, 1);
	}
	ck_assert_ptr_null(next());
}
END_TEST

/* What software made of it: all lost, or one of two. */
START_TEST(pieces)
{
	const struct knit_watch_record *r;

	w.outputs[OUT_RIGHT].send = send_halves;
	watch->spec.ports[0] = 1;
	follow(1);
	frame(0, other, 60);
	why = KNIT_WORKER_DROP_PORT_TOO_LONG;
	for (n_lost = 0; n_lost < 3; n_lost++) {
		pass(IN_LEFT, OUT_RIGHT);
		r = next();
		ck_assert_uint_eq(r->n_steps, n_lost == 1 ? 5 : 4);
		check_step(r, 2, KNIT_WATCH_CHANGED, 0, 0, 2);
		if (n_lost)
			check_step(r, 3, KNIT_WATCH_DROPPED, 0, why, n_lost);
		if (n_lost < 2)
			check_step(r, r->n_steps - 1, KNIT_WATCH_HANDED, KNIT_WATCH_PORT, 1, 0);
	}
}
END_TEST

/* A burst that goes two ways; nothing is published before all of it is sent. */
START_TEST(mixed_burst)
{
	const struct knit_watch_record *r;
	struct knit_burst b, part;
	struct rte_mbuf *odd[N / 2], *even[N / 2];
	unsigned int i;

	watch->spec.ports[0] = 1;
	follow(1);
	for (i = 0; i < 20; i++) {
		frame(i, i % 2 ? own : other, 60);
		*(i % 2 ? &odd[i / 2] : &even[i / 2]) = ptrs[i];
	}
	w.inputs[IN_LEFT].receive(&w, &w.inputs[IN_LEFT], &b);
	part = (struct knit_burst){ .m = even, .n = 10 };
	w.outputs[OUT_RIGHT].send(&w, &w.outputs[OUT_RIGHT], &part);
	ck_assert_ptr_null(next());
	part.m = odd;
	w.outputs[OUT_IFACE].send(&w, &w.outputs[OUT_IFACE], &part);
	for (i = 0; i < 20; i++) {
		r = next();
		ck_assert_ptr_nonnull(r);
		check_step(r, 1, KNIT_WATCH_DECIDED, 0,
			   i % 2 ? KNIT_WATCH_WHY_OWN : KNIT_WATCH_WHY_OTHER, 0);
		check_step(r, 2, KNIT_WATCH_HANDED, i % 2 ? KNIT_WATCH_IFACE : KNIT_WATCH_PORT,
			   i % 2 ? 0 : 1, i % 2 ? 4 : 0);
		ck_assert_uint_eq(r->n_steps, 3);
	}
}
END_TEST

/* A queue to another worker is on the way to its port: for journeys, not for files. */
START_TEST(through_another_worker)
{
	const struct knit_watch_record *r;

	watch->spec.ports[1] = 2;
	follow(1);
	frame(0, other, 60);
	pass(IN_LEFT, OUT_HANDOFF);
	r = next();
	ck_assert_uint_eq(r->end, KNIT_WATCH_PORT);
	ck_assert_uint_eq(r->index, 1);
	check_step(r, 2, KNIT_WATCH_HANDED, KNIT_WATCH_HANDOFF, 6, 0);
	pass(IN_HANDOFF, OUT_RIGHT);
	r = next();
	check_step(r, 0, KNIT_WATCH_RECEIVED, KNIT_WATCH_HANDOFF, 5, 0);
	check_step(r, 1, KNIT_WATCH_DECIDED, 0, KNIT_WATCH_WHY_ONLY, 0);
	follow(0);
	watch->spec.journeys = 0;
	follow(2);
	pass(IN_LEFT, OUT_HANDOFF);
	ck_assert_ptr_null(next());
}
END_TEST

static void filter(const char *text)
{
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 65535);
	struct bpf_program program;

	ck_assert_int_eq(pcap_compile(pcap, &program, text, 1, 0), 0);
	watch->spec.n_insns = program.bf_len;
	memcpy(watch->spec.insns, program.bf_insns, program.bf_len * sizeof(*program.bf_insns));
	pcap_close(pcap);
}

/* Tags that the device took off, and frames of several pieces, are as they are on the wire. */
START_TEST(filters)
{
	const struct knit_watch_record *r;
	uint8_t tag[4] = { 0x81, 0, 0x30, 0x09 };
	unsigned int i;

	watch->spec.ports[0] = 1;
	filter("vlan 9 and greater 74 and ether[70] = 3");
	follow(1);
	for (i = 0; i < 6; i++) {
		frame(i, other, 70);
		mbufs[i].vlan_tci = i < 5 ? 0x3009 : 0x3008;
		mbufs[i].ol_flags = i ? RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED : 0;
	}
	pass(IN_LEFT, OUT_RIGHT);
	r = next();
	ck_assert_uint_eq(r->len, 74);
	ck_assert_mem_eq(r->data, data[3], 12);
	ck_assert_mem_eq(r->data + 12, tag, 4);
	ck_assert_mem_eq(r->data + 16, data[3] + 12, 48);
	ck_assert_ptr_null(next());
	/* the same in pieces of 33, 1 and 36 bytes */
	for (i = 0; i < 3; i++) {
		mbufs[i] = (struct rte_mbuf){ .buf_addr = data[3] + (i == 0   ? 0
								     : i == 1 ? 33
									      : 34),
					      .data_len = i == 0   ? 33
							  : i == 1 ? 1
								   : 36,
					      .next = i < 2 ? &mbufs[i + 1] : NULL };
	}
	mbufs[0].nb_segs = 3;
	mbufs[0].pkt_len = 70;
	mbufs[0].ol_flags = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	mbufs[0].vlan_tci = 0x3009;
	n_received = 1;
	pass(IN_LEFT, OUT_RIGHT);
	r = next();
	ck_assert_uint_eq(r->captured, 64);
	ck_assert_mem_eq(r->data + 16, data[3] + 12, 48);
	ck_assert_uint_eq(watch->ring[0]->counts.seen, 7);
	ck_assert_uint_eq(watch->ring[0]->counts.matched, 2);
}
END_TEST

/* Nobody reads: it ends at what is there, counts the rest, and goes on when somebody reads. */
START_TEST(full_ring)
{
	struct knit_watch_counts *c = &watch->ring[0]->counts;
	const struct knit_watch_record *r;
	unsigned int i, n = 0, round;
	uint32_t last = 0;

	watch->spec.ports[0] = 1;
	follow(1);
	for (i = 0; i < N; i++)
		frame(i, other, 60);
	for (round = 0; round < 200; round++) {
		for (i = 0; i < N; i++)
			mbufs[i].pkt_len = 1000 + round * N + i;
		pass(IN_LEFT, OUT_RIGHT);
		if (round % 40 != 39)
			continue;
		while ((r = next()) != NULL) {
			ck_assert_uint_gt(r->len, last);
			last = r->len;
			n++;
		}
		watch->ring[0]->tail = tail;
	}
	ck_assert_uint_eq(c->matched, 200 * N);
	ck_assert_uint_gt(c->lost, 0);
	ck_assert_uint_eq(n + c->lost, 200 * N);
	ck_assert_uint_ge(n, 5 * (128 << 10) / 320);
	ck_assert_uint_eq(sent[OUT_RIGHT], 200 * N);
}
END_TEST

/* A share of time that is used up: the packets pass, and are counted. */
START_TEST(share_of_time)
{
	struct knit_watch_counts *c = &watch->ring[0]->counts;
	unsigned int i, round;

	watch->spec.ports[0] = 1;
	watch->spec.share = 1;
	follow(1);
	for (i = 0; i < N; i++)
		frame(i, other, 60);
	for (round = 0; round < 200000 && c->skipped == 0; round++) {
		pass(IN_LEFT, OUT_RIGHT);
		while (next())
			;
		watch->ring[0]->tail = tail;
	}
	ck_assert_uint_gt(c->skipped, 0);
	ck_assert_uint_eq(c->seen, (uint64_t)N * round);
	ck_assert_uint_eq(c->matched + c->skipped, c->seen);
	ck_assert_uint_eq(sent[OUT_RIGHT], N * round);
}
END_TEST

START_TEST(limit)
{
	unsigned int i, n = 0;

	watch->spec.ports[0] = 1;
	watch->spec.limit = 3;
	follow(1);
	frame(0, other, 60);
	for (i = 0; i < 10; i++)
		pass(IN_LEFT, OUT_RIGHT);
	while (next())
		n++;
	ck_assert_uint_eq(n, 3);
}
END_TEST

/* Whoever has the memory can write what he wants: it is not followed. */
START_TEST(damaged)
{
	struct knit_watch_spec good = watch->spec, bad[6];
	unsigned int i;

	for (i = 0; i < 6; i++)
		bad[i] = good;
	bad[0].snaplen = 65536;
	bad[1].snaplen = 0;
	bad[2].share = 0;
	bad[3].share = 101;
	bad[4].n_insns = KNIT_WATCH_INSNS + 1;
	bad[5].n_insns = 1; /* jumps out of the program */
	bad[5].insns[0] = (struct knit_watch_insn){ .code = BPF_JMP | BPF_JA, .k = 100 };
	for (i = 0; i < 6; i++) {
		watch->spec = bad[i];
		follow(i + 1);
		ck_assert_ptr_null(w.watcher);
	}
	watch->spec = good;
	watch->ring[0]->bytes = 1000;
	follow(10);
	ck_assert_ptr_null(w.watcher);
	watch->ring[0]->bytes = 128 << 10;
	watch->ring[0]->head = 4;
	follow(11);
	ck_assert_ptr_null(w.watcher);
	/* an impossible tail: there is no room, and nothing else happens */
	watch->ring[0]->head = 0;
	watch->spec.ports[0] = 1;
	follow(12);
	ck_assert_ptr_nonnull(w.watcher);
	watch->ring[0]->tail = 1;
	frame(0, other, 60);
	pass(IN_LEFT, OUT_RIGHT);
	ck_assert_uint_eq(watch->ring[0]->counts.lost, 1);
	ck_assert_uint_eq(watch->ring[0]->head, 0);
}
END_TEST

KNIT_SUITE_EAL(worker_watch, knit_eal_small_pages)
{
	knit_add_fixture_test(s, "only while watched", only_while_watched, 0, setup, NULL);
	knit_add_fixture_test(s, "journey", journey, 0, setup, NULL);
	knit_add_fixture_test(s, "each place", each_place, 0, setup, NULL);
	knit_add_fixture_test(s, "drops", drops, 0, setup, NULL);
	knit_add_fixture_test(s, "pieces", pieces, 0, setup, NULL);
	knit_add_fixture_test(s, "mixed burst", mixed_burst, 0, setup, NULL);
	knit_add_fixture_test(s, "through another worker", through_another_worker, 0, setup, NULL);
	knit_add_fixture_test(s, "filters", filters, 0, setup, NULL);
	knit_add_fixture_test(s, "full ring", full_ring, 0, setup, NULL);
	knit_add_fixture_test(s, "share of time", share_of_time, 0, setup, NULL);
	knit_add_fixture_test(s, "limit", limit, 0, setup, NULL);
	knit_add_fixture_test(s, "damaged", damaged, 0, setup, NULL);
}
