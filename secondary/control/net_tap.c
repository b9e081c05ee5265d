// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "net_tap.h"

#include "control.h"
#include "kni/base/clock.h"
#include "kni/base/log.h"
#include "system/quirks/net_tap_fds.h"

/*
 * EAL's message thread receives the fds, at its own time. For how long and how often control looks
 * for them:
 */
#define POLL_MS 1000
#define POLL_EVERY_MS 50

static uint32_t count_starts(const struct knit_topo *t)
{
	uint32_t i, n = 0;

	for (i = 0; i < t->n_ports; i++)
		n += __atomic_load_n(&t->ports[i].starts, __ATOMIC_ACQUIRE);
	return n;
}

static void close_tap_fds(void)
{
	unsigned int n = knit_tap_fds_close_all();

	if (n > 0)
		log_debug("closed %u copies of ports' queue fds", n);
}

void control_net_tap_init(struct control *c)
{
	c->starts = count_starts(c->topo);
	close_tap_fds();
}

void control_net_tap_again(struct control *c)
{
	c->poll_until = knit_now_ms() + POLL_MS;
	close_tap_fds();
}

int control_net_tap_poll(struct control *c)
{
	uint32_t starts = count_starts(c->topo);
	int64_t now;

	if (starts == c->starts && c->poll_until == 0)
		return -1;
	now = knit_now_ms();
	if (starts != c->starts)
		c->poll_until = now + POLL_MS;
	c->starts = starts;
	close_tap_fds();
	if (now >= c->poll_until)
		c->poll_until = 0;
	return c->poll_until ? POLL_EVERY_MS : -1;
}
