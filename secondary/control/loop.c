// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "loop.h"

#include "claim.h"
#include "control.h"
#include "kni/base/doorbell.h"
#include "kni/base/log.h"
#include "net_tap.h"

#include <errno.h>
#include <poll.h>

/* Most requests of one interface in a row; then the next interface is served */
#define REQUESTS_PER_TURN 8

/* Stops if the primary does not answer and the process has to end. The successor gets the rest. */
static unsigned int serve_iface(struct control *c, struct rte_kni *kni)
{
	unsigned int n = 0;

	while (n < REQUESTS_PER_TURN && !c->gave_up && knit_handler_serve(kni, 1) > 0)
		n++;
	return n;
}

/* Request entry point: one turn over all interfaces. Returns the number of answered requests. */
static unsigned int serve_ifaces(struct control *c)
{
	uint64_t *served = &c->topo->control.served;
	unsigned int n, total = 0;

	for (n = 0; n < KNIT_MAX_CONF_IFACES; n++)
		if (c->ifaces[n].kni)
			total += serve_iface(c, c->ifaces[n].kni);
	if (total > 0)
		__atomic_store_n(served, *served + total, __ATOMIC_RELAXED);
	return total;
}

/* True: no request waits, and the next one rings the doorbell. */
static bool arm_ifaces(struct control *c)
{
	bool quiet = true;
	unsigned int n;

	for (n = 0; n < KNIT_MAX_CONF_IFACES; n++)
		if (c->ifaces[n].kni)
			quiet &= knit_handler_arm(c->ifaces[n].kni);
	return quiet;
}

static void disarm_ifaces(struct control *c)
{
	unsigned int n;

	for (n = 0; n < KNIT_MAX_CONF_IFACES; n++)
		if (c->ifaces[n].kni)
			knit_handler_disarm(c->ifaces[n].kni);
}

/* Waits for a ring, a signal or the time. False: the process has to end. */
static bool wait_for_ring(struct control *c, int doorbell_fd, int timeout_ms)
{
	struct pollfd fds[] = {
		{ .fd = c->signals, .events = POLLIN },
		{ .fd = doorbell_fd, .events = POLLIN },
	};

	if (poll(fds, RTE_DIM(fds), timeout_ms) > 0 && fds[1].revents)
		knit_doorbell_clear(c->topo->control.doorbell);
	if (fds[0].revents)
		return false;
	return !__atomic_load_n(&c->topo->stopping, __ATOMIC_ACQUIRE);
}

/* Another plan: interfaces may have gone, or come. The primary rings the doorbell then. */
static int follow(struct control *c)
{
	int ret;

	if (__atomic_load_n(&c->topo->planned, __ATOMIC_ACQUIRE) == c->plan)
		return KNIT_EXIT_OK;
	ret = control_claim(c);
	control_net_tap_again(c);
	control_status(c);
	return ret;
}

int control_run(struct control *c)
{
	int fd = knit_doorbell_open(c->topo->control.doorbell);
	bool go_on = true;
	int timeout, ret;

	if (fd < 0) {
		log_err("doorbell of control: %s", rte_strerror(-fd));
		return knit_secondary_doorbell_exit(fd);
	}
	knit_beat_init(&c->beat);
	while (go_on) {
		ret = follow(c);
		if (ret != KNIT_EXIT_OK)
			return ret;
		knit_beat(&c->beat);
		timeout = control_net_tap_poll(c);
		if (serve_ifaces(c) > 0 || !arm_ifaces(c))
			timeout = 0;
		go_on = wait_for_ring(c, fd, knit_beat_timeout(&c->beat, timeout));
		disarm_ifaces(c);
	}
	return KNIT_EXIT_OK;
}
