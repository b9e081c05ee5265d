// SPDX-License-Identifier: BSD-3-Clause
#include "tapfds.h"
#include "worker.h"

#include <string.h>
#include <unistd.h>

#define DRIVER "net_tap"

static unsigned int collect(const struct knit_worker_tap *tap, int *fds)
{
	char name[IFNAMSIZ];
	unsigned int n;

	memcpy(name, tap->port->ifname, sizeof(name));
	name[sizeof(name) - 1] = '\0';
	n = name[0] ? knit_tap_fds(name, fds, KNIT_MAX_PORT_TAPS) : 0;
	return RTE_MIN(n, (unsigned int)KNIT_MAX_PORT_TAPS);
}

static const struct knit_input *input_of(const struct knit_worker *w,
					 const struct knit_topo_port *port)
{
	uint32_t i;

	for (i = 0; i < w->n_inputs; i++)
		if (w->inputs[i].port == port)
			return &w->inputs[i];
	return NULL;
}

void knit_taps_init(struct knit_worker *w)
{
	const struct knit_topo_port *port;
	const struct knit_input *in;
	struct knit_worker_tap *tap;
	uint32_t i;

	for (i = 0; i < w->topo->n_ports; i++) {
		port = &w->topo->ports[i];
		if (strcmp(port->driver, DRIVER) != 0)
			continue;
		in = input_of(w, port);
		tap = in ? &w->taps[w->n_taps++] : &w->foreign[w->n_foreign++];
		tap->port = port;
		tap->queue = in ? in->queue : 0;
		tap->again = !in;
		tap->starts = __atomic_load_n(&port->starts, __ATOMIC_ACQUIRE);
		tap->n = in ? collect(tap, tap->fds) : 0;
	}
}

bool knit_taps_stale(const struct knit_worker *w)
{
	unsigned int i;

	for (i = 0; i < w->n_taps; i++)
		if (w->taps[i].starts !=
		    __atomic_load_n(&w->taps[i].port->starts, __ATOMIC_ACQUIRE))
			return true;
	return false;
}

static bool in_set(int fd, const int *fds, unsigned int n)
{
	while (n--)
		if (fds[n] == fd)
			return true;
	return false;
}

/*
 * Old fds are closed only now that the driver has new ones: had they been closed before the
 * restart, a restart that was called off would have left the port without a queue, and their
 * numbers could have been given out again. Two deaths are two restarts, and the fds of the second
 * may be there before this looks for those of the first.
 */
static bool replace(struct knit_worker_tap *tap)
{
	int fds[KNIT_MAX_PORT_TAPS];
	unsigned int i, n, fresh = 0;

	n = collect(tap, fds);
	for (i = 0; i < n; i++) {
		if (in_set(fds[i], tap->fds, tap->n))
			continue;
		fds[fresh++] = fds[i];
	}
	if (fresh == 0 && tap->ahead) {
		tap->ahead--;
		return true;
	}
	/* None under that name, old or new: the device was renamed just now. */
	if (fresh == 0)
		return n == 0;
	tap->ahead = tap->n ? (fresh - 1) / tap->n : 0;
	for (i = 0; i < tap->n; i++)
		close(tap->fds[i]);
	memcpy(tap->fds, fds, fresh * sizeof(fds[0]));
	tap->n = fresh;
	tap->misses = 0;
	return true;
}

/*
 * The driver's handler for the primary's message about the new fds runs in EAL's message thread,
 * one message after the other: once a reply to a later message has arrived, it is done.
 */
static int wait_handled(struct knit_worker *w)
{
	struct knit_msg m = { .op = KNIT_OP_SYNC, .role = KNIT_ROLE_WORKER, .id = w->id };
	int ret;

	m.instance = w->topo->instance;
	ret = knit_msg_ask(&m, -1, KNIT_MSG_TIMEOUT_MS);
	return ret == -ETIMEDOUT || ret == -ECONNREFUSED ? ret : 0;
}

int knit_taps_refresh(struct knit_worker *w)
{
	struct knit_worker_tap *tap;
	uint32_t starts;
	unsigned int i;

	if (!knit_taps_stale(w))
		return KNIT_EXIT_OK;
	if (wait_handled(w) < 0)
		return knit_worker_fail(w, KNIT_EXIT_NO_PRIMARY,
					"the primary does not answer after the restart of a port");
	for (i = 0; i < w->n_taps; i++) {
		tap = &w->taps[i];
		starts = __atomic_load_n(&tap->port->starts, __ATOMIC_ACQUIRE);
		if (starts == tap->starts)
			continue;
		tap->starts = starts;
		if (tap->port->ifname[0] && !replace(tap))
			return knit_worker_fail(w, KNIT_EXIT_RESTART,
						"port %s: no new queues after its restart",
						tap->port->name);
	}
	return KNIT_EXIT_OK;
}

/*
 * The fds come as one or more times all queues in order, numbered upwards: receive and transmit
 * queue of a number are the same file.
 */
int knit_tap_queue_fd(const struct knit_worker_tap *tap)
{
	unsigned int n_queues = tap->port->n_queues;

	if (n_queues == 0 || tap->n != 2 * n_queues || tap->queue >= n_queues)
		return -1;
	return tap->fds[tap->queue];
}

void knit_taps_close_foreign(struct knit_worker *w)
{
	struct knit_worker_tap *tap;
	unsigned int i, k, n;
	uint32_t starts;

	for (i = 0; i < w->n_foreign; i++) {
		tap = &w->foreign[i];
		starts = __atomic_load_n(&tap->port->starts, __ATOMIC_ACQUIRE);
		if (starts == tap->starts && !tap->again)
			continue;
		tap->again = starts != tap->starts;
		tap->starts = starts;
		n = collect(tap, tap->fds);
		for (k = 0; k < n; k++)
			close(tap->fds[k]);
	}
}
