// SPDX-License-Identifier: BSD-3-Clause
#include "datapath.h"
#include "kni/datapath/datapath.h"

/*
 * How many frames may be taken if they all go to another interface. A frame that finds no room
 * there would be lost. A frame that is left in tx_q holds the kernel's sender back, as a full wire
 * would. A frame needs the same number of descriptors in both queues.
 */
static uint32_t frames_with_room(struct knit_input *in, struct knit_output *out, uint32_t burst)
{
	if (!knit_from_kernel_any(in->kni, in->queue))
		return 0;
	return knit_from_kernel_count(in->kni, in->queue, knit_to_kernel_room(out->kni, out->queue),
				      burst);
}

/* TX path, after knit_from_kernel: a burst that the kernel sent. */
uint32_t knit_iface_rx(struct knit_worker *w, struct knit_input *in, struct knit_burst *b)
{
	struct knit_output *out = &w->outputs[in->peer];
	uint32_t want = w->burst;

	if (out->end == KNIT_END_IFACE)
		want = frames_with_room(in, out, want);
	b->m = w->rx;
	/* Called also for no frames: it puts new buffers on offer. */
	b->n = knit_from_kernel(in->kni, in->queue, w->rx, want);
	if (b->n)
		knit_burst_sum(b);
	return b->n;
}
