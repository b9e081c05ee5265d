// SPDX-License-Identifier: BSD-3-Clause
#include "datapath.h"

#include <rte_errno.h>

static enum knit_worker_drop drop_reason(int err)
{
	switch (err) {
	case ENOMEM:
		return KNIT_WORKER_DROP_PORT_NO_BUFFER;
	case EMSGSIZE:
	case ENOSPC:
		return KNIT_WORKER_DROP_PORT_TOO_LONG;
	default:
		return KNIT_WORKER_DROP_PORT_TX_PREPARE;
	}
}

void knit_worker_fallback_failed(struct knit_worker *w, struct rte_mbuf *m)
{
	enum knit_worker_drop why = drop_reason(rte_errno);

	knit_count(&w->stats->drops[why], 1);
	if (unlikely(w->watcher))
		knit_watch_dropped(w->watcher, why, &m, 1);
}

uint32_t knit_worker_fallback(struct knit_worker *w, const struct knit_output *out,
			      struct rte_mbuf *m, uint32_t at)
{
	uint32_t made;

	made = knit_offload_fallback(m, &out->offload, w->work + at, RTE_DIM(w->work) - at);
	if (unlikely(made == 0))
		knit_worker_fallback_failed(w, m);
	else if (unlikely(w->watcher))
		knit_watch_changed(w->watcher, m, w->work + at, made);
	return made;
}
