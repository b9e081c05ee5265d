// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_req
#include "claim.h"

#include "apply.h"
#include "control.h"
#include "kni/base/doorbell.h"
#include "kni/base/log.h"

#include <errno.h>
#include <string.h>

static int claim_iface(struct control *c, const struct knit_plan *plan, unsigned int n)
{
	struct control_iface *i = &c->ifaces[n];
	struct knit_handler handler = {
		.ops = &control_ops, .doorbell = c->topo->control.doorbell, .fixed = true, .arg = i
	};
	int ret;

	memset(i, 0, sizeof(*i));
	i->control = c;
	i->topo = &c->topo->ifaces[n];
	i->port = plan->ifaces[n].port;
	i->port_made = i->port < 0 ? 0 : c->topo->ports[i->port].made;
	ret = knit_handler_claim(i->topo->kni, &handler);
	if (ret == 0)
		i->kni = i->topo->kni;
	if (ret == 0)
		ret = knit_handler_state(i->kni);
	if (ret == 0)
		return KNIT_EXIT_OK;
	log_err("%s: cannot become the handler of its requests: %s", i->topo->name,
		rte_strerror(-ret));
	return ret == -EBUSY ? KNIT_EXIT_TAKEN : KNIT_EXIT_FAILURE;
}

static void unclaim_iface(struct control_iface *i)
{
	if (i->kni)
		knit_handler_unclaim(i->kni);
	i->kni = NULL;
}

/*
 * Another interface may have taken the place. With another port, the kernel has to tell all that it
 * wants again, which it does when the handler changes.
 */
static bool is_same(const struct control *c, const struct knit_plan *plan, unsigned int n)
{
	const struct control_iface *i = &c->ifaces[n];

	return plan->ifaces[n].there && i->kni == c->topo->ifaces[n].kni &&
	       i->port == plan->ifaces[n].port &&
	       (i->port < 0 || i->port_made == c->topo->ports[i->port].made);
}

int control_claim(struct control *c)
{
	const struct knit_plan *plan = knit_topo_plan(c->topo);
	int ret = KNIT_EXIT_OK;
	unsigned int n;

	for (n = 0; n < KNIT_MAX_CONF_IFACES; n++)
		if (!is_same(c, plan, n))
			unclaim_iface(&c->ifaces[n]);
	for (n = 0; n < KNIT_MAX_CONF_IFACES && ret == KNIT_EXIT_OK; n++)
		if (plan->ifaces[n].there && c->ifaces[n].kni == NULL)
			ret = claim_iface(c, plan, n);
	if (ret == KNIT_EXIT_OK) {
		c->plan = plan->number;
		__atomic_store_n(&c->topo->control.follows, c->plan, __ATOMIC_RELEASE);
	}
	return ret;
}

void control_unclaim(struct control *c)
{
	unsigned int n;

	for (n = 0; n < KNIT_MAX_CONF_IFACES; n++)
		unclaim_iface(&c->ifaces[n]);
}
