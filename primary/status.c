// SPDX-License-Identifier: BSD-3-Clause
#include "status.h"

#include "kni/engine/engine.h"
#include "primary.h"
#include "system/process/notify.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static const char *state_name(uint32_t state)
{
	static const char *const names[] = { "free", "attaching", "attached", "detaching", "dead" };

	return state < RTE_DIM(names) ? names[state] : "?";
}

void primary_status_banner(const struct primary *p)
{
	const struct knit_plan *plan = knit_topo_plan(p->topo);
	const struct knit_topo *t = p->topo;
	unsigned int i;
	int16_t port;

	printf("knit-primary: up, prefix %s, process %u\n", p->conf->eal.prefix, t->primary_pid);
	for (i = 0; i < t->n_ports; i++)
		if (t->ports[i].there)
			printf("  port      %-16s %s, driver %s, %u queue%s, mtu %u\n",
			       t->ports[i].name, t->ports[i].device, t->ports[i].driver,
			       plan->ports[i].n_queues, plan->ports[i].n_queues == 1 ? "" : "s",
			       t->ports[i].mtu);
	for (i = 0; i < t->n_ifaces; i++) {
		port = plan->ifaces[i].port;
		if (!t->ifaces[i].there)
			continue;
		printf("  interface %-16s engine %s, %s%s%s%s\n", t->ifaces[i].name,
		       t->ifaces[i].kni->engine->name, port < 0 ? "no port" : "port ",
		       port < 0 ? "" : t->ports[port].name,
		       p->conf->ifaces[i].netns[0] ? ", namespace " : "", p->conf->ifaces[i].netns);
	}
	for (i = 0; i < t->n_workers; i++)
		if (t->workers[i].there)
			printf("  worker    %-16u lcore %u, waiting for: "
			       "knit-worker --prefix %s --id %u\n",
			       t->workers[i].id, t->workers[i].lcore, p->conf->eal.prefix,
			       t->workers[i].id);
	printf("  control   %-16s waiting for: knit-control --prefix %s\n", "",
	       p->conf->eal.prefix);
	fflush(stdout);
}

/* Packets per second since the last line, of all workers. */
void primary_status_line(const struct primary *p)
{
	static struct knit_worker_stats before;
	struct knit_worker_stats now = { 0 };
	const struct knit_topo *t = p->topo;
	uint64_t drops = 0;
	unsigned int i, k;

	for (i = 0; i < t->n_workers; i++) {
		now.xconnect += t->workers[i].stats.xconnect;
		now.punted += t->workers[i].stats.punted;
		now.injected += t->workers[i].stats.injected;
		for (k = 0; k < KNIT_WORKER_DROPS; k++)
			drops += t->workers[i].stats.drops[k];
	}
	printf("to kernel %" PRIu64 "/s  from kernel %" PRIu64 "/s  fast path %" PRIu64
	       "/s  drops %" PRIu64 "  workers",
	       now.punted - before.punted, now.injected - before.injected,
	       now.xconnect - before.xconnect, drops);
	for (i = 0; i < t->n_workers; i++)
		if (t->workers[i].there)
			printf(" %u:%s", t->workers[i].id, state_name(t->workers[i].state));
	printf("  control %s\n", state_name(t->control.state));
	fflush(stdout);
	before = now;
}

void primary_status_notify(const struct primary *p)
{
	unsigned int i, links = 0, workers = 0;
	const struct knit_topo *t = p->topo;

	for (i = 0; i < t->n_ports; i++)
		links += t->ports[i].link_up;
	for (i = 0; i < t->n_workers; i++)
		workers += t->workers[i].state == KNIT_PROCESS_ATTACHED;
	knit_notify_status("%u of %u workers and %s control serve %u interfaces; %u of %u ports "
			   "have a link",
			   workers, knit_topo_count_workers(t),
			   t->control.state == KNIT_PROCESS_ATTACHED ? "the" : "no",
			   knit_topo_count_ifaces(t), links, knit_topo_count_ports(t));
}
