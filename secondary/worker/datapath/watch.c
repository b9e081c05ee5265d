// SPDX-License-Identifier: BSD-3-Clause
#include "watch.h"

#include "forward.h"
#include "watch_frame.h"

#include <rte_cycles.h>

#include <pcap/pcap.h>
#include <string.h>

_Static_assert(sizeof(struct knit_watch_insn) == sizeof(struct bpf_insn), "one is the other");
_Static_assert(KNIT_WATCH_RING_MIN >= KNIT_WATCH_RECORD_MAX,
	       "the longest record fits into an empty ring");

void knit_watch_publish(struct knit_watcher *x)
{
	if (x->ring->head != x->head)
		__atomic_store_n(&x->ring->head, x->head, __ATOMIC_RELEASE);
}

static void step_add(struct knit_watch_record *r, const struct knit_watch_step *step)
{
	if (r->n_steps < KNIT_WATCH_STEPS)
		r->steps[r->n_steps++] = *step;
}

/* One drop after the other for the same reason is one step. */
static void drop_add(struct knit_watch_entry *e, enum knit_worker_drop why, uint64_t now)
{
	struct knit_watch_record *r = e->record;
	struct knit_watch_step *last = r->n_steps ? &r->steps[r->n_steps - 1] : NULL;

	e->dropped++;
	if (last && last->what == KNIT_WATCH_DROPPED && last->index == why)
		last->value++;
	else
		step_add(r, &(struct knit_watch_step){ .tsc = now,
						       .what = KNIT_WATCH_DROPPED,
						       .index = why,
						       .value = 1 });
}

/*
 * Room for a record of that size in one piece; NULL: there is none. What is behind tail belongs to
 * the reader, whatever it says.
 */
static struct knit_watch_record *reserve(struct knit_watcher *x, uint32_t size)
{
	uint64_t used = x->head - __atomic_load_n(&x->ring->tail, __ATOMIC_ACQUIRE);
	uint32_t at = x->head & (x->bytes - 1), end = x->bytes - at;
	struct knit_watch_record *r;

	if (used > x->bytes || (size > end ? size + end : size) > x->bytes - used)
		return NULL;
	if (size > end) {
		r = (struct knit_watch_record *)(void *)(x->ring->data + at);
		r->size = end;
		r->serial = 0;
		x->head += end;
		at = 0;
	}
	x->head += size;
	return (struct knit_watch_record *)(void *)(x->ring->data + at);
}

static bool filter_takes(struct knit_watcher *x, const struct knit_watch_frame *f)
{
	const struct bpf_program program = {
		.bf_len = x->spec.n_insns,
		.bf_insns = (struct bpf_insn *)(void *)x->spec.insns,
	};
	const struct pcap_pkthdr header = { .caplen = f->captured, .len = f->len };

	return program.bf_len == 0 || pcap_offline_filter(&program, &header, f->data) != 0;
}

/* A record of m if the filter chooses it. */
static struct knit_watch_entry *look_at(struct knit_watcher *x, const struct knit_watch_place *at,
					const struct rte_mbuf *m)
{
	struct knit_watch_counts *counts = &x->ring->counts;
	struct knit_watch_entry *e;
	struct knit_watch_record *r;
	struct knit_watch_frame f;
	uint32_t captured, size;

	f = knit_watch_flatten(m, x->flat, x->spec.n_insns ? KNIT_WATCH_SNAP_MAX : x->spec.snaplen);
	if (!filter_takes(x, &f))
		return NULL;
	knit_count(&counts->matched, 1);
	captured = RTE_MIN(f.captured, x->spec.snaplen);
	size = RTE_ALIGN_CEIL(sizeof(*r) + captured, 8);
	r = x->n_entries < KNIT_WATCH_ENTRIES ? reserve(x, size) : NULL;
	if (r == NULL) {
		knit_count(&counts->lost, 1);
		return NULL;
	}
	x->records++;
	*r = (struct knit_watch_record){
		.size = size,
		.serial = x->serial,
		.len = f.len,
		.captured = captured,
		.flags = m->ol_flags,
		.end = at->device.end,
		.direction = at->device.direction,
		.index = at->device.index,
	};
	memcpy(r->data, f.data, captured);
	e = &x->entries[x->n_entries++];
	*e = (struct knit_watch_entry){ .m = m, .record = r };
	return e;
}

/* Packets are sent in the order in which they came, so the next entry is usually the right one. */
static struct knit_watch_entry *entry_of(struct knit_watcher *x, const struct rte_mbuf *m)
{
	uint32_t i;

	for (i = 0; i < x->n_entries; i++, x->next++) {
		if (x->next >= x->n_entries)
			x->next = 0;
		if (x->entries[x->next].m == m)
			return &x->entries[x->next++];
	}
	return NULL;
}

static bool limit_reached(const struct knit_watcher *x)
{
	return x->spec.limit && x->records >= x->spec.limit;
}

/* Whether the next burst is looked at. Time that was not used is kept for a while. */
static bool may_look(struct knit_watcher *x, uint64_t now)
{
	if (limit_reached(x))
		return false;
	if (x->spec.share >= 100)
		return true;
	x->budget =
		RTE_MIN(x->budget + (int64_t)((now - x->budget_at) * x->spec.share), x->budget_max);
	x->budget_at = now;
	return x->budget > 0;
}

/* For n packets. What takes longer was not the watch: somebody else had the CPU. */
static void spend(struct knit_watcher *x, uint64_t since, uint32_t n)
{
	x->budget -= (int64_t)RTE_MIN(rte_rdtsc() - since, n * x->longest) * 100;
}

/*
 * The last frames that software made come first: the mbuf of one, or of the packet that it was made
 * of, may be free by now and be another one's.
 */
static struct knit_watch_entry *entry_of_piece(struct knit_watcher *x, const struct rte_mbuf *m)
{
	uint32_t i, last = x->n_pieces, known = RTE_MIN(last, (uint32_t)KNIT_WATCH_PIECES);

	for (i = 1; i <= known; i++)
		if (x->pieces[(last - i) % KNIT_WATCH_PIECES].m == m)
			return x->pieces[(last - i) % KNIT_WATCH_PIECES].entry;
	return entry_of(x, m);
}

void knit_watch_dropped(struct knit_watcher *x, enum knit_worker_drop why,
			struct rte_mbuf *const *m, uint32_t n)
{
	struct knit_watch_entry *e;
	uint64_t now = rte_rdtsc();
	uint32_t i;

	if (x->n_entries == 0)
		return;
	for (i = 0; i < n; i++)
		for (e = entry_of_piece(x, m[i]); e; e = e->twin)
			drop_add(e, why, now);
	spend(x, now, n);
}

static void piece_add(struct knit_watcher *x, const struct rte_mbuf *m,
		      struct knit_watch_entry *entry)
{
	x->pieces[x->n_pieces++ % KNIT_WATCH_PIECES] = (struct knit_watch_piece){ m, entry };
}

void knit_watch_changed(struct knit_watcher *x, const struct rte_mbuf *m,
			struct rte_mbuf *const *pieces, uint32_t n)
{
	struct knit_watch_entry *first, *e;
	uint64_t now = rte_rdtsc();
	uint32_t i;

	if (x->n_entries == 0)
		return;
	first = entry_of_piece(x, m);
	for (e = first; e; e = e->twin) {
		e->pieces += n - (e->pieces != 0);
		step_add(e->record, &(struct knit_watch_step){
					    .tsc = now, .what = KNIT_WATCH_CHANGED, .value = n });
	}
	/* m is free, unless it is one of the pieces */
	piece_add(x, m, NULL);
	for (i = 0; i < n; i++)
		piece_add(x, pieces[i], first);
	spend(x, now, 1);
}

static void look_at_received(struct knit_watcher *x, const struct knit_watch_place *at,
			     const struct knit_burst *b)
{
	struct knit_watch_entry *e;
	uint32_t i;

	for (i = 0; i < b->n; i++) {
		e = look_at(x, at, b->m[i]);
		if (e)
			step_add(e->record, &(struct knit_watch_step){ .tsc = x->received,
								       .what = KNIT_WATCH_RECEIVED,
								       .end = at->end,
								       .index = at->index,
								       .value = at->queue });
	}
}

static void count_seen(struct knit_watcher *x, uint32_t n)
{
	if (limit_reached(x))
		return;
	knit_count(&x->ring->counts.seen, n);
	if (!x->looks)
		knit_count(&x->ring->counts.skipped, n);
}

uint32_t knit_watch_receive(struct knit_worker *w, struct knit_input *in, struct knit_burst *b)
{
	struct knit_watcher *x = w->watcher;
	const struct knit_watch_place *at = &x->inputs[in - w->inputs];

	if (at->receive(w, in, b) == 0)
		return 0;
	x->received = rte_rdtsc();
	x->in = in;
	x->from = at;
	x->left = b->n;
	x->n_entries = x->n_pieces = x->next = 0;
	x->looks = may_look(x, x->received);
	if (at->device.watched) {
		count_seen(x, b->n);
		if (x->looks) {
			look_at_received(x, at, b);
			spend(x, x->received, b->n);
		}
	}
	return b->n;
}

/* Before the call that sends m: the entry of its journey, if there is one. */
static struct knit_watch_entry *
before_send(struct knit_watcher *x, const struct knit_watch_place *to, const struct rte_mbuf *m)
{
	struct knit_watch_entry *first = entry_of(x, m), *e;

	if (!to->device.watched || (first && x->spec.journeys))
		return first;
	e = look_at(x, to, m);
	if (e == NULL)
		return first;
	step_add(e->record, &(struct knit_watch_step){ .tsc = x->received,
						       .what = KNIT_WATCH_RECEIVED,
						       .end = x->from->end,
						       .index = x->from->index,
						       .value = x->from->queue });
	if (first == NULL)
		return e;
	first->twin = e;
	/* It is found by the first one. */
	e->m = NULL;
	return first;
}

static void look_at_sent(struct knit_watcher *x, const struct knit_watch_place *to,
			 const struct knit_burst *b, uint64_t now)
{
	struct knit_watch_step step = { .tsc = now, .what = KNIT_WATCH_DECIDED };
	struct knit_watch_entry *e;
	uint32_t i;

	for (i = 0; i < b->n; i++) {
		e = before_send(x, to, b->m[i]);
		if (e == NULL)
			continue;
		step.index = knit_forward_why(x->in, b->m[i]);
		for (; e; e = e->twin) {
			step_add(e->record, &step);
			e->sending = true;
		}
	}
}

static void after_send(struct knit_watcher *x, const struct knit_watch_place *to)
{
	struct knit_watch_step step = { .tsc = rte_rdtsc(),
					.what = KNIT_WATCH_HANDED,
					.end = to->end,
					.index = to->index,
					.value = to->queue };
	struct knit_watch_entry *e = x->entries;

	for (; e < x->entries + x->n_entries; e++) {
		if (e->sending && e->dropped < RTE_MAX(e->pieces, 1u))
			step_add(e->record, &step);
		e->sending = false;
	}
}

uint32_t knit_watch_send(struct knit_worker *w, struct knit_output *out, struct knit_burst *b)
{
	struct knit_watcher *x = w->watcher;
	const struct knit_watch_place *to = &x->outputs[out - w->outputs];
	uint64_t start = rte_rdtsc();
	uint32_t n = b->n, sent;

	if (to->device.watched)
		count_seen(x, n);
	if (x->looks && (to->device.watched || x->n_entries)) {
		look_at_sent(x, to, b, start);
		spend(x, start, n);
	}
	sent = to->send(w, out, b);
	if (x->n_entries) {
		start = rte_rdtsc();
		after_send(x, to);
		spend(x, start, n);
	}
	x->left -= RTE_MIN(n, x->left);
	if (x->left == 0) {
		knit_watch_publish(x);
		x->n_entries = x->n_pieces = x->next = 0;
	}
	return sent;
}
