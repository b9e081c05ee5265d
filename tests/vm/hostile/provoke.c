// SPDX-License-Identifier: BSD-3-Clause
#include "hostile.h"

#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 20000

/*
 * One of each kind of wrong, before anybody disturbs: so that every counter is seen to work,
 * whatever chance brings later.
 */
static const struct knit_desc wrongs[] = {
	{ .len = 60, .reserved = 1 },
	{ .len = KNIT_DESC_MAX_LEN + 1 },
	{ .addr = 1, .len = 60 }, /* relative to the end of the memory */
	{ .len = 60, .flags = KNIT_DESC_CSUM_PARTIAL, .csum_start = 60 },
	{ .len = 60, .gso_type = 9 },
	{ .len = 60, .flags = KNIT_DESC_MORE }, /* and nothing behind it */
};

struct watch {
	const struct stage *stage;
	struct knit_ioc_stats s;
};

static void ring(const struct stage *s, uint32_t doorbell)
{
	const uint64_t one = 1;

	if (write(s->doorbells[doorbell], &one, sizeof(one)) < 0)
		die("doorbell");
}

static bool all_rejected(const void *arg)
{
	struct watch *w = (struct watch *)arg;
	const struct knit_ioc_stats *s = &w->s;

	ring(w->stage, 0);
	return stats(w->stage->file, w->stage->target[0].id, 0, &w->s) && s->bad_flags &&
	       s->bad_len && s->bad_addr && s->bad_csum && s->bad_gso && s->bad_chain;
}

static bool index_rejected(const void *arg)
{
	struct watch *w = (struct watch *)arg;

	ring(w->stage, 0);
	return stats(w->stage->file, w->stage->target[0].id, 0, &w->s) && w->s.bad_index;
}

static void provoke_frames(struct watch *w)
{
	const struct target *t = &w->stage->target[0];
	const uint32_t n = sizeof(wrongs) / sizeof(wrongs[0]);
	struct knit_ring rx_q;
	struct knit_desc d;
	uint32_t i;

	knit_ring_bind(&rx_q, t->shm + knit_shm_queue_off(t->ring_size, 0, KNIT_RX_Q), t->ring_size,
		       sizeof(d));
	for (i = 0; i < n; i++) {
		d = wrongs[i];
		d.addr += (uintptr_t)w->stage->area + (d.addr ? w->stage->area_len - 60 : 0);
		memcpy(knit_ring_entry(&rx_q, i), &d, sizeof(d));
	}
	knit_ring_submit(&rx_q, n);
	wait_until(PATIENCE_MS, all_rejected, w);
	knit_store(&rx_q.shm->producer, n + t->ring_size + 1);
	wait_until(PATIENCE_MS, index_rejected, w);
	knit_store(&rx_q.shm->producer, n);
}

struct pending {
	const struct stage *stage;
	const struct knit_ring *req_q;
};

static bool has_request(const void *arg)
{
	const struct pending *a = arg;

	ring(a->stage, 1);
	return knit_load_acquire(&a->req_q->shm->producer) != 0;
}

static bool answers_judged(const void *arg)
{
	struct watch *w = (struct watch *)arg;

	ring(w->stage, 1);
	return stats(w->stage->file, w->stage->target[0].id, 0, &w->s) && w->s.req_unknown &&
	       w->s.req_duplicate;
}

/* Wants to be told everything; then the first request twice, and then for no request. */
static void provoke_answers(struct watch *w)
{
	const struct target *t = &w->stage->target[0];
	struct knit_req r = { .flags = KNIT_REQ_STATE };
	struct knit_ring req_q, resp_q;
	struct pending pending = { w->stage, &req_q };
	uint32_t i;

	knit_ring_bind(&req_q, t->shm + knit_shm_req_off(), KNIT_REQ_RING, sizeof(r));
	knit_ring_bind(&resp_q, t->shm + knit_shm_resp_off(), KNIT_REQ_RING, sizeof(r));
	memcpy(knit_ring_entry(&resp_q, 0), &r, sizeof(r));
	knit_ring_submit(&resp_q, 1);
	if (!wait_until(PATIENCE_MS, has_request, &pending))
		return;
	knit_req_load(&r, knit_ring_entry(&req_q, 0));
	for (i = 1; i < 4; i++) {
		memcpy(knit_ring_entry(&resp_q, i), &r, sizeof(r));
		r.seq += (i - 1) * 1000;
	}
	r.kind = KNIT_REQ_COUNT;
	memcpy(knit_ring_entry(&resp_q, 4), &r, sizeof(r));
	knit_ring_submit(&resp_q, 4);
	wait_until(PATIENCE_MS, answers_judged, w);
	knit_store(&req_q.shm->consumer, 1);
}

/* A full ring, more than one visit takes. Again, since the packet thread may be at it. */
static bool kick_left_some(const void *arg)
{
	struct watch *w = (struct watch *)arg;
	const struct target *t = &w->stage->target[0];
	const struct knit_desc d = { .addr = (uintptr_t)w->stage->area, .len = 60, .reserved = 1 };
	struct knit_ioc_kick k = { .size = sizeof(k), .id = t->id };
	struct knit_ring rx_q;
	uint32_t i, n;

	knit_ring_bind(&rx_q, t->shm + knit_shm_queue_off(t->ring_size, 0, KNIT_RX_Q), t->ring_size,
		       sizeof(d));
	if (knit_ring_claim_producer(&rx_q)) {
		n = knit_ring_reserve(&rx_q, t->ring_size);
		for (i = 0; i < n; i++)
			memcpy(knit_ring_entry(&rx_q, rx_q.prod + i), &d, sizeof(d));
		knit_ring_submit(&rx_q, n);
	}
	call(w->stage->other[0], KNIT_IOC_KICK, &k);
	return stats(w->stage->file, t->id, 0, &w->s) && w->s.kicks_over;
}

void provoke(const struct stage *stage)
{
	struct watch w = { .stage = stage };

	provoke_frames(&w);
	/* the first round's ring is long enough; in loopback a kick only wakes the thread */
	if (stage->plan->round == 0 && !control->loopback)
		wait_until(PATIENCE_MS, kick_left_some, &w);
	provoke_answers(&w);
}
