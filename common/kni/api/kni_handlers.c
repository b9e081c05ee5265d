// SPDX-License-Identifier: BSD-3-Clause
#include "kni/base/doorbell.h"
#include "kni/control/handler.h"
#include "kni_ops.h"

/* Callbacks of this process, by interface: those it registered, and those of a creator's alloc. */
static struct knit_kni_user registered[KNIT_MAX_IFACES];
static struct knit_kni_user by_default[KNIT_MAX_IFACES];

int knit_kni_take_handler(struct rte_kni *kni, const struct rte_kni_ops *ops)
{
	struct knit_kni_user *user = &by_default[kni->index];
	struct knit_handler h = {
		.ops = &knit_kni_ops,
		.arg = &registered[kni->index],
		.doorbell = KNIT_DOORBELL_NONE,
		.fixed = true,
	};

	memset(user, 0, sizeof(*user));
	user->ops.port_id = UINT16_MAX;
	knit_handler_fallback(kni, &knit_kni_ops, user);
	if (ops == NULL)
		return 0;
	if (!knit_kni_ops_any(ops)) {
		user->ops.port_id = ops->port_id;
		return 0;
	}
	registered[kni->index] = (struct knit_kni_user){ .ops = *ops };
	return knit_handler_claim(kni, &h);
}

static unsigned int calls_of(const struct rte_kni *kni)
{
	return registered[kni->index].calls + by_default[kni->index].calls;
}

/* What calls nothing does not use up the application's one request. */
int rte_kni_handle_request(struct rte_kni *kni)
{
	unsigned int before, n = 0;
	int ret;

	if (kni == NULL)
		return -1;
	before = calls_of(kni);
	do {
		ret = knit_handler_serve(kni, 1);
	} while (ret > 0 && calls_of(kni) == before && ++n < KNIT_REQ_RING);
	return ret < 0 ? -1 : 0;
}

int rte_kni_request_state(struct rte_kni *kni)
{
	return kni && knit_handler_state(kni) == 0 ? 0 : -1;
}

int rte_kni_register_handlers(struct rte_kni *kni, struct rte_kni_ops *ops)
{
	struct knit_kni_user before;
	struct knit_handler h = {
		.ops = &knit_kni_ops,
		.doorbell = KNIT_DOORBELL_NONE,
	};

	if (kni == NULL || ops == NULL)
		return -1;
	before = registered[kni->index];
	registered[kni->index] = (struct knit_kni_user){ .ops = *ops };
	h.arg = &registered[kni->index];
	h.fixed = knit_kni_ops_any(ops);
	if (knit_handler_claim(kni, &h) == 0)
		return 0;
	registered[kni->index] = before;
	return -1;
}

int rte_kni_register_rxlist(struct rte_kni *kni, rte_kni_rxlist_cb cb)
{
	if (kni == NULL || !knit_handler_is_self(kni))
		return -1;
	registered[kni->index].rxlist = cb;
	by_default[kni->index].rxlist = cb;
	return 0;
}

int rte_kni_unregister_handlers(struct rte_kni *kni)
{
	struct knit_kni_user *user;

	if (kni == NULL)
		return -1;
	if (knit_kni_is_creator(kni)) {
		user = &by_default[kni->index];
		memset(user, 0, sizeof(*user));
		user->ops.port_id = UINT16_MAX;
	}
	return knit_handler_unclaim(kni) < 0 ? -1 : 0;
}
