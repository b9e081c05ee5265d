// SPDX-License-Identifier: BSD-3-Clause
#include "handover.h"
#include "kni/base/broker.h"
#include "msg.h"

#include <errno.h>

static const struct knit_secondary *self;

static int ask(struct knit_msg m)
{
	m.role = self->role;
	m.id = self->id;
	m.instance = self->topo->instance;
	return knit_msg_ask_fd(&m, KNIT_MSG_TIMEOUT_MS);
}

static int ask_doorbell(uint32_t doorbell)
{
	return ask((struct knit_msg){ .op = KNIT_OP_DOORBELL, .value = doorbell });
}

static int ask_role(const struct rte_kni *kni, uint32_t role)
{
	uint32_t i;

	for (i = 0; i < self->topo->n_ifaces; i++)
		if (self->topo->ifaces[i].kni == kni)
			return ask(
				(struct knit_msg){ .op = KNIT_OP_ROLE, .port = i, .value = role });
	return -ENOENT;
}

void knit_handover_start(const struct knit_secondary *s)
{
	static const struct knit_broker primary = { ask_doorbell, ask_role };

	self = s;
	knit_broker = &primary;
}
