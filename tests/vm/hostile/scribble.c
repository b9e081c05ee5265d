// SPDX-License-Identifier: BSD-3-Clause
#include "hostile.h"

/* A word of an interface's shared block: often one of those that matter. */
static uint32_t *word_of(struct dice *d, const struct target *t)
{
	uint32_t off = below(d, knit_shm_bytes(t->ring_size, t->n_pairs)) & ~3u;
	uint32_t pair = below(d, t->n_pairs);

	switch (below(d, 4)) {
	case 0: /* indexes and flags */
		off = knit_shm_queue_off(t->ring_size, pair, below(d, KNIT_QUEUES)) +
		      below(d, 4) * KNIT_CACHE_LINE;
		break;
	case 1: /* descriptors */
		off = knit_shm_queue_off(t->ring_size, pair, below(d, KNIT_QUEUES)) +
		      sizeof(struct knit_ring_shm) +
		      below(d, t->ring_size * sizeof(struct knit_desc) / 4) * 4;
		break;
	case 2: /* header, wanted, requests, answers */
		off = below(d, knit_shm_queue_off(t->ring_size, 0, 0)) & ~3u;
		break;
	default:
		break;
	}
	return (uint32_t *)(t->shm + off);
}

static void change(struct dice *d, uint32_t *word)
{
	uint32_t old = knit_load(word);
	uint32_t times = 1 + below(d, 30);

	switch (below(d, 5)) {
	case 0:
		knit_store(word, (uint32_t)edge(d));
		break;
	case 1:
		knit_store(word, old ^ 1u << below(d, 32));
		break;
	case 2:
		knit_store(word, old + below(d, 9) - 4);
		break;
	default: /* back and forth: it changes while it is read */
		for (; times; times--) {
			knit_store(word, old ^ (uint32_t)roll(d));
			knit_store(word, old);
		}
		break;
	}
}

/* Descriptors and frames only, when the indexes are to stay as they are. */
static uint32_t *word_of_frame(struct dice *d, const struct stage *s)
{
	return (uint32_t *)(s->buffers + (below(d, s->buffers_len) & ~3u));
}

void *scribbler(void *arg)
{
	struct actor *a = arg;
	const struct stage *s = a->stage;
	struct dice *d = &a->dice;
	uint32_t n;

	for (;;) {
		for (n = below(d, 64); n; n--) {
			if (s->plan->scribble && !one_in(d, 4))
				change(d, word_of(d, &s->target[below(d, TARGETS)]));
			else
				change(d, word_of_frame(d, s));
			count(&control->scribbles);
		}
		nap(below(d, 2000));
	}
	return NULL;
}
