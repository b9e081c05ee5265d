// SPDX-License-Identifier: BSD-3-Clause
#include "net_tap.h"

#include "fail.h"
#include "system/quirks/net_tap_fds.h"
#include "system/session/msg.h"
#include "worker.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define DRIVER "net_tap"

/* Whether another port's device, in another namespace, has the same name. */
static bool name_is_shared(const struct knit_worker *w, const struct knit_topo_port *port)
{
	unsigned int i, n = 0;

	for (i = 0; i < w->topo->n_ports; i++)
		n += strncmp(w->topo->ports[i].ifname, port->ifname, IFNAMSIZ) == 0;
	return n > 1;
}

/* Returns how many fds there are. A negative errno: it cannot be told which fds are the port's. */
static int collect_fds(const struct knit_worker *w, const struct knit_topo_port *port, int *fds)
{
	unsigned int i, found, n = 0;
	char name[IFNAMSIZ];
	uint64_t netns = 0;
	int ret;

	memcpy(name, port->ifname, sizeof(name));
	name[sizeof(name) - 1] = '\0';
	found = name[0] ? knit_tap_fds(name, fds, KNIT_MAX_PORT_TAPS) : 0;
	for (i = 0; i < found && i < KNIT_MAX_PORT_TAPS; i++) {
		ret = knit_tap_fd_netns(fds[i], &netns);
		if (ret < 0 && name_is_shared(w, port))
			return ret;
		if (ret < 0 || netns == port->ifnetns)
			fds[n++] = fds[i];
	}
	return n;
}

static const struct knit_input *find_input(const struct knit_worker *w,
					   const struct knit_topo_port *port)
{
	uint32_t i;

	for (i = 0; i < w->n_inputs; i++)
		if (w->inputs[i].port == port)
			return &w->inputs[i];
	return NULL;
}

static int fail_ambiguous(const struct knit_worker *w, const struct knit_topo_port *port, int err)
{
	return knit_worker_fail(w, KNIT_EXIT_RESOURCES,
				"port %s: another port's kernel device is called %s, too, in "
				"another network namespace, and this process can't tell their "
				"queues apart: %s%s",
				port->name, port->ifname, strerror(err),
				err == EPERM ? " (needs CAP_NET_ADMIN there)" : "");
}

/*
 * The fds of one or more starts come in the order of the queues, numbered upwards. Up to 24.03,
 * each queue number has an fd for receive and one for transmit.
 */
static void find_queue_fd(struct knit_worker_tap *tap)
{
	tap->queue_fd = -1;
	if (tap->queue < tap->n_queues && knit_tap_fds_repeat(tap->fds, tap->n, tap->n_queues))
		tap->queue_fd = tap->fds[tap->queue];
}

int knit_net_tap_init(struct knit_worker *w)
{
	const struct knit_topo_port *port;
	const struct knit_input *in;
	struct knit_worker_tap *tap;
	uint32_t i;
	int n;

	for (i = 0; i < w->topo->n_ports; i++) {
		port = &w->topo->ports[i];
		if (!w->plan.ports[i].there || strcmp(port->driver, DRIVER) != 0)
			continue;
		in = find_input(w, port);
		tap = in ? &w->taps[w->n_taps++] : &w->unused_taps[w->n_unused_taps++];
		tap->port = port;
		tap->queue = in ? in->queue : 0;
		tap->n_queues = w->plan.ports[i].n_queues;
		tap->again = !in;
		tap->starts = __atomic_load_n(&port->starts, __ATOMIC_ACQUIRE);
		n = collect_fds(w, port, tap->fds);
		if (n < 0)
			return fail_ambiguous(w, port, -n);
		tap->n = in ? n : 0;
		tap->ahead = tap->misses = 0;
		tap->per_start = tap->n;
		find_queue_fd(tap);
	}
	return KNIT_EXIT_OK;
}

/* An fd would keep the kernel device of a removed port. Its name may be needed for another one. */
static void close_removed(const struct knit_worker *w, struct knit_worker_tap *taps, unsigned int n)
{
	struct knit_worker_tap *tap;
	unsigned int i;
	int k, found;

	for (i = 0; i < n; i++) {
		tap = &taps[i];
		if (w->plan.ports[tap->port - w->topo->ports].there)
			continue;
		found = collect_fds(w, tap->port, tap->fds);
		for (k = 0; k < found; k++)
			close(tap->fds[k]);
	}
}

/*
 * EAL's message thread handles the primary's message about the new fds. It handles one message
 * after the other. So when the reply to a later message arrives, the earlier message is done.
 */
static int wait_for_driver(struct knit_worker *w)
{
	struct knit_msg m = { .op = KNIT_OP_SYNC, .role = KNIT_ROLE_WORKER, .id = w->id };
	int ret;

	m.instance = w->topo->instance;
	ret = knit_msg_ask(&m, -1, KNIT_MSG_TIMEOUT_MS);
	return ret == -ETIMEDOUT || ret == -ECONNREFUSED ? ret : 0;
}

static bool knows_start(const struct knit_worker_tap *taps, unsigned int n,
			const struct knit_topo_port *port)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (taps[i].port == port)
			return taps[i].starts == __atomic_load_n(&port->starts, __ATOMIC_ACQUIRE);
	return false;
}

/* Whether the driver has, or will get, fds that this worker has not seen. */
static bool has_started(const struct knit_worker *w)
{
	const struct knit_topo_port *port;
	unsigned int i;

	for (i = 0; i < w->topo->n_ports; i++) {
		port = &w->topo->ports[i];
		if (w->plan.ports[i].there && strcmp(port->driver, DRIVER) == 0 &&
		    !knows_start(w->taps, w->n_taps, port) &&
		    !knows_start(w->unused_taps, w->n_unused_taps, port))
			return true;
	}
	return false;
}

int knit_net_tap_follow(struct knit_worker *w)
{
	if (has_started(w) && wait_for_driver(w) < 0)
		return knit_worker_fail(w, KNIT_EXIT_NO_PRIMARY,
					"the primary does not answer after the start of a port");
	close_removed(w, w->taps, w->n_taps);
	close_removed(w, w->unused_taps, w->n_unused_taps);
	w->n_taps = w->n_unused_taps = 0;
	return knit_net_tap_init(w);
}

bool knit_net_tap_stale(const struct knit_worker *w)
{
	unsigned int i;

	for (i = 0; i < w->n_taps; i++)
		if (w->taps[i].starts !=
		    __atomic_load_n(&w->taps[i].port->starts, __ATOMIC_ACQUIRE))
			return true;
	return false;
}

static bool fd_is_in(int fd, const int *fds, unsigned int n)
{
	while (n--)
		if (fds[n] == fd)
			return true;
	return false;
}

/*
 * Old fds are closed only after the driver has new ones. If they were closed before the restart,
 * and the restart were called off, the port would be without a queue, and the numbers could be
 * given to other files. Two deaths cause two restarts. The fds of the second one may be there
 * before this function looks for those of the first one.
 */
static bool replace_fds(const struct knit_worker *w, struct knit_worker_tap *tap)
{
	unsigned int k, fresh = 0;
	int fds[KNIT_MAX_PORT_TAPS];
	int i, n;

	n = collect_fds(w, tap->port, fds);
	for (i = 0; i < n; i++) {
		if (fd_is_in(fds[i], tap->fds, tap->n))
			continue;
		fds[fresh++] = fds[i];
	}
	if (fresh == 0 && tap->ahead) {
		tap->ahead--;
		return true;
	}
	/* No fd has that name, neither old nor new: the device was renamed just now. */
	if (fresh == 0)
		return n == 0;
	if (tap->per_start == 0 || fresh < tap->per_start)
		tap->per_start = fresh;
	tap->ahead = (fresh - 1) / tap->per_start;
	for (k = 0; k < tap->n; k++)
		close(tap->fds[k]);
	memcpy(tap->fds, fds, fresh * sizeof(fds[0]));
	tap->n = fresh;
	tap->misses = 0;
	find_queue_fd(tap);
	return true;
}

int knit_net_tap_refresh(struct knit_worker *w)
{
	struct knit_worker_tap *tap;
	uint32_t starts;
	unsigned int i;

	if (!knit_net_tap_stale(w))
		return KNIT_EXIT_OK;
	if (wait_for_driver(w) < 0)
		return knit_worker_fail(w, KNIT_EXIT_NO_PRIMARY,
					"the primary does not answer after the restart of a port");
	for (i = 0; i < w->n_taps; i++) {
		tap = &w->taps[i];
		starts = __atomic_load_n(&tap->port->starts, __ATOMIC_ACQUIRE);
		if (starts == tap->starts)
			continue;
		tap->starts = starts;
		if (tap->port->ifname[0] && !replace_fds(w, tap))
			return knit_worker_fail(w, KNIT_EXIT_RESTART,
						"port %s: no new queues after its restart",
						tap->port->name);
	}
	return KNIT_EXIT_OK;
}

/*
 * While the worker is parked another plan may come into force, and a port have queues for it. By
 * the plan that it follows yet they are of no use. What was found before the worker was parked is
 * old, whatever happens.
 */
static bool plan_stands(const struct knit_worker *w)
{
	return __atomic_load_n(&w->entry->park, __ATOMIC_ACQUIRE) == 0 &&
	       __atomic_load_n(&w->topo->planned, __ATOMIC_ACQUIRE) == w->plan.number;
}

void knit_net_tap_reap(struct knit_worker *w)
{
	struct knit_worker_tap *tap;
	unsigned int i;
	uint32_t starts;
	int k, n;

	for (i = 0; i < w->n_unused_taps; i++) {
		tap = &w->unused_taps[i];
		starts = __atomic_load_n(&tap->port->starts, __ATOMIC_ACQUIRE);
		if (starts == tap->starts && !tap->again)
			continue;
		n = collect_fds(w, tap->port, tap->fds);
		if (!plan_stands(w))
			return;
		tap->again = starts != tap->starts;
		tap->starts = starts;
		for (k = 0; k < n; k++)
			close(tap->fds[k]);
	}
}
