// SPDX-License-Identifier: BSD-3-Clause
#include "handover.h"

#include "kni/base/doorbell.h"
#include "kni/engine/engine.h"
#include "primary.h"
#include "registry.h"

#include <errno.h>

static int open_role(struct primary *p, struct knit_msg *m, const struct knit_topo_worker *w)
{
	const int16_t *pair = w ? p->plan->workers[w->id].pair : NULL;
	struct rte_kni *kni;

	if (m->port >= p->topo->n_ifaces || !p->topo->ifaces[m->port].there)
		return -ENOENT;
	kni = p->topo->ifaces[m->port].kni;
	if (kni->engine->open_role == NULL)
		return -EOPNOTSUPP;
	if (w == NULL && m->value == KNIT_MAX_PAIRS)
		return kni->engine->open_role(kni, m->value, p->topo->control.doorbell, false);
	if (w && pair[m->port] >= 0 && m->value == (uint32_t)pair[m->port])
		return kni->engine->open_role(kni, m->value, w->doorbell,
					      p->taking & UINT32_C(1) << w->id);
	KNIT_MSG_TEXT(m, "that is not its pair");
	return -EPERM;
}

int handover_open(struct primary *p, struct knit_msg *m)
{
	int i = registry_entry(p, m);

	if (i < 0)
		return i;
	/* All made by this process, for engines or workers: secondaries may ring any of them. */
	if (m->op == KNIT_OP_DOORBELL)
		return knit_doorbell_copy(m->value);
	if (i == CONTROL_ENTRY)
		return open_role(p, m, NULL);
	/* It opens the files of taps beforehand. One of the module is the worker's alone. */
	if (i > CONTROL_ENTRY && p->topo->ifaces[m->port % KNIT_MAX_CONF_IFACES].kni &&
	    p->topo->ifaces[m->port % KNIT_MAX_CONF_IFACES].kni->engine_kind != KNIT_ENGINE_TAP)
		return -EPERM;
	return open_role(p, m, &p->topo->workers[registry_worker_of(i)]);
}
