// SPDX-License-Identifier: BSD-3-Clause
#include "system/topology/handoff.h"

#include <rte_memzone.h>

#include <check.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

/* Its names are short. */
#include "watch_rig.h"

struct knit_topo topo;
struct knit_worker w;
static struct rte_kni kl;
static struct knit_handoff *handoff;
struct knit_watch *watch;
static uint64_t tail;

struct rte_mbuf mbufs[N], *ptrs[N];
uint8_t data[N][128];
uint32_t n_received;
uint32_t sent[4];
enum knit_worker_drop why;
uint32_t n_lost; /* of each send, the last ones */

const uint8_t own[6] = { 2, 0, 0, 0, 0, 1 };
const uint8_t other[6] = { 2, 0, 0, 0, 0, 2 };

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

void frame(unsigned int i, const uint8_t dst[6], uint16_t len)
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

void setup(void)
{
	struct knit_config *conf = calloc(1, sizeof(*conf));
	const struct rte_memzone *mz;

	conf->n_workers = 1;
	conf->workers[0].there = true;
	conf->watch.buffer = 128;
	mz = rte_memzone_reserve(KNIT_WATCH_MZ, knit_watch_bytes(conf), SOCKET_ID_ANY, 0);
	ck_assert_ptr_nonnull(mz);
	watch = mz->addr;
	memset(watch, 0, mz->len);
	knit_watch_init(watch, conf);
	free(conf);
	handoff = calloc(1, knit_handoff_bytes(64));
	handoff->producer = 5;
	handoff->consumer = 6;
	topo.watch = watch;
	topo.n_ports = 2;
	topo.n_ifaces = 1;
	topo.n_workers = 1;
	topo.workers[0].there = 1;
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

void open_watch(void)
{
	setup();
	knit_watch_open(&w);
}

/* What to watch is in watch->spec. */
void follow(uint32_t serial)
{
	watch->serial = serial;
	knit_watch_look(&w);
}

/* One burst of an input to one output. */
void pass(unsigned int input, unsigned int output)
{
	struct knit_burst b;

	w.inputs[input].receive(&w, &w.inputs[input], &b);
	w.outputs[output].send(&w, &w.outputs[output], &b);
}

const struct knit_watch_record *next(void)
{
	const struct knit_watch_ring *r = watch->ring[0];
	const struct knit_watch_record *record;
	uint32_t size;

	record = knit_watch_next(r, r->bytes, &tail, watch->serial, &size);
	if (record) {
		ck_assert(knit_watch_valid(record, size, 2, 1));
		tail += size;
	}
	return record;
}

void taken(void)
{
	watch->ring[0]->tail = tail;
}

void check_step(const struct knit_watch_record *r, unsigned int i, enum knit_watch_what what,
		enum knit_watch_end end, unsigned int index, unsigned int value)
{
	ck_assert_uint_gt(r->n_steps, i);
	ck_assert_uint_eq(r->steps[i].what, what);
	ck_assert_uint_eq(r->steps[i].end, end);
	ck_assert_uint_eq(r->steps[i].index, index);
	ck_assert_uint_eq(r->steps[i].value, value);
	ck_assert(i == 0 || r->steps[i].tsc >= r->steps[i - 1].tsc);
}

void filter(const char *text)
{
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 65535);
	struct bpf_program program;

	ck_assert_int_eq(pcap_compile(pcap, &program, text, 1, 0), 0);
	watch->spec.n_insns = program.bf_len;
	memcpy(watch->spec.insns, program.bf_insns, program.bf_len * sizeof(*program.bf_insns));
	pcap_freecode(&program);
	pcap_close(pcap);
}
