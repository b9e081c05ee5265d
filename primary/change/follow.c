// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "change_poll.h"

#include "kni/base/log.h"
#include "kni/engine/engine.h"
#include "memory/pool.h"
#include "port/port.h"
#include "primary.h"
#include "process/registry.h"
#include "process/replace.h"
#include "system/rundir/rundir.h"

#include <rte_cycles.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SAY_MS 2000	     /* when to say in the log that somebody does not follow */
#define STANDBY_MS 5000	     /* a process that stands by, and does not follow */
#define KILL_MS 10000	     /* a worker that is no longer in the configuration */
#define CLEAN_AGAIN_MS 10000 /* between tries to have a device removed by all processes */

/* The engines serve what the worker has claimed by the new plan. */
static void serve_new_pairs(struct primary *p, unsigned int w)
{
	const int16_t *before = p->plan_before->workers[w].pair, *now = p->plan->workers[w].pair;
	struct rte_kni *kni;
	unsigned int k;
	int ret;

	for (k = 0; k < KNIT_MAX_CONF_IFACES; k++) {
		if (now[k] < 0 || now[k] == before[k])
			continue;
		kni = p->topo->ifaces[k].kni;
		ret = kni->engine->bind(kni, now[k]);
		if (ret < 0)
			log_err("interface %s: queue pair %d: %s", p->topo->ifaces[k].name, now[k],
				rte_strerror(-ret));
	}
}

/* A process that attached since has the plan in force. registry.c saw to what ended. */
static bool worker_is_done(struct primary *p, struct change *c, unsigned int i)
{
	const struct knit_topo_worker *w = &p->topo->workers[i];

	if (w->state == KNIT_PROCESS_DEAD || w->state == KNIT_PROCESS_DETACHING)
		return false;
	if (w->state != KNIT_PROCESS_ATTACHED || w->generation != c->generation[i])
		return true;
	if (__atomic_load_n(&w->follows, __ATOMIC_ACQUIRE) != p->plan->number)
		return false;
	serve_new_pairs(p, i);
	return true;
}

static bool control_is_done(const struct primary *p)
{
	const struct knit_topo_control *control = &p->topo->control;

	return control->state != KNIT_PROCESS_ATTACHED ||
	       __atomic_load_n(&control->follows, __ATOMIC_ACQUIRE) == p->plan->number;
}

static void say_late(const struct primary *p, struct change *c)
{
	unsigned int i;

	if (c->late || !change_is_late(c, SAY_MS))
		return;
	c->late = true;
	for (i = 0; i < KNIT_MAX_WORKERS; i++)
		if (c->awaited & UINT32_C(1) << i)
			log_warn("worker %u (process %u) does not follow the configuration yet", i,
				 p->topo->workers[i].pid);
	if (!control_is_done(p))
		log_warn("control (process %u) does not follow the configuration yet",
			 p->topo->control.pid);
}

void change_follow(struct primary *p, struct change *c)
{
	unsigned int i;

	for (i = 0; i < KNIT_MAX_WORKERS; i++)
		if (c->awaited & UINT32_C(1) << i && worker_is_done(p, c, i))
			c->awaited &= ~(UINT32_C(1) << i);
	if (c->awaited || !control_is_done(p) ||
	    !replace_all_follow(p, change_is_late(c, STANDBY_MS))) {
		say_late(p, c);
		return;
	}
	change_free_handoffs(p->plan_before, p->plan);
	p->plan_before = NULL;
	__atomic_store_n(&p->topo->changing, 0, __ATOMIC_RELEASE);
	change_next(c, CHANGE_UNMAKE);
}

static int clean_port(struct primary *p, unsigned int i)
{
	struct knit_topo_port *topo = &p->topo->ports[i];
	int ret;

	/* What telemetry, the main thread and the commands know of the port ends first. */
	pthread_mutex_lock(&p->places);
	__atomic_store_n(&topo->there, 0, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&p->places);
	pthread_mutex_lock(&p->drivers);
	ret = port_unmake(p, i);
	pthread_mutex_unlock(&p->drivers);
	if (ret < 0)
		log_warn("port %s: its device is not let go by all processes: %s; next try in %d s",
			 topo->name, rte_strerror(-ret), CLEAN_AGAIN_MS / 1000);
	return ret;
}

static void clean_ports(struct primary *p, struct change *c)
{
	unsigned int i;
	int ret = 0;

	if (c->gone_ports == 0 || rte_get_timer_cycles() < c->again || registry_any_dead(p) ||
	    registry_any_ended(p) || registry_block_attach(p) < 0)
		return;
	for (i = 0; i < KNIT_MAX_PORTS && ret == 0; i++) {
		if (!(c->gone_ports & UINT64_C(1) << i))
			continue;
		ret = clean_port(p, i);
		if (ret < 0)
			break;
		c->gone_ports &= ~(UINT64_C(1) << i);
		p->topo->ports[i] = (struct knit_topo_port){
			.made = p->topo->ports[i].made,
			.starts = p->topo->ports[i].starts,
		};
	}
	knit_rundir_unblock_attach();
	if (ret < 0)
		c->again = rte_get_timer_cycles() + rte_get_timer_hz() / 1000 * CLEAN_AGAIN_MS;
}

/* False: the process has not ended yet. It was told to. */
static bool clean_worker(struct primary *p, const struct change *c, unsigned int i)
{
	struct knit_topo_worker *w = &p->topo->workers[i];

	if (w->state != KNIT_PROCESS_FREE) {
		if (change_is_late(c, KILL_MS) && p->pidfd[i] >= 0)
			syscall(SYS_pidfd_send_signal, p->pidfd[i], SIGKILL, NULL, 0);
		return false;
	}
	pthread_mutex_lock(&p->places);
	__atomic_store_n(&w->there, 0, __ATOMIC_RELEASE);
	primary_pool_free(w->pool);
	w->pool = NULL;
	pthread_mutex_unlock(&p->places);
	return true;
}

static bool clean_workers(struct primary *p, const struct change *c)
{
	bool done = true;
	unsigned int i;

	for (i = 0; i < KNIT_MAX_WORKERS; i++)
		if (p->topo->workers[i].there && !p->plan->workers[i].there)
			done &= clean_worker(p, c, i);
	return done;
}

void change_clean(struct primary *p, struct change *c)
{
	bool done = true;

	if (!c->in_force) {
		change_unbuild(p, c);
	} else if (!p->restart) {
		done = clean_workers(p, c);
		clean_ports(p, c);
		done &= c->gone_ports == 0;
	}
	if (done)
		change_finish(c);
}
