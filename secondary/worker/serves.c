// SPDX-License-Identifier: BSD-3-Clause
#include "serves.h"

#include "worker.h"

#include <stdio.h>
#include <string.h>

static void add(char *list, size_t size, const char *name)
{
	size_t n = strlen(list);

	snprintf(list + n, size - n, "%s%s", n ? ", " : "", name);
}

void knit_worker_status(const struct knit_worker *w)
{
	char ports[96] = "", ifaces[96] = "";
	unsigned int i;

	for (i = 0; i < w->topo->n_ports; i++)
		if (w->mine->rxq[i] >= 0)
			add(ports, sizeof(ports), w->topo->ports[i].name);
	for (i = 0; i < w->topo->n_ifaces; i++)
		if (w->mine->pair[i] >= 0)
			add(ifaces, sizeof(ifaces), w->topo->ifaces[i].name);
	knit_notify_status("worker %u serves ports: %s; interfaces: %s", w->entry->id,
			   ports[0] ? ports : "none", ifaces[0] ? ifaces : "none");
}
