// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_worker
#include "replace.h"

#include "change.h"
#include "event/event.h"
#include "kni/base/doorbell.h"
#include "kni/base/log.h"
#include "park.h"
#include "registry.h"

#include <rte_cycles.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CALL_MS 100	/* the one that stands by is woken */
#define YIELD_MS 100	/* a round takes microseconds; as long as for a park */
#define GIVE_UP_MS 1000 /* a worker that has begun to yield */
#define SPIN_US 1000	/* of these: without a pause */
#define TAKE_MS 5000	/* the one that stands by is woken, and claims; then it is killed */
#define MISS_MS 10000	/* so long nobody may stand by */

/* Takers: workers that were taken over, and have not run yet. */
static struct {
	uint32_t generation; /* of the one that takes over; 0: none */
	uint32_t before;     /* process id */
	bool serve;	     /* engines have left its pairs alone, and must serve them again */
	uint64_t since;	     /* timer cycles */
	uint64_t tsc;	     /* since when nobody runs, if the one before has not told */
	uint64_t alone;	     /* timer cycles: since when nobody stands by; 0: somebody does */
	uint32_t wanted;     /* generation of a worker that wants to hand over; 0: none */
	bool missed;
	bool killed;
} take[KNIT_MAX_WORKERS];

static uint64_t ms_since(uint64_t cycles)
{
	return (rte_get_timer_cycles() - cycles) * 1000 / rte_get_timer_hz();
}

static bool has_ended(int pidfd)
{
	struct pollfd end = { .fd = pidfd, .events = POLLIN };

	return pidfd < 0 || poll(&end, 1, 0) > 0;
}

/* Whether a process stands by, and has everything open for the plan in force. */
static bool is_ready(const struct primary *p, unsigned int i)
{
	const struct knit_topo_next *n = &p->topo->workers[i].next;

	return n->state == KNIT_PROCESS_ATTACHED && !has_ended(p->pidfd[STANDBY_ENTRY(i)]) &&
	       __atomic_load_n(&n->prepared, __ATOMIC_ACQUIRE) == p->plan->number;
}

static int refuse(const struct primary *p, unsigned int i, char *why, size_t len)
{
	const struct knit_topo_worker *w = &p->topo->workers[i];

	if (w->next.state == KNIT_PROCESS_FREE)
		snprintf(why, len,
			 "nobody stands by for worker %u: start knit-worker --id %u --standby", i,
			 i);
	else if (w->next.state == KNIT_PROCESS_DETACHING)
		snprintf(why, len, "worker %u: process %u, which was replaced, is not gone yet", i,
			 w->next.pid);
	else
		snprintf(why, len, "worker %u: process %u, which stands by, is not ready yet", i,
			 w->next.pid);
	return w->next.state == KNIT_PROCESS_FREE ? -ESRCH : -EAGAIN;
}

static void pause_since(uint64_t begun)
{
	const struct timespec pause = { .tv_nsec = 20000 };

	if (rte_get_timer_cycles() - begun < rte_get_timer_hz() / 1000000 * SPIN_US)
		rte_pause();
	else
		nanosleep(&pause, NULL);
}

/* One that stands still would keep the domain from everybody. */
static bool answers(struct primary *p, unsigned int i)
{
	struct knit_topo_next *n = &p->topo->workers[i].next;
	uint64_t begun = rte_get_timer_cycles();

	__atomic_store_n(&n->called, n->called + 1, __ATOMIC_RELEASE);
	knit_doorbell_ring(n->doorbell);
	while (__atomic_load_n(&n->answered, __ATOMIC_ACQUIRE) != n->called) {
		if (ms_since(begun) >= CALL_MS)
			return false;
		pause_since(begun);
	}
	return true;
}

/* 0; -EBUSY: it does not park, and was told to go on; -ESRCH: it died. */
static int await_yield(struct primary *p, struct knit_topo_worker *w)
{
	uint64_t begun = rte_get_timer_cycles();
	uint32_t asked = w->generation;

	while (__atomic_load_n(&w->yielded, __ATOMIC_ACQUIRE) != w->generation) {
		pause_since(begun);
		if (ms_since(begun) >= YIELD_MS && asked == w->generation &&
		    __atomic_compare_exchange_n(&w->yield, &asked, 0, false, __ATOMIC_ACQ_REL,
						__ATOMIC_ACQUIRE))
			return -EBUSY;
		if (ms_since(begun) >= GIVE_UP_MS)
			syscall(SYS_pidfd_send_signal, p->pidfd[w->id], SIGKILL, NULL, 0);
		if (ms_since(begun) >= 1 && has_ended(p->pidfd[w->id]) &&
		    __atomic_load_n(&w->yielded, __ATOMIC_ACQUIRE) != w->generation)
			return -ESRCH;
	}
	return 0;
}

static void take_over(struct primary *p, unsigned int i, bool serve, uint64_t tsc)
{
	struct knit_topo_worker *w = &p->topo->workers[i];

	take[i].generation = w->next.generation;
	take[i].before = w->pid;
	take[i].serve = serve;
	take[i].killed = false;
	take[i].since = rte_get_timer_cycles();
	take[i].tsc = tsc;
	p->taking |= UINT32_C(1) << i;
	registry_take_over(p, i);
}

int replace_begin(struct primary *p, unsigned int i, char *why, size_t len)
{
	struct knit_topo_worker *w = &p->topo->workers[i];
	uint32_t pid = w->pid;
	int ret;

	if (change_stage() != CHANGE_NONE || p->plan_before || registry_any_dead(p)) {
		snprintf(why, len, "the configuration is being changed, or a domain reset");
		return -EBUSY;
	}
	if (!is_ready(p, i))
		return refuse(p, i, why, len);
	if (!answers(p, i)) {
		snprintf(why, len,
			 "worker %u: process %u, which stands by, does not answer within %d ms", i,
			 w->next.pid, CALL_MS);
		return -EBUSY;
	}
	__atomic_store_n(&w->yield, w->generation, __ATOMIC_RELEASE);
	park_ask(p, i);
	ret = await_yield(p, w);
	if (ret == 0) {
		take_over(p, i, false, __atomic_load_n(&w->yield_tsc, __ATOMIC_RELAXED));
		return 0;
	}
	if (ret == -EBUSY)
		snprintf(why, len, "worker %u (process %u) did not stop within %d ms", i, pid,
			 YIELD_MS);
	else
		snprintf(why, len,
			 "worker %u: process %u died meanwhile: process %u takes over when the "
			 "domain is reset",
			 i, pid, w->next.pid);
	if (ret == -EBUSY)
		park_resume(p);
	return ret;
}

int replace_end(struct primary *p, unsigned int i, uint32_t *successor, uint32_t *gap_us, char *why,
		size_t len)
{
	struct knit_topo_worker *w = &p->topo->workers[i];
	uint64_t from = __atomic_load_n(&w->yield_tsc, __ATOMIC_RELAXED);

	*successor = w->pid;
	if (w->state == KNIT_PROCESS_ATTACHED &&
	    __atomic_load_n(&w->taken, __ATOMIC_ACQUIRE) == w->generation) {
		*gap_us = (__atomic_load_n(&w->taken_tsc, __ATOMIC_RELAXED) - from) * 1000000 /
			  rte_get_tsc_hz();
		return 0;
	}
	if (w->state == KNIT_PROCESS_ATTACHED && take[i].generation &&
	    ms_since(take[i].since) < TAKE_MS)
		return -EINPROGRESS;
	snprintf(why, len, "worker %u: process %u took over, and does not run", i, w->pid);
	return -ETIMEDOUT;
}

static void taken(struct primary *p, unsigned int i)
{
	const struct knit_topo_worker *w = &p->topo->workers[i];
	uint64_t us = (__atomic_load_n(&w->taken_tsc, __ATOMIC_RELAXED) - take[i].tsc) * 1000000 /
		      rte_get_tsc_hz();

	if (take[i].serve)
		registry_serve_pairs(p, i, true);
	EVENT(WORKER_REPLACED, EV(i), EV(w->pid), EV(take[i].before), EV(us));
	take[i].generation = 0;
}

/* Others wait for it. Its end is seen as that of any worker. */
static void kill_taker(struct primary *p, unsigned int i)
{
	if (take[i].killed)
		return;
	take[i].killed = true;
	log_err("worker %u: process %u took over, and has not run for %d ms: killing it", i,
		p->topo->workers[i].pid, TAKE_MS);
	syscall(SYS_pidfd_send_signal, p->pidfd[i], SIGKILL, NULL, 0);
}

/* False: there is nothing more to do for it. */
static bool poll_taker(struct primary *p, unsigned int i)
{
	const struct knit_topo_worker *w = &p->topo->workers[i];

	if (w->state != KNIT_PROCESS_ATTACHED || w->generation != take[i].generation)
		take[i].generation = 0;
	else if (__atomic_load_n(&w->taken, __ATOMIC_ACQUIRE) == w->generation)
		taken(p, i);
	else if (ms_since(take[i].since) >= TAKE_MS)
		kill_taker(p, i);
	if (take[i].generation)
		return true;
	p->taking &= ~(UINT32_C(1) << i);
	return false;
}

/* The worker is gone: not there, or it touches nothing any more. */
static bool is_vacant(const struct primary *p, unsigned int i)
{
	const struct knit_topo_worker *w = &p->topo->workers[i];

	return w->there && p->plan->workers[i].there &&
	       (w->state == KNIT_PROCESS_FREE || w->state == KNIT_PROCESS_DETACHING) &&
	       w->next.state == KNIT_PROCESS_ATTACHED;
}

static void miss(struct primary *p, unsigned int i)
{
	const struct knit_topo_worker *w = &p->topo->workers[i];

	if (!w->there || !__atomic_load_n(&w->standby, __ATOMIC_RELAXED) ||
	    w->next.state == KNIT_PROCESS_ATTACHED) {
		take[i].alone = 0;
		take[i].missed = false;
		return;
	}
	if (take[i].alone == 0)
		take[i].alone = rte_get_timer_cycles();
	if (take[i].missed || ms_since(take[i].alone) < MISS_MS)
		return;
	take[i].missed = true;
	EVENT(STANDBY_MISSING, EV(i));
}

bool replace_all_follow(struct primary *p, bool late)
{
	const struct knit_topo_next *n;
	bool all = true;
	unsigned int i;

	for (i = 0; i < KNIT_MAX_WORKERS; i++) {
		n = &p->topo->workers[i].next;
		if (n->state != KNIT_PROCESS_ATTACHED ||
		    __atomic_load_n(&n->prepared, __ATOMIC_ACQUIRE) == p->plan->number)
			continue;
		all = false;
		if (late)
			syscall(SYS_pidfd_send_signal, p->pidfd[STANDBY_ENTRY(i)], SIGKILL, NULL,
				0);
	}
	return all;
}

int replace_asked(struct primary *p, struct knit_msg *m)
{
	int i = registry_entry(p, m);

	if (i < 0)
		return i;
	if (i >= CONTROL_ENTRY || p->topo->workers[i].next.state != KNIT_PROCESS_ATTACHED)
		return -ESRCH;
	take[i].wanted = p->topo->workers[i].generation;
	return 0;
}

/* If it can't be, that one ends as without. */
static void begin_wanted(struct primary *p, unsigned int i)
{
	bool wanted = take[i].wanted == p->topo->workers[i].generation;
	char why[160];

	take[i].wanted = 0;
	if (wanted && p->topo->workers[i].state == KNIT_PROCESS_ATTACHED && !p->restart &&
	    replace_begin(p, i, why, sizeof(why)) < 0)
		log_notice("%s", why);
}

bool replace_poll(struct primary *p)
{
	bool more = false;
	unsigned int i;

	for (i = 0; i < KNIT_MAX_WORKERS; i++) {
		miss(p, i);
		if (take[i].wanted)
			begin_wanted(p, i);
		if (take[i].generation) {
			more |= poll_taker(p, i);
			continue;
		}
		if (!is_vacant(p, i) || p->restart || registry_any_dead(p))
			continue;
		more = true;
		if (is_ready(p, i) && p->plan_before == NULL && change_stage() == CHANGE_NONE)
			take_over(p, i, true, rte_rdtsc());
	}
	return more;
}
