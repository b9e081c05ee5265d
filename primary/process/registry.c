// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_worker
#include "registry.h"

#include "abandon.h"
#include "event/event.h"
#include "kni/base/doorbell.h"
#include "kni/base/log.h"
#include "kni/base/owner.h"
#include "kni/control/pair.h"
#include "kni/engine/engine.h"
#include "primary.h"
#include "system/process/eal_paths.h"
#include "system/rundir/rundir.h"

#include <rte_cycles.h>
#include <rte_rcu_qsbr.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Two processes of a worker may have changed places, and the sender does not know yet. */
static bool has_entry(const struct knit_msg *m, uint32_t pid, uint64_t start_time)
{
	return pid == m->pid && start_time == m->start_time;
}

/* The index of the sender's pidfd; -1, with a text, if there is no such role or id. */
static int entry_of(struct primary *p, struct knit_msg *m)
{
	const struct knit_topo_worker *w;

	if (m->instance != p->topo->instance) {
		KNIT_MSG_TEXT(m, "that process belongs to an earlier start of the primary");
		return -1;
	}
	if (m->role == KNIT_ROLE_CONTROL)
		return CONTROL_ENTRY;
	w = knit_topo_worker(p->topo, m->id);
	if (w && m->role == KNIT_ROLE_WORKER)
		return has_entry(m, w->next.pid, w->next.start_time) ? STANDBY_ENTRY(w->id) : w->id;
	if (w && m->role == KNIT_ROLE_STANDBY)
		return has_entry(m, w->pid, w->start_time) ? w->id : STANDBY_ENTRY(w->id);
	KNIT_MSG_TEXT(m, "%s %u is not in the configuration", knit_role_text(m->role), m->id);
	return -1;
}

/* The members that both kinds of entry have. */
struct entry {
	uint32_t *state;
	uint32_t *pid;
	uint64_t *start_time;
	uint32_t *generation;
	uint32_t *goodbye; /* as long as the generation is the same */
};

static struct entry entry_words(struct primary *p, unsigned int i)
{
	struct knit_topo_control *c = &p->topo->control;
	struct knit_topo_worker *w;

	if (i == CONTROL_ENTRY)
		return (struct entry){ &c->state, &c->pid, &c->start_time, &c->generation,
				       &c->goodbye };
	w = &p->topo->workers[registry_worker_of(i)];
	if (i > CONTROL_ENTRY)
		return (struct entry){ &w->next.state, &w->next.pid, &w->next.start_time,
				       &w->next.generation, &w->goodbye[w->next.generation % 2] };
	return (struct entry){ &w->state, &w->pid, &w->start_time, &w->generation,
			       &w->goodbye[w->generation % 2] };
}

static struct knit_role_name entry_name(unsigned int i)
{
	if (i == CONTROL_ENTRY)
		return knit_role_name(KNIT_ROLE_CONTROL, 0);
	return knit_role_name(i < CONTROL_ENTRY ? KNIT_ROLE_WORKER : KNIT_ROLE_STANDBY,
			      registry_worker_of(i));
}

/* See struct knit_topo_worker. */
static uint32_t next_generation(struct primary *p, unsigned int i, const struct entry *s)
{
	const struct knit_topo_worker *w;
	uint32_t other, next;

	if (i == CONTROL_ENTRY)
		return *s->generation + 1;
	w = &p->topo->workers[registry_worker_of(i)];
	other = i < CONTROL_ENTRY ? w->next.generation : w->generation;
	next = RTE_MAX(other, *s->generation) + 1;
	return next + (next % 2 == other % 2);
}

static bool process_has_ended(int pidfd)
{
	struct pollfd end = { .fd = pidfd, .events = POLLIN };

	return poll(&end, 1, 0) > 0;
}

/*
 * A sender without privileges may have sent the pidfd of any process, and at the end the primary
 * kills whom its pidfd names: so that of the process that has the role's lock takes its place.
 */
static bool replace_pidfd(const struct primary *p, const struct knit_msg *m, int *pidfd)
{
	pid_t pid;
	int own;

	own = knit_rundir_process(p->conf->eal.prefix, m->role, m->id, &pid);
	if (own < 0)
		return false;
	close(*pidfd);
	*pidfd = own;
	return pid == (pid_t)m->pid;
}

int registry_attach(struct primary *p, struct knit_msg *m, int *pidfd)
{
	int i = entry_of(p, m);
	struct entry s;

	if (i < 0)
		return -ENOENT;
	if (p->topo->stopping) {
		KNIT_MSG_TEXT(m, "it is stopping");
		return -ECONNREFUSED;
	}
	if (i != CONTROL_ENTRY && !p->plan->workers[registry_worker_of(i)].there) {
		KNIT_MSG_TEXT(m, "worker %u is no longer in the configuration", m->id);
		return -ENOENT;
	}
	s = entry_words(p, i);
	/* The process repeats its request because the answer came too late. */
	if (*s.state == KNIT_PROCESS_ATTACHING && *s.pid == m->pid &&
	    *s.start_time == m->start_time) {
		m->value = *s.generation;
		return 0;
	}
	if (*s.state != KNIT_PROCESS_FREE) {
		KNIT_MSG_TEXT(m,
			      *s.state == KNIT_PROCESS_DEAD ? "%s: its domain is being reset"
							    : "%s is process %u",
			      entry_name(i).text, *s.pid);
		return *s.state == KNIT_PROCESS_DEAD ? -EAGAIN : -EBUSY;
	}
	if (*pidfd < 0) {
		KNIT_MSG_TEXT(m, "no pidfd came with the request");
		return -EBADF;
	}
	/* The process sent the request and has ended since. */
	if (process_has_ended(*pidfd)) {
		KNIT_MSG_TEXT(m, "process %u is gone", m->pid);
		return -ESRCH;
	}
	if (p->group && !replace_pidfd(p, m, pidfd)) {
		KNIT_MSG_TEXT(m, "process %u does not have the lock of its role", m->pid);
		return -EPERM;
	}
	*s.pid = m->pid;
	*s.start_time = m->start_time;
	*s.generation = next_generation(p, i, &s);
	m->value = *s.generation;
	if (i != CONTROL_ENTRY)
		p->topo->workers[registry_worker_of(i)].attaches++;
	__atomic_store_n(s.state, KNIT_PROCESS_ATTACHING, __ATOMIC_RELEASE);
	p->pidfd[i] = *pidfd;
	*pidfd = -1;
	return 0;
}

int registry_serve_pairs(struct primary *p, unsigned int i, bool on)
{
	const int16_t *pair = p->plan->workers[i].pair;
	struct rte_kni *kni;
	unsigned int k;
	int ret;

	for (k = 0; k < p->topo->n_ifaces; k++) {
		if (pair[k] < 0)
			continue;
		kni = p->topo->ifaces[k].kni;
		if (!on) {
			kni->engine->unbind(kni, pair[k]);
			continue;
		}
		ret = kni->engine->bind(kni, pair[k]);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int registry_ready(struct primary *p, struct knit_msg *m)
{
	int i = entry_of(p, m), ret = 0;
	struct entry s;

	if (i < 0)
		return -ENOENT;
	s = entry_words(p, i);
	if (*s.state != KNIT_PROCESS_ATTACHING || *s.pid != m->pid) {
		KNIT_MSG_TEXT(m, "%s %u did not attach", knit_role_text(m->role), m->id);
		return -EPROTO;
	}
	if (i < CONTROL_ENTRY)
		ret = registry_serve_pairs(p, i, true);
	if (ret < 0)
		return ret;
	__atomic_store_n(s.state, KNIT_PROCESS_ATTACHED, __ATOMIC_RELEASE);
	if (i == CONTROL_ENTRY)
		EVENT(CONTROL_ATTACHED, EV(m->pid));
	else if (i > CONTROL_ENTRY)
		EVENT(STANDBY_ATTACHED, EV(m->id), EV(m->pid));
	else
		EVENT(WORKER_ATTACHED, EV(m->id), EV(m->pid));
	return i;
}

/*
 * Whether the process has stored its goodbye in the registry. If so, the entry becomes DETACHING.
 */
static bool sync_goodbye(struct primary *p, unsigned int i, const struct entry *s)
{
	if (__atomic_load_n(s->goodbye, __ATOMIC_ACQUIRE) != *s->generation)
		return false;
	if (*s->state == KNIT_PROCESS_DETACHING)
		return true;
	if (i < CONTROL_ENTRY)
		registry_serve_pairs(p, i, false);
	__atomic_store_n(s->state, KNIT_PROCESS_DETACHING, __ATOMIC_RELEASE);
	return true;
}

int registry_detach(struct primary *p, struct knit_msg *m)
{
	int i = entry_of(p, m);
	struct entry s;

	if (i < 0)
		return -ENOENT;
	s = entry_words(p, i);
	if (*s.pid == m->pid && sync_goodbye(p, i, &s))
		return 0;
	KNIT_MSG_TEXT(m, "%s %u is not that process, or did not detach", knit_role_text(m->role),
		      m->id);
	return -EPROTO;
}

int registry_entry(struct primary *p, struct knit_msg *m)
{
	int i = entry_of(p, m);
	struct entry s;

	if (i < 0)
		return -ENOENT;
	s = entry_words(p, i);
	if ((*s.state == KNIT_PROCESS_ATTACHING || *s.state == KNIT_PROCESS_ATTACHED) &&
	    *s.pid == m->pid && *s.start_time == m->start_time)
		return i;
	KNIT_MSG_TEXT(m, "process %u is not attached", m->pid);
	return -EPROTO;
}

int registry_is_control(struct primary *p, struct knit_msg *m)
{
	struct entry s = entry_words(p, CONTROL_ENTRY);

	if (entry_of(p, m) == CONTROL_ENTRY && *s.pid == m->pid && *s.start_time == m->start_time)
		return 0;
	KNIT_MSG_TEXT(m, "process %u is not the control that attached", m->pid);
	return -EPROTO;
}

void registry_release_pairs(struct primary *p, unsigned int i)
{
	struct knit_topo_worker *w = &p->topo->workers[i];
	const int16_t *pair = p->plan->workers[i].pair, *before;
	unsigned int k;

	if (p->plan_before == NULL || w->released == p->plan->number)
		return;
	before = p->plan_before->workers[i].pair;
	for (k = 0; k < KNIT_MAX_CONF_IFACES; k++)
		if (before[k] >= 0 && before[k] != pair[k])
			knit_pair_empty(p->topo->ifaces[k].kni, before[k]);
	__atomic_store_n(&w->released, p->plan->number, __ATOMIC_RELEASE);
}

/* The next process shall not find it. */
static void forget_park(struct knit_topo_worker *w)
{
	__atomic_store_n(&w->held, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&w->yield, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&w->park, 0, __ATOMIC_RELEASE);
}

static void worker_died(struct primary *p, struct knit_topo_worker *w)
{
	p->resets[w - p->topo->workers].since = rte_get_timer_cycles();
	p->taking &= ~(UINT32_C(1) << w->id);
	EVENT(WORKER_DIED, EV(w->id), EV(w->pid));
	rte_rcu_qsbr_thread_offline(w->qsbr, 0);
	rte_rcu_qsbr_thread_unregister(w->qsbr, 0);
	forget_park(w);
	__atomic_store_n(&w->state, KNIT_PROCESS_DEAD, __ATOMIC_RELEASE);
	registry_serve_pairs(p, w->id, false);
}

/*
 * EAL holds process-shared locks while a secondary attaches or detaches. Nobody can tell whether
 * the process held one.
 */
static void process_died_attaching(struct primary *p, enum knit_role role, uint32_t pid)
{
	if (!p->restart && p->topo->stopping)
		log_err("%s: process %u died while it attached or detached", knit_role_text(role),
			pid);
	else if (!p->restart)
		EVENT(ATTACH_DIED, EV(knit_role_text(role)), EV(pid));
	p->restart = 1;
	primary_abandon_later(p);
}

static enum knit_role role_of(unsigned int i)
{
	if (i == CONTROL_ENTRY)
		return KNIT_ROLE_CONTROL;
	return i < CONTROL_ENTRY ? KNIT_ROLE_WORKER : KNIT_ROLE_STANDBY;
}

void registry_hotplug_failed(struct primary *p)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(p->pidfd); i++)
		if (p->pidfd[i] >= 0 && process_has_ended(p->pidfd[i]))
			process_died_attaching(p, role_of(i), *entry_words(p, i).pid);
}

void registry_end_workers(struct primary *p, uint64_t ports)
{
	struct knit_topo_worker *w;
	unsigned int i;

	for (i = 0; i < p->topo->n_workers; i++) {
		w = &p->topo->workers[i];
		if (w->state == KNIT_PROCESS_ATTACHED &&
		    knit_plan_has_queue(&p->plan->workers[i], ports))
			__atomic_store_n(&w->leave, w->generation, __ATOMIC_RELEASE);
	}
}

/* Whoever took over has the other lock file for a moment. */
static bool entry_died_attaching(const struct primary *p, unsigned int i, uint32_t pid)
{
	const char *prefix = p->conf->eal.prefix;
	unsigned int id = registry_worker_of(i);
	pid_t inside;

	if (i == CONTROL_ENTRY)
		return knit_rundir_died_attaching(prefix, KNIT_ROLE_CONTROL, 0, &inside);
	return (knit_rundir_died_attaching(prefix, KNIT_ROLE_WORKER, id, &inside) &&
		inside == (pid_t)pid) ||
	       (knit_rundir_died_attaching(prefix, KNIT_ROLE_STANDBY, id, &inside) &&
		inside == (pid_t)pid);
}

static void entry_left(struct primary *p, unsigned int i, uint32_t pid)
{
	enum knit_role role = role_of(i);

	if (entry_died_attaching(p, i, pid))
		process_died_attaching(p, role, pid);
	else if (role == KNIT_ROLE_CONTROL)
		EVENT(CONTROL_LEFT, EV(pid));
	else if (role == KNIT_ROLE_STANDBY && *entry_words(p, i).state == KNIT_PROCESS_DETACHING &&
		 p->replaced[registry_worker_of(i)] == pid)
		log_notice("worker %u: process %u, which was replaced, is gone",
			   registry_worker_of(i), pid);
	else if (role == KNIT_ROLE_STANDBY)
		EVENT(STANDBY_LEFT, EV(registry_worker_of(i)), EV(pid));
	else
		EVENT(WORKER_LEFT, EV(i), EV(pid));
}

/* Of a worker's end there is something to be done, of one that stood by there is not. */
static bool entry_died(struct primary *p, unsigned int i, uint32_t pid)
{
	if (i == CONTROL_ENTRY)
		EVENT(CONTROL_DIED, EV(pid));
	else if (i > CONTROL_ENTRY)
		EVENT(STANDBY_LEFT, EV(registry_worker_of(i)), EV(pid));
	else
		worker_died(p, &p->topo->workers[i]);
	return i < CONTROL_ENTRY;
}

bool registry_ended(struct primary *p, unsigned int i)
{
	struct entry s = entry_words(p, i);

	close(p->pidfd[i]);
	p->pidfd[i] = -1;
	knit_eal_remove_process_files(p->conf->eal.prefix, *s.pid);
	sync_goodbye(p, i, &s);
	switch (*s.state) {
	case KNIT_PROCESS_ATTACHED:
		if (entry_died(p, i, *s.pid))
			return true;
		break;
	/*
	 * The process may have ended in an orderly way before it was let in. Its lock file tells.
	 */
	case KNIT_PROCESS_ATTACHING:
	case KNIT_PROCESS_DETACHING:
		entry_left(p, i, *s.pid);
		break;
	}
	*s.pid = 0;
	if (i < CONTROL_ENTRY) {
		forget_park(&p->topo->workers[i]);
		registry_release_pairs(p, i);
	}
	__atomic_store_n(s.state, KNIT_PROCESS_FREE, __ATOMIC_RELEASE);
	return false;
}

void registry_take_over(struct primary *p, unsigned int i)
{
	struct knit_topo_worker *w = &p->topo->workers[i];
	struct knit_topo_next before = { .pid = w->pid,
					 .start_time = w->start_time,
					 .generation = w->generation };
	int pidfd = p->pidfd[i];

	before.state = pidfd < 0 ? KNIT_PROCESS_FREE : KNIT_PROCESS_DETACHING;
	p->pidfd[i] = p->pidfd[STANDBY_ENTRY(i)];
	p->pidfd[STANDBY_ENTRY(i)] = pidfd;
	p->replaced[i] = before.pid;
	forget_park(w);
	w->pid = w->next.pid;
	w->start_time = w->next.start_time;
	w->next.pid = before.pid;
	w->next.start_time = before.start_time;
	w->next.prepared = 0;
	__atomic_store_n(&w->state, KNIT_PROCESS_ATTACHED, __ATOMIC_RELEASE);
	__atomic_store_n(&w->next.state, before.state, __ATOMIC_RELEASE);
	/* The last one: from then on it may touch the domain. */
	__atomic_store_n(&w->generation, w->next.generation, __ATOMIC_RELEASE);
	__atomic_store_n(&w->next.generation, before.generation, __ATOMIC_RELEASE);
	knit_doorbell_ring(w->next.doorbell);
}

void registry_check(struct primary *p)
{
	struct knit_topo *t = p->topo;
	unsigned int i;
	pid_t pid;

	/* DEAD: a successor may have come too early and have been refused. */
	for (i = 0; i < t->n_workers; i++)
		if (t->workers[i].there &&
		    (t->workers[i].state == KNIT_PROCESS_FREE ||
		     t->workers[i].state == KNIT_PROCESS_DEAD) &&
		    knit_rundir_died_attaching(p->conf->eal.prefix, KNIT_ROLE_WORKER,
					       t->workers[i].id, &pid))
			process_died_attaching(p, KNIT_ROLE_WORKER, pid);
	for (i = 0; i < t->n_workers; i++)
		if (t->workers[i].there && t->workers[i].next.state == KNIT_PROCESS_FREE &&
		    knit_rundir_died_attaching(p->conf->eal.prefix, KNIT_ROLE_STANDBY,
					       t->workers[i].id, &pid))
			process_died_attaching(p, KNIT_ROLE_STANDBY, pid);
	if (t->control.state == KNIT_PROCESS_FREE &&
	    knit_rundir_died_attaching(p->conf->eal.prefix, KNIT_ROLE_CONTROL, 0, &pid))
		process_died_attaching(p, KNIT_ROLE_CONTROL, pid);
}

int registry_block_attach(struct primary *p)
{
	int ret;

	/* It claims a domain, as one that attaches, and has no lock that says so. */
	if (p->taking)
		return -EBUSY;
	ret = knit_rundir_block_attach(p->conf->eal.prefix, 0);
	if (ret < 0)
		return ret;
	/* The lock may be free because its holder was killed inside EAL. */
	registry_check(p);
	return p->restart ? -EBUSY : 0;
}

bool registry_any_ended(const struct primary *p)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(p->pidfd); i++)
		if (p->pidfd[i] >= 0 && process_has_ended(p->pidfd[i]))
			return true;
	return false;
}

bool registry_any_dead(const struct primary *p)
{
	unsigned int i;

	for (i = 0; i < p->topo->n_workers; i++)
		if (p->topo->workers[i].state == KNIT_PROCESS_DEAD)
			return true;
	return false;
}

uint64_t registry_dead_ports(const struct primary *p)
{
	const struct knit_topo_worker *w;
	uint64_t ports = 0;
	unsigned int i, k;

	for (i = 0; i < p->topo->n_workers; i++) {
		w = &p->topo->workers[i];
		if (w->state != KNIT_PROCESS_DEAD)
			continue;
		for (k = 0; k < p->topo->n_ports; k++)
			if (p->plan->workers[i].rxq[k] >= 0)
				ports |= UINT64_C(1) << k;
	}
	return ports;
}
