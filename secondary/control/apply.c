// SPDX-License-Identifier: BSD-3-Clause
#include "apply.h"

#include "control.h"
#include "port_request.h"

#include <errno.h>
#include <string.h>

/*
 * The handler's callbacks. The kernel's side is level-triggered: it reports every setting when a
 * handler attaches, and it may repeat itself. So a setting that the port has already is not
 * requested again. If a value is refused, the old one stays in force. Without an answer nobody
 * knows which one is in force.
 */

static bool applied_known(const struct control_iface *i, uint32_t op)
{
	return i->applied.known & (1U << op);
}

static int applied_settle(struct control_iface *i, uint32_t op, int ret)
{
	if (ret == 0)
		i->applied.known |= 1U << op;
	else if (ret == -ETIMEDOUT)
		i->applied.known &= ~(1U << op);
	return ret;
}

static int apply_bool(struct control_iface *i, uint32_t op, bool on, bool *value)
{
	struct knit_msg m = { .op = op, .value = on };
	int ret;

	if (applied_known(i, op) && *value == on)
		return 0;
	ret = control_request(i, &m);
	if (ret == 0)
		*value = on;
	return applied_settle(i, op, ret);
}

static int apply_link(void *arg, bool up)
{
	struct control_iface *i = arg;

	return apply_bool(i, KNIT_OP_LINK, up, &i->applied.up);
}

static int apply_promisc(void *arg, bool on)
{
	struct control_iface *i = arg;

	return apply_bool(i, KNIT_OP_PROMISC, on, &i->applied.promisc);
}

static int apply_allmulti(void *arg, bool on)
{
	struct control_iface *i = arg;

	return apply_bool(i, KNIT_OP_ALLMULTI, on, &i->applied.allmulti);
}

static int apply_mtu(void *arg, uint32_t mtu)
{
	struct knit_msg m = { .op = KNIT_OP_MTU, .value = mtu };
	struct control_iface *i = arg;
	int ret;

	if (applied_known(i, KNIT_OP_MTU) && i->applied.mtu == mtu)
		return 0;
	ret = control_request(i, &m);
	if (ret == 0)
		i->applied.mtu = mtu;
	return applied_settle(i, KNIT_OP_MTU, ret);
}

static int apply_mac(void *arg, const uint8_t mac[6])
{
	struct knit_msg m = { .op = KNIT_OP_MAC };
	struct control_iface *i = arg;
	int ret;

	if (applied_known(i, KNIT_OP_MAC) &&
	    memcmp(i->applied.mac, mac, sizeof(i->applied.mac)) == 0)
		return 0;
	memcpy(m.mac, mac, sizeof(i->applied.mac));
	ret = control_request(i, &m);
	if (ret == 0)
		memcpy(i->applied.mac, mac, sizeof(i->applied.mac));
	return applied_settle(i, KNIT_OP_MAC, ret);
}

static bool same_rxlist(const struct knit_topo_rxlist *a, const struct knit_topo_rxlist *b)
{
	return a->n_uc == b->n_uc && a->n_mc == b->n_mc &&
	       memcmp(a->addr, b->addr, (a->n_uc + a->n_mc) * sizeof(a->addr[0])) == 0;
}

static int apply_rxlist(void *arg, const struct knit_iface_state *state)
{
	struct control_iface *i = arg;
	struct knit_topo_rxlist list;
	int ret;

	list.n_uc = state->n_uc;
	list.n_mc = state->n_mc;
	memcpy(list.addr, state->uc, list.n_uc * sizeof(list.addr[0]));
	memcpy(list.addr + list.n_uc, state->mc, list.n_mc * sizeof(list.addr[0]));
	if (applied_known(i, KNIT_OP_RXLIST) && same_rxlist(&i->applied.rxlist, &list))
		return 0;
	ret = control_request_rxlist(i, &list);
	if (ret == 0)
		i->applied.rxlist = list;
	return applied_settle(i, KNIT_OP_RXLIST, ret);
}

const struct knit_handler_ops control_ops = {
	.link = apply_link,
	.mtu = apply_mtu,
	.mac = apply_mac,
	.promisc = apply_promisc,
	.allmulti = apply_allmulti,
	.rxlist = apply_rxlist,
};
