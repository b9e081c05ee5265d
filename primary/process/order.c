// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_worker
#include "order.h"

#include "change.h"
#include "event/event.h"
#include "kni/base/log.h"
#include "park.h"
#include "replace.h"

#include <errno.h>
#include <stdio.h>

enum stage {
	IDLE,
	GIVEN,
	BEGUN,
	DONE,
};

/* stage says whose the rest is: GIVEN, BEGUN: the port thread's, otherwise the command thread's. */
static struct {
	enum knit_worker_order order;
	unsigned int worker;
	uint32_t stage;
	struct order_answer answer;
	void (*kick)(void);
} given;

void order_init(void (*kick)(void))
{
	given.kick = kick;
}

bool order_give(enum knit_worker_order order, unsigned int worker)
{
	uint32_t stage = __atomic_load_n(&given.stage, __ATOMIC_ACQUIRE);

	if (stage == GIVEN || stage == BEGUN)
		return false;
	given.order = order;
	given.worker = worker;
	__atomic_store_n(&given.stage, GIVEN, __ATOMIC_RELEASE);
	given.kick();
	return true;
}

bool order_done(struct order_answer *answer)
{
	if (__atomic_load_n(&given.stage, __ATOMIC_ACQUIRE) != DONE)
		return false;
	*answer = given.answer;
	__atomic_store_n(&given.stage, IDLE, __ATOMIC_RELEASE);
	return true;
}

static int order_park(struct primary *p, struct knit_topo_worker *w, struct order_answer *a)
{
	int ret;

	if (w->held == w->generation)
		return 0;
	if (change_stage() != CHANGE_NONE) {
		snprintf(a->why, sizeof(a->why), "the configuration is being changed");
		return -EBUSY;
	}
	ret = park_worker(p, given.worker, a->why, sizeof(a->why));
	if (ret < 0)
		return ret;
	__atomic_store_n(&w->held, w->generation, __ATOMIC_RELEASE);
	EVENT(WORKER_PARKED, EV(w->id), EV(w->pid));
	return 0;
}

static int order_resume(struct primary *p, struct knit_topo_worker *w)
{
	if (w->held != w->generation)
		return 0;
	__atomic_store_n(&w->held, 0, __ATOMIC_RELEASE);
	park_resume(p);
	EVENT(WORKER_RESUMED, EV(w->id), EV(w->pid));
	return 0;
}

/* It looks at `leave` when it is resumed. */
static int order_restart(struct primary *p, struct knit_topo_worker *w, struct order_answer *a)
{
	int ret = park_worker(p, given.worker, a->why, sizeof(a->why));

	if (ret < 0)
		return ret;
	log_notice("worker %u: process %u was told to start anew", w->id, w->pid);
	__atomic_store_n(&w->leave, w->generation, __ATOMIC_RELEASE);
	__atomic_store_n(&w->held, 0, __ATOMIC_RELEASE);
	park_resume(p);
	return 0;
}

static int carry_out(struct primary *p, struct knit_topo_worker *w, struct order_answer *a)
{
	if (w->state != KNIT_PROCESS_ATTACHED) {
		snprintf(a->why, sizeof(a->why), "worker %u is not attached", w->id);
		return -ESRCH;
	}
	/* Workers of a port that does not run stay as they are until they are told to end. */
	if (p->restart) {
		snprintf(a->why, sizeof(a->why), "the primary starts anew");
		return -EBUSY;
	}
	switch (given.order) {
	case KNIT_WORKER_PARK:
		return order_park(p, w, a);
	case KNIT_WORKER_RESUME:
		return order_resume(p, w);
	case KNIT_WORKER_RESTART:
		return order_restart(p, w, a);
	case KNIT_WORKER_REPLACE:
		return replace_begin(p, given.worker, a->why, sizeof(a->why));
	}
	return -EINVAL;
}

/* True: the answer is complete. */
static bool replacement_is_done(struct primary *p, struct order_answer *a)
{
	a->result = replace_end(p, given.worker, &a->successor, &a->gap_us, a->why, sizeof(a->why));
	return a->result != -EINPROGRESS;
}

bool order_poll(struct primary *p)
{
	uint32_t stage = __atomic_load_n(&given.stage, __ATOMIC_ACQUIRE);
	struct order_answer *a = &given.answer;
	struct knit_topo_worker *w;

	if (stage != GIVEN && stage != BEGUN)
		return false;
	if (stage == GIVEN) {
		w = &p->topo->workers[given.worker];
		*a = (struct order_answer){ .pid = w->pid, .generation = w->generation };
		a->result = carry_out(p, w, a);
		stage = BEGUN;
	}
	if (given.order == KNIT_WORKER_REPLACE && (a->result == 0 || a->result == -EINPROGRESS) &&
	    !replacement_is_done(p, a)) {
		__atomic_store_n(&given.stage, stage, __ATOMIC_RELEASE);
		return true;
	}
	__atomic_store_n(&given.stage, DONE, __ATOMIC_RELEASE);
	return false;
}
