// SPDX-License-Identifier: BSD-3-Clause
#include "hostile.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int32_t odd_result(struct dice *d)
{
	static const int32_t results[] = { 0,	       -EINVAL,	    -EAGAIN,   -EBUSY,
					   -ETIMEDOUT, -EOPNOTSUPP, -511,      -512,
					   -516,       1,	    INT32_MAX, INT32_MIN,
					   -EINTR,     -ENOMEM,	    -ENODEV,   -ENOTCONN };

	return PICK(d, results);
}

/* Wrong number, kind, result; a request of long ago. */
static void spoil(struct dice *d, struct knit_req *r)
{
	switch (below(d, 6)) {
	case 0:
		r->seq += below(d, 5) - 2;
		break;
	case 1:
		r->seq = edge(d);
		break;
	case 2:
		r->kind = one_in(d, 2) ? below(d, KNIT_REQ_COUNT + 1) : edge(d);
		break;
	case 3:
		r->flags = edge(d);
		break;
	case 4:
		r->value = edge(d);
		break;
	default:
		r->result = one_in(d, 2) ? odd_result(d) : (int32_t)edge(d);
		break;
	}
}

/* Answers once or often, now or later or never. */
static void answer(const struct actor *a, struct dice *d, struct knit_ring *resp_q,
		   const struct knit_req *request)
{
	const bool obedient = a->stage->plan->obedient;
	struct knit_req r = *request;
	uint32_t times, i;

	r.result = obedient || !one_in(d, 3) ? 0 : odd_result(d);
	times = knit_ring_reserve(resp_q, obedient || !one_in(d, 4) ? 1 : below(d, 4));
	for (i = 0; i < times; i++) {
		if (one_in(d, a->stage->plan->spoil))
			spoil(d, &r);
		memcpy(knit_ring_entry(resp_q, resp_q->prod + i), &r, sizeof(r));
		count(&control->answers);
	}
	knit_ring_submit(resp_q, times);
	if (one_in(d, 4 * a->stage->plan->spoil))
		knit_store_release(&resp_q->shm->producer, (uint32_t)edge(d));
}

static void serve(const struct actor *a, struct dice *d, const struct target *t)
{
	struct knit_ring req_q, resp_q;
	struct knit_req r;
	uint32_t n, i;

	knit_ring_bind(&req_q, t->shm + knit_shm_req_off(), KNIT_REQ_RING, sizeof(r));
	knit_ring_bind(&resp_q, t->shm + knit_shm_resp_off(), KNIT_REQ_RING, sizeof(r));
	if (!knit_ring_claim_producer(&resp_q))
		resp_q.prod = resp_q.cons = knit_load(&resp_q.shm->consumer);
	if (!knit_ring_claim_consumer(&req_q))
		req_q.cons = req_q.prod = knit_load(&req_q.shm->producer);
	n = knit_ring_peek(&req_q, KNIT_REQ_RING);
	for (i = 0; i < n; i++) {
		knit_req_load(&r, knit_ring_entry(&req_q, req_q.cons + i));
		answer(a, d, &resp_q, &r);
	}
	knit_ring_release(&req_q, n);
	/* an old one again, that nobody waits for, or not yet */
	if (one_in(d, a->stage->plan->spoil)) {
		knit_req_load(&r, knit_ring_entry(&req_q, roll(d)));
		answer(a, d, &resp_q, &r);
	}
}

void *answerer(void *arg)
{
	struct actor *a = arg;
	const uint64_t one = 1;
	uint32_t i;

	for (;;) {
		for (i = 0; i < TARGETS; i++)
			serve(a, &a->dice, &a->stage->target[i]);
		if (write(a->stage->doorbells[1], &one, sizeof(one)) < 0)
			nap(100);
		nap(below(&a->dice, a->stage->plan->obedient ? 1000 : 20000));
	}
	return NULL;
}
