// SPDX-License-Identifier: BSD-3-Clause
#include "port_pause.h"

#include "port_removal.h"
#include "primary.h"
#include "process/park.h"
#include "process/registry.h"
#include "process/stalled.h"
#include "system/rundir/rundir.h"

#include <rte_cycles.h>

#include <errno.h>
#include <stdio.h>

/* Stops and starts ports while workers and interfaces live. */

/* On copper, autonegotiation takes two to three seconds. */
#define LINK_BACK_MS 5000
#define HELD UINT64_MAX

void port_hold(struct primary *p, uint64_t ports)
{
	unsigned int k;

	for (k = 0; k < p->topo->n_ports; k++)
		if (ports & (UINT64_C(1) << k))
			__atomic_store_n(&p->ports[k].held, HELD, __ATOMIC_RELEASE);
}

void port_unhold(struct primary *p, uint64_t ports)
{
	uint64_t deadline = rte_get_timer_cycles() + rte_get_timer_hz() * LINK_BACK_MS / 1000;
	unsigned int k;

	for (k = 0; k < p->topo->n_ports; k++)
		if (ports & (UINT64_C(1) << k))
			__atomic_store_n(&p->ports[k].held, deadline, __ATOMIC_RELEASE);
}

/*
 * No process may attach meanwhile: EAL goes through all ports then, and copies the burst functions
 * that they have at that time.
 */
static int keep_secondaries_out(struct primary *p, char *why, size_t len)
{
	pid_t pid;
	int entry;

	if (registry_block_attach(p) == 0)
		return 0;
	if (p->restart) {
		snprintf(why, len, "the primary starts anew");
		return -EBUSY;
	}
	entry = stalled_first(p, &pid);
	snprintf(why, len, "%s (process %d) is attaching",
		 entry < 0 ? "a process" : stalled_name(p, entry).text, (int)pid);
	return -EINPROGRESS;
}

int port_pause(struct primary *p, unsigned int i, char *why, size_t len)
{
	int ret;

	/* A start would take buffers from the broken pool of a dead worker. */
	if (registry_dead_ports(p) & UINT64_C(1) << i) {
		snprintf(why, len, "the domain of a dead worker waits for its reset");
		return -EBUSY;
	}
	ret = keep_secondaries_out(p, why, len);
	if (ret == 0)
		ret = park_workers(p, UINT64_C(1) << i, why, len);
	if (ret == 0)
		port_hold(p, UINT64_C(1) << i);
	else if (ret != -EINPROGRESS)
		knit_rundir_unblock_attach();
	return ret;
}

int port_go_on(struct primary *p, unsigned int i, int started)
{
	if (started < 0 && !port_is_removed(&p->ports[i])) {
		p->restart = 1;
		return started;
	}
	if (started > 0)
		registry_end_workers(p, UINT64_C(1) << i);
	park_resume(p);
	port_unhold(p, UINT64_C(1) << i);
	knit_rundir_unblock_attach();
	return started;
}

bool port_held(struct port *port, bool up)
{
	uint64_t held = __atomic_load_n(&port->held, __ATOMIC_ACQUIRE);

	if (held == 0)
		return false;
	if (held == HELD || (!up && port->topo->link_up && rte_get_timer_cycles() < held))
		return true;
	/* This fails if the port thread holds the port again. */
	return !__atomic_compare_exchange_n(&port->held, &held, 0, false, __ATOMIC_ACQ_REL,
					    __ATOMIC_ACQUIRE);
}
