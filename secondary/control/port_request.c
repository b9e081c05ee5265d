// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_req
#include "port_request.h"

#include "control.h"
#include "kni/base/log.h"

#include <rte_ether.h>

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>

static const char *print_operand(const struct control_iface *i, const struct knit_msg *m,
				 char buf[64])
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

/* The caller logs that a request was refused. Only the details are logged here. */
static void log_answer(const struct control_iface *i, const struct knit_msg *asked,
		       const struct knit_msg *answer, int ret)
{
	const char *port = i->control->topo->ports[asked->port].name;
	const char *op = knit_op_name(asked->op);
	char value[64];

	print_operand(i, asked, value);
	if (ret == 0)
		log_notice("%s: %s %s applied to port %s", i->topo->name, op, value, port);
	else
		log_info("%s: %s %s on port %s: %s", i->topo->name, op, value, port,
			 answer->text[0] ? answer->text : rte_strerror(-ret));
}

/*
 * After a time-out nobody knows the port's setting: the primary may still carry out the late
 * request, and the kernel would have been told otherwise. So the request is repeated until there is
 * an answer. The primary acts in the order of the requests, so the answer to the last one is valid
 * for all. A caller in the kernel waits for its own time and then cancels. The cancellation is
 * noticed when the answer is there. Only the end of this process ends the wait. The next control
 * gets every setting again.
 */
static bool try_again(struct control *c, const struct control_iface *i, uint32_t op)
{
	struct pollfd signals = { .fd = c->signals, .events = POLLIN };

	if (poll(&signals, 1, 0) > 0 || __atomic_load_n(&c->topo->stopping, __ATOMIC_ACQUIRE))
		c->gave_up = true;
	else if (!c->waiting)
		log_warn("%s: %s: the primary did not answer within %d ms; asking on",
			 i->topo->name, knit_op_name(op), KNIT_MSG_TIMEOUT_MS);
	c->waiting = true;
	control_status(c);
	return !c->gave_up;
}

/* -1: none. Its interface's requests are answered, and nothing is done. */
static int16_t port_of(const struct control_iface *i)
{
	const struct knit_topo *t = i->control->topo;

	return knit_topo_plan(t)->ifaces[i->topo - t->ifaces].port;
}

int control_request(struct control_iface *i, struct knit_msg *m)
{
	int16_t port = port_of(i);
	struct knit_topo_control *stats = &i->control->topo->control;
	struct knit_msg answer;
	int ret;

	if (port < 0)
		return 0;
	m->role = KNIT_ROLE_CONTROL;
	m->port = port;
	m->instance = i->control->topo->instance;
	if (i->control->gave_up)
		return -ETIMEDOUT;
	do {
		/* Asking for as long as it takes is no standstill. */
		knit_beat(&i->control->beat);
		answer = *m;
		ret = knit_msg_ask(&answer, -1, KNIT_MSG_TIMEOUT_MS);
	} while (ret == -ETIMEDOUT && try_again(i->control, i, m->op));
	i->control->waiting = false;
	control_status(i->control);
	if (ret < 0)
		__atomic_store_n(&stats->refused, stats->refused + 1, __ATOMIC_RELAXED);
	log_answer(i, m, &answer, ret);
	return ret;
}

int control_request_rxlist(struct control_iface *i, const struct knit_topo_rxlist *list)
{
	struct knit_topo_rxlist *shared = &i->control->topo->control.rxlist;
	struct knit_msg m = { .op = KNIT_OP_RXLIST };

	if (port_of(i) < 0)
		return 0;
	memcpy(shared->addr, list->addr, (list->n_uc + list->n_mc) * sizeof(list->addr[0]));
	shared->n_uc = list->n_uc;
	shared->n_mc = list->n_mc;
	return control_request(i, &m);
}
