// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "setup.h"

#include "command/command.h"
#include "event/event.h"
#include "kni/base/doorbell.h"
#include "kni/base/log.h"
#include "main_loop.h"
#include "primary.h"
#include "system/quirks/sigbus.h"
#include "system/topology/watch.h"

#include <rte_memzone.h>
#include <rte_rcu_qsbr.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_PLAN 1

void primary_init(struct primary *p, struct knit_config *conf, bool status)
{
	struct host_nodes nodes;
	unsigned int i;

	p->conf = conf;
	snprintf(p->file, sizeof(p->file), "%s", conf->file);
	event_init(conf->eal.prefix, command_wake);
	host_nodes_read(conf, &nodes);
	pool_plan(conf, &nodes, &p->pools);
	p->status = status;
	p->started = time(NULL);
	pthread_mutex_init(&p->drivers, NULL);
	pthread_mutex_init(&p->places, NULL);
	for (i = 0; i < RTE_DIM(p->pidfd); i++)
		p->pidfd[i] = -1;
	for (i = 0; i < RTE_DIM(p->ports); i++)
		p->ports[i].sysfs = -1;
	/* Signals are blocked before EAL starts threads, so that all threads inherit the mask. */
	main_loop_block_signals();
	knit_sigbus_init();
}

static int make_qsbr(struct knit_topo *t)
{
	size_t size = rte_rcu_qsbr_get_memsize(1);
	const struct rte_memzone *mz;
	unsigned int i;

	mz = rte_memzone_reserve_aligned("knit_qsbr", KNIT_MAX_WORKERS * size, SOCKET_ID_ANY, 0,
					 RTE_CACHE_LINE_SIZE);
	if (mz == NULL)
		return errno_log(rte_errno, "memzone knit_qsbr");
	for (i = 0; i < KNIT_MAX_WORKERS; i++) {
		t->workers[i].qsbr = RTE_PTR_ADD(mz->addr, i * size);
		if (rte_rcu_qsbr_init(t->workers[i].qsbr, 1))
			return errno_log(rte_errno, "rte_rcu_qsbr_init");
	}
	return 0;
}

static int make_doorbells(struct knit_topo *t)
{
	int64_t doorbell = knit_doorbell_new();
	unsigned int i;

	if (doorbell < 0)
		return doorbell;
	t->control.doorbell = doorbell;
	for (i = 0; i < KNIT_MAX_WORKERS; i++) {
		doorbell = knit_doorbell_new();
		if (doorbell < 0)
			return doorbell;
		t->workers[i].doorbell = doorbell;
		doorbell = knit_doorbell_new();
		if (doorbell < 0)
			return doorbell;
		t->workers[i].next.doorbell = doorbell;
	}
	return 0;
}

static int make_watch(struct primary *p)
{
	size_t size = knit_watch_bytes(p->conf);
	const struct rte_memzone *mz;

	if (size == 0)
		return 0;
	mz = rte_memzone_reserve_aligned(KNIT_WATCH_MZ, size, SOCKET_ID_ANY, 0,
					 RTE_CACHE_LINE_SIZE);
	if (mz == NULL)
		return errno_log(rte_errno, "memzone " KNIT_WATCH_MZ);
	memset(mz->addr, 0, size);
	p->topo->watch = mz->addr;
	knit_watch_init(p->topo->watch, p->conf);
	return 0;
}

int primary_topology_create(struct primary *p)
{
	struct knit_topo *t;
	unsigned int i;
	int ret;

	p->topo = t = knit_topo_create();
	if (t == NULL)
		return errno_log(rte_errno, "memzone " KNIT_TOPO_MZ);
	knit_topo_name(t, p->conf);
	for (i = 0; i < KNIT_MAX_PORTS; i++)
		p->ports[i].topo = &t->ports[i];
	p->plan = &t->plan[FIRST_PLAN % 2];
	ret = knit_plan_make(p->plan, p->conf, stderr);
	p->plan->number = FIRST_PLAN;
	if (ret == 0)
		ret = knit_doorbell_init();
	if (ret == 0)
		ret = make_doorbells(t);
	if (ret == 0)
		ret = make_qsbr(t);
	if (ret == 0)
		ret = make_watch(p);
	if (ret < 0)
		return ret;
	knit_sigbus_count(&t->device_faults);
	return 0;
}

void primary_topology_publish(struct primary *p)
{
	__atomic_store_n(&p->topo->planned, p->plan->number, __ATOMIC_RELEASE);
	__atomic_store_n(&p->topo->magic, KNIT_TOPO_MAGIC, __ATOMIC_RELEASE);
}
