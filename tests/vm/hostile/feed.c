// SPDX-License-Identifier: BSD-3-Clause
#include "hostile.h"

#include <string.h>
#include <unistd.h>

/* Longest chain that is ever made; more than a frame may have, and than the kernel looks at. */
#define CHAIN 300

struct feed {
	const struct stage *stage;
	struct dice *dice;
	const struct target *target;
	struct knit_ring rx_q, free_q, alloc_q, tx_q;
};

static bool spoils(struct feed *f)
{
	return one_in(f->dice, f->stage->plan->spoil);
}

static void bind(struct feed *f, const struct target *t, uint32_t pair)
{
	struct knit_ring *rings[] = { &f->rx_q, &f->free_q, &f->alloc_q, &f->tx_q };
	enum knit_queue q;

	f->target = t;
	for (q = 0; q < KNIT_QUEUES; q++)
		knit_ring_bind(rings[q], t->shm + knit_shm_queue_off(t->ring_size, pair, q),
			       t->ring_size, sizeof(struct knit_desc));
}

/* What the kernel has last said is believed; where that is impossible a new lap begins. */
static uint32_t room_of(struct knit_ring *r)
{
	if (!knit_ring_claim_producer(r)) {
		r->cons = knit_load(&r->shm->consumer);
		r->prod = r->cons;
	}
	return knit_ring_reserve(r, r->size);
}

/* Commits n, or something else. */
static void submit(struct feed *f, struct knit_ring *r, uint32_t n)
{
	const uint32_t jumps[] = { r->size, r->size + 1, r->size - 1, 1, 0x80000000, -1u, 0x10000 };

	if (!spoils(f))
		knit_ring_submit(r, n);
	else if (one_in(f->dice, 2))
		knit_store_release(&r->shm->producer, r->prod + PICK(f->dice, jumps));
	else
		knit_store_release(&r->shm->producer, r->cons + PICK(f->dice, jumps));
}

static void drain(struct feed *f, struct knit_ring *r)
{
	const uint32_t jumps[] = { r->size, r->size + 1, 1, -1u, 0x7fffffff };
	uint32_t prod = knit_load_acquire(&r->shm->producer);

	if (spoils(f))
		prod += PICK(f->dice, jumps);
	knit_store_release(&r->shm->consumer, prod);
}

/* Inside the added memory, at its edges, or outside. */
static uint64_t odd_address(struct feed *f, uint32_t len)
{
	const struct stage *s = f->stage;
	const uint64_t start = (uintptr_t)s->area, end = start + s->area_len;
	const uint64_t addresses[] = {
		start,
		start - 1,
		start - len,
		end - len,
		end - len + 1,
		end - 1,
		end,
		0,
		-1ull,
		-(uint64_t)len,
		(uintptr_t)f->target->shm, /* the rings themselves */
		(uintptr_t)s->play + below(f->dice, s->play_len),
		(uintptr_t)control, /* memory of ours that was never added */
		0xffff888000000000ull + edge(f->dice) % (1ull << 32),
		edge(f->dice),
	};

	return PICK(f->dice, addresses);
}

static void spoil(struct feed *f, struct knit_desc *d)
{
	const uint32_t lens[] = { 0, 1, 13, 14, 15, 59, 255, 256, 65535, 65536, -1u, d->len - 1 };

	switch (below(f->dice, 12)) {
	case 0:
		d->flags ^= 1u << below(f->dice, 16);
		break;
	case 1:
		d->flags = below(f->dice, KNIT_DESC_FLAGS + 1);
		break;
	case 2:
		d->reserved = edge(f->dice);
		break;
	case 3:
		d->len = PICK(f->dice, lens);
		break;
	case 4:
	case 5:
		d->addr = odd_address(f, d->len);
		break;
	case 6:
		d->csum_start = one_in(f->dice, 2) ? edge(f->dice) : below(f->dice, 80);
		break;
	case 7:
		d->csum_offset = one_in(f->dice, 2) ? edge(f->dice) : below(f->dice, 80);
		break;
	case 8:
		d->gso_type = one_in(f->dice, 2) ? edge(f->dice) : below(f->dice, 5);
		break;
	case 9:
		d->gso_size = edge(f->dice);
		break;
	case 10:
		d->hdr_len = edge(f->dice);
		break;
	default:
		d->cookie = edge(f->dice);
		break;
	}
}

/* Splits a frame into a chain. Returns its length. */
static uint32_t chain(struct feed *f, const struct knit_desc *first, uint32_t len,
		      struct knit_desc *d)
{
	uint32_t segs = 1 + len / 32768, n = 0, take;

	if (one_in(f->dice, 2))
		segs = 1 + below(f->dice, KNIT_DESC_MAX_SEGS);
	if (spoils(f))
		segs = KNIT_DESC_MAX_SEGS + below(f->dice, CHAIN - KNIT_DESC_MAX_SEGS);
	while (n < segs) {
		take = n == segs - 1 ? len : below(f->dice, len / (segs - n) * 2 + 1);
		take = take < len ? take : len;
		if (n == 0 && take == 0)
			take = len;
		d[n] = n == 0 ? *first : (struct knit_desc){ .addr = d[n - 1].addr + d[n - 1].len };
		d[n].len = take;
		d[n].cookie = roll(f->dice);
		d[n].flags |= KNIT_DESC_MORE;
		len -= take;
		n++;
	}
	if (!spoils(f)) /* else it has no end */
		d[n - 1].flags &= ~KNIT_DESC_MORE;
	while (spoils(f))
		spoil(f, &d[below(f->dice, n)]);
	return n;
}

static uint8_t *place(struct feed *f, uint32_t len)
{
	return f->stage->buffers + below(f->dice, f->stage->buffers_len - len);
}

static void feed_rx(struct feed *f)
{
	uint32_t room = room_of(&f->rx_q), at = 0, n, len, i;
	struct knit_desc d[CHAIN], first;
	uint8_t *data;

	do {
		data = place(f, 2 * KNIT_BIG_FRAME_MAX);
		len = frame_make(f->dice, f->target, data, &first);
		first.addr = (uintptr_t)data;
		n = chain(f, &first, len, d);
		for (i = 0; i < n && at + i < room; i++)
			memcpy(knit_ring_entry(&f->rx_q, f->rx_q.prod + at + i), &d[i],
			       sizeof(d[i]));
		at += i;
		count(&control->frames);
	} while (at < room && !one_in(f->dice, 6));
	submit(f, &f->rx_q, at);
}

static void feed_alloc(struct feed *f)
{
	uint32_t room = room_of(&f->alloc_q), i;
	struct knit_desc d;

	if (!one_in(f->dice, 8))
		room = room ? below(f->dice, room) + 1 : 0;
	for (i = 0; i < room; i++) {
		d = (struct knit_desc){
			.addr = (uintptr_t)place(f, KNIT_FRAME_MAX),
			.len = one_in(f->dice, 4) ? 256 + below(f->dice, 65280) : 2048,
			.cookie = i,
		};
		if (spoils(f))
			spoil(f, &d);
		memcpy(knit_ring_entry(&f->alloc_q, f->alloc_q.prod + i), &d, sizeof(d));
		count(&control->buffers);
	}
	submit(f, &f->alloc_q, room);
}

/* By the doorbell, or by a call, which only the file that has the pair may make. */
static void tell(struct feed *f, uint32_t pair)
{
	const struct stage *s = f->stage;
	struct knit_ioc_kick k = { .size = sizeof(k), .id = f->target->id, .pair = pair };
	const uint64_t one = 1;
	uint32_t times = 1 + below(f->dice, 4);

	if (one_in(f->dice, 10))
		return;
	if (one_in(f->dice, 2)) {
		if (write(s->doorbells[0], &one, sizeof(one)) < 0)
			nap(100);
		return;
	}
	while (times--)
		call(s->other[one_in(f->dice, 10) ? below(f->dice, 2) : pair % 2], KNIT_IOC_KICK,
		     &k);
}

void *feeder(void *arg)
{
	struct actor *a = arg;
	struct feed f = { .stage = a->stage, .dice = &a->dice };
	const struct target *t;
	uint32_t pair;

	for (;;) {
		t = &a->stage->target[below(f.dice, TARGETS)];
		pair = below(f.dice, t->n_pairs);
		bind(&f, t, pair);
		drain(&f, &f.free_q);
		drain(&f, &f.tx_q);
		feed_rx(&f);
		feed_alloc(&f);
		tell(&f, pair);
		nap(below(f.dice, 1500));
	}
	return NULL;
}
