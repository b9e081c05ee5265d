// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_req
#include "claim.h"

#include "apply.h"
#include "control.h"
#include "kni/base/doorbell.h"
#include "kni/base/log.h"

#include <errno.h>

int control_claim(struct control *c)
{
	struct knit_handler handler = { .ops = &control_ops,
					.doorbell = c->topo->control.doorbell,
					.fixed = true };
	struct control_iface *i;
	unsigned int n;
	int ret;

	for (n = 0; n < c->topo->n_ifaces; n++) {
		i = &c->ifaces[n];
		i->control = c;
		i->topo = &c->topo->ifaces[n];
		handler.arg = i;
		ret = knit_handler_claim(i->topo->kni, &handler);
		i->claimed = ret == 0;
		if (ret == 0)
			ret = knit_handler_state(i->topo->kni);
		if (ret < 0) {
			log_err("%s: cannot become the handler of its requests: %s", i->topo->name,
				rte_strerror(-ret));
			return ret == -EBUSY ? KNIT_EXIT_TAKEN : KNIT_EXIT_FAILURE;
		}
	}
	return KNIT_EXIT_OK;
}

void control_unclaim(struct control *c)
{
	unsigned int n;

	for (n = 0; n < c->topo->n_ifaces; n++) {
		if (c->ifaces[n].claimed)
			knit_handler_unclaim(c->ifaces[n].topo->kni);
		c->ifaces[n].claimed = false;
	}
}
