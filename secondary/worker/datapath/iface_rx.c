// SPDX-License-Identifier: BSD-3-Clause
#include "kni/datapath/datapath.h"
#include "worker/worker.h"

/*
 * Frames, at most max, that end within the next room descriptors. They are read again, and
 * checked, later.
 */
static uint32_t frames_within(const struct knit_ring *r, uint32_t room, uint32_t max)
{
	const struct knit_desc *d;
	uint32_t i, n = 0;

	for (i = 0; i < room && n < max; i++) {
		d = knit_ring_entry(r, r->cons + i);
		n += !(knit_load(&d->flags) & KNIT_DESC_MORE);
	}
	return n;
}

/*
 * How many frames may be taken if they all go to another interface. Frames that find no room there
 * would be lost, while those left in tx_q hold the kernel's sender back, as a full wire would. A
 * frame takes as many descriptors in the one queue as in the other.
 */
static uint32_t room_for(struct knit_input *in, struct knit_output *out, uint32_t burst)
{
	struct knit_rx_end *to = &out->kni->pair[out->queue].rx;
	struct knit_ring *from = &in->kni->pair[in->queue].tx.tx_q;
	uint32_t have, room;

	have = knit_ring_peek(from, from->size);
	if (have == 0)
		return 0;
	knit_to_kernel(out->kni, out->queue, NULL, 0); /* takes back what the engine is done with */
	room = knit_ring_reserve(&to->rx_q, to->rx_q.size);
	room = RTE_MIN(room, to->slots.n_free);
	return frames_within(from, RTE_MIN(have, room), burst);
}

/* TX path, after knit_from_kernel: a burst that the kernel sent. */
uint32_t knit_iface_rx(struct knit_worker *w, struct knit_input *in, struct knit_burst *b)
{
	struct knit_output *out = &w->outputs[in->peer];
	uint32_t want = w->burst;

	if (out->end == KNIT_END_IFACE)
		want = room_for(in, out, want);
	b->m = w->rx;
	/* Also for none: it puts new buffers on offer. */
	b->n = knit_from_kernel(in->kni, in->queue, w->rx, want);
	if (b->n)
		knit_burst_sum(b, false);
	return b->n;
}
