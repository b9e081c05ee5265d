// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_port
#include "handoff.h"

#include "kni/base/log.h"
#include "primary.h"
#include "system/topology/handoff.h"

#include <rte_errno.h>
#include <rte_memzone.h>

#include <errno.h>
#include <stdio.h>

static void name_of(char name[RTE_MEMZONE_NAMESIZE], uint32_t plan, unsigned int port,
		    unsigned int w)
{
	snprintf(name, RTE_MEMZONE_NAMESIZE, "knit_handoff_%u_%u_%u", plan, port, w);
}

int primary_handoff_create(const struct primary *p, struct knit_plan *plan, unsigned int port,
			   unsigned int w, uint32_t tx_desc)
{
	struct knit_plan_worker *worker = &plan->workers[w];
	uint32_t size = knit_handoff_size(tx_desc);
	char name[RTE_MEMZONE_NAMESIZE];
	const struct rte_memzone *mz;
	struct knit_handoff *x;

	name_of(name, plan->number, port, w);
	mz = rte_memzone_reserve_aligned(name, knit_handoff_bytes(size), SOCKET_ID_ANY, 0,
					 RTE_CACHE_LINE_SIZE);
	if (mz == NULL) {
		log_err("memzone %s: %s", name, rte_strerror(rte_errno));
		return -ENOMEM;
	}
	x = mz->addr;
	knit_handoff_init(x, size);
	x->plan = plan->number;
	x->port = port;
	x->producer = w;
	x->consumer = worker->tx_owner[port];
	x->consumer_doorbell = p->topo->workers[x->consumer].doorbell;
	worker->handoff[port] = x;
	return 0;
}

void primary_handoff_free(struct knit_handoff *x)
{
	char name[RTE_MEMZONE_NAMESIZE];

	name_of(name, x->plan, x->port, x->producer);
	rte_memzone_free(rte_memzone_lookup(name));
}

int primary_handoffs_create(struct primary *p)
{
	unsigned int k, w;
	int ret = 0;

	for (k = 0; k < p->topo->n_ports; k++)
		for (w = 0; w < p->topo->n_workers && ret == 0; w++)
			if (p->plan->workers[w].tx_owner[k] >= 0 &&
			    p->plan->workers[w].tx_owner[k] != (int)w)
				ret = primary_handoff_create(p, p->plan, k, w,
							     p->conf->ports[k].tx_desc);
	return ret;
}

static bool worker_is_dead(const struct primary *p, unsigned int w)
{
	return p->topo->workers[w].state == KNIT_PROCESS_DEAD;
}

unsigned int primary_handoffs_reset(struct primary *p, unsigned int w)
{
	unsigned int k, v, forgotten = 0;
	struct knit_handoff *x;

	for (k = 0; k < p->topo->n_ports; k++) {
		for (v = 0; v < p->topo->n_workers; v++) {
			x = p->plan->workers[v].handoff[k];
			if (x && (x->producer == w || x->consumer == w))
				forgotten += knit_handoff_reset(x, worker_is_dead(p, x->producer));
		}
	}
	return forgotten;
}

/*
 * Queues of a domain that was not reset are left out: their mbufs are of a pool that nobody can use
 * any more.
 */
void primary_handoffs_drain(struct primary *p)
{
	struct knit_handoff *x;
	unsigned int k, w;

	for (k = 0; k < p->topo->n_ports; k++) {
		for (w = 0; w < p->topo->n_workers; w++) {
			x = p->plan->workers[w].handoff[k];
			if (x && !worker_is_dead(p, w))
				knit_handoff_drain(x);
		}
	}
}
