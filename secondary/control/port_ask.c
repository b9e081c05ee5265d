// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_req
#include "control.h"
#include "log.h"

#include <rte_ether.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

static const char *describe(const struct control_iface *i, const struct knit_msg *m, char buf[64])
{
	const struct knit_topo_rxlist *list = &i->control->topo->control.rxlist;

	switch (m->op) {
	case KNIT_OP_LINK:
		snprintf(buf, 64, "%s", m->value ? "up" : "down");
		break;
	case KNIT_OP_MAC:
		snprintf(buf, 64, "%02x:%02x:%02x:%02x:%02x:%02x", m->mac[0], m->mac[1], m->mac[2],
			 m->mac[3], m->mac[4], m->mac[5]);
		break;
	case KNIT_OP_PROMISC:
	case KNIT_OP_ALLMULTI:
		snprintf(buf, 64, "%s", m->value ? "on" : "off");
		break;
	case KNIT_OP_RXLIST:
		snprintf(buf, 64, "%u unicast and %u multicast addresses", list->n_uc, list->n_mc);
		break;
	default:
		snprintf(buf, 64, "%" PRIu32, m->value);
	}
	return buf;
}

/* A refusal is told to everybody by the caller; here are only its details. */
static void tell(const struct control_iface *i, const struct knit_msg *asked,
		 const struct knit_msg *answer, int ret)
{
	const char *port = i->control->topo->ports[i->topo->port].name;
	const char *op = knit_op_name(asked->op);
	char value[64];

	describe(i, asked, value);
	if (ret == 0)
		log_notice("%s: %s %s applied to port %s", i->topo->name, op, value, port);
	else
		log_info("%s: %s %s on port %s: %s", i->topo->name, op, value, port,
			 answer->text[0] ? answer->text : rte_strerror(-ret));
}

int control_ask(struct control_iface *i, struct knit_msg *m)
{
	struct knit_topo_control *stats = &i->control->topo->control;
	struct knit_msg answer;
	int ret;

	if (i->topo->port < 0)
		return 0;
	m->role = KNIT_ROLE_CONTROL;
	m->port = i->topo->port;
	m->instance = i->control->topo->instance;
	answer = *m;
	ret = knit_msg_ask(&answer, -1, KNIT_MSG_TIMEOUT_MS);
	if (ret < 0)
		__atomic_store_n(&stats->refused, stats->refused + 1, __ATOMIC_RELAXED);
	tell(i, m, &answer, ret);
	return ret;
}

/*
 * The primary acts in the order of the questions. A list it did not get to in time must stay what
 * it is until it did; the same question once more, answered, says so.
 */
static int settle_late_list(struct control *c)
{
	struct knit_msg m = { .op = KNIT_OP_RXLIST, .role = KNIT_ROLE_CONTROL };
	int ret;

	if (c->late_list < 0)
		return 0;
	m.port = c->late_list;
	m.instance = c->topo->instance;
	ret = knit_msg_ask(&m, -1, KNIT_MSG_TIMEOUT_MS);
	if (ret == -ETIMEDOUT)
		return ret;
	c->late_list = -1;
	return 0;
}

int control_ask_rxlist(struct control_iface *i, const struct knit_topo_rxlist *list)
{
	struct knit_topo_rxlist *shared = &i->control->topo->control.rxlist;
	struct knit_msg m = { .op = KNIT_OP_RXLIST };
	int ret;

	if (i->topo->port < 0)
		return 0;
	ret = settle_late_list(i->control);
	if (ret < 0)
		return ret;
	memcpy(shared->addr, list->addr, (list->n_uc + list->n_mc) * sizeof(list->addr[0]));
	shared->n_uc = list->n_uc;
	shared->n_mc = list->n_mc;
	ret = control_ask(i, &m);
	if (ret == -ETIMEDOUT)
		i->control->late_list = i->topo->port;
	return ret;
}
