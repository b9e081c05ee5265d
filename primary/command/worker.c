// SPDX-License-Identifier: BSD-3-Clause
#include "worker.h"

#include "command.h"
#include "process/order.h"
#include "system/command/worker.h"
#include "system/process/exit.h"

#include <rte_cycles.h>

#include <stdlib.h>
#include <string.h>

#define POLL_MS 2
#define OBEY_MS 5000  /* the port thread may wait for a driver */
#define LEAVE_MS 5000 /* a worker that was told to end takes milliseconds */

/* What a client wants to know. */
struct order {
	struct knit_command_worker asked;
	const struct knit_topo_worker *worker;
	struct order_answer answer;
	bool obeyed;
	uint64_t begun; /* timer cycles */
	uint32_t left_ms;
};

/* Whose order the port thread has; NULL: it has none, or its client is gone. */
static struct command_client *giver;

static uint32_t ms_passed(const struct order *o)
{
	return (uint32_t)((rte_get_timer_cycles() - o->begun) / (rte_get_timer_hz() / 1000));
}

static void give(struct primary *p, struct command_client *c,
		 const struct knit_command_worker *asked, const struct knit_topo_worker *w)
{
	struct order *o = calloc(1, sizeof(*o));

	if (o == NULL || giver || !order_give(asked->order, w - p->topo->workers)) {
		free(o);
		command_end(c, KNIT_EXIT_RESOURCES,
			    "another order about a worker has not been carried out yet");
		return;
	}
	giver = c;
	*o = (struct order){ .asked = *asked, .worker = w, .begun = rte_get_timer_cycles() };
	*command_data(c) = o;
}

static void worker_start(struct primary *p, struct command_client *c, const void *request,
			 size_t len)
{
	struct knit_command_worker asked;
	const struct knit_topo_worker *w;

	memcpy(&asked, request, len);
	w = knit_topo_worker(p->topo, asked.id);
	if (asked.order < KNIT_WORKER_PARK || asked.order > KNIT_WORKER_REPLACE ||
	    asked.wait_ms > KNIT_WORKER_WAIT_MAX)
		command_end(c, KNIT_EXIT_USAGE, "order %u with %u ms: there is none such",
			    asked.order, asked.wait_ms);
	else if (w == NULL)
		command_end(c, KNIT_EXIT_FAILURE, "there is no worker %u", asked.id);
	else
		give(p, c, &asked, w);
}

static void tell_obeyed(struct command_client *c, const struct order *o, uint32_t successor)
{
	const struct knit_command_obeyed told = {
		.pid = o->answer.pid,
		.gap_us = o->answer.gap_us,
		.left_ms = o->left_ms,
		.successor = successor,
		.attached_ms = successor ? ms_passed(o) : 0,
	};
	const struct command_part part = { &told.pid, sizeof(told) - sizeof(told.head) };

	if (command_send(c, KNIT_COMMAND_OBEYED, &part, 1))
		command_end(c, KNIT_EXIT_OK, NULL);
}

/*
 * The process that is attached now; 0: none is. The generation is read twice: the port thread may
 * change the entry meanwhile.
 */
static uint32_t attached(const struct knit_topo_worker *w, uint32_t *generation, bool *left)
{
	uint32_t before = __atomic_load_n(&w->generation, __ATOMIC_ACQUIRE);
	uint32_t state = __atomic_load_n(&w->state, __ATOMIC_ACQUIRE);
	uint32_t pid = __atomic_load_n(&w->pid, __ATOMIC_ACQUIRE);

	*generation = __atomic_load_n(&w->generation, __ATOMIC_ACQUIRE);
	*left = state == KNIT_PROCESS_FREE || state == KNIT_PROCESS_DEAD;
	return *generation == before && state == KNIT_PROCESS_ATTACHED ? pid : 0;
}

/* A restart is done when the next process has attached. */
static void await_successor(struct command_client *c, struct order *o)
{
	uint32_t ms = ms_passed(o), leave_ms = RTE_MIN(o->asked.wait_ms, (uint32_t)LEAVE_MS);
	uint32_t generation, pid, old = o->answer.pid, id = o->asked.id;
	bool next, left;

	pid = attached(o->worker, &generation, &left);
	next = generation != o->answer.generation;
	if (o->left_ms == 0 && (next || left))
		o->left_ms = RTE_MAX(ms, 1U);
	if (next && pid)
		tell_obeyed(c, o, pid);
	else if (o->left_ms == 0 && ms >= leave_ms)
		command_end(c, KNIT_EXIT_FAILURE,
			    "worker %u: process %u was told to end, and has not within %u ms; it "
			    "will when it can",
			    id, old, leave_ms);
	else if (o->left_ms && ms >= o->asked.wait_ms)
		command_end(c, KNIT_EXIT_FAILURE,
			    "worker %u: process %u ended after %u ms, and no other one has "
			    "attached within %u ms: start knit-worker --id %u",
			    id, old, o->left_ms, o->asked.wait_ms, id);
}

static void await_obedience(struct command_client *c, struct order *o)
{
	if (order_done(&o->answer)) {
		o->obeyed = true;
		giver = NULL;
		if (o->answer.result < 0)
			command_end(c, KNIT_EXIT_FAILURE, "%s", o->answer.why);
	} else if (ms_passed(o) >= OBEY_MS) {
		command_end(c, KNIT_EXIT_FAILURE,
			    "the primary is busy with a device; it will carry out the order");
	}
}

static void worker_poll(struct primary *p, struct command_client *c)
{
	struct order *o = *command_data(c);

	(void)p;
	if (o == NULL)
		return;
	if (!o->obeyed)
		await_obedience(c, o);
	else if (o->asked.order == KNIT_WORKER_RESTART)
		await_successor(c, o);
	else
		tell_obeyed(c, o, o->answer.successor);
}

/* What was ordered is done even if nobody wants to know any more. */
static void worker_stop(struct primary *p, struct command_client *c)
{
	(void)p;
	if (giver == c)
		giver = NULL;
	free(*command_data(c));
}

const struct command command_worker = {
	.type = KNIT_COMMAND_WORKER,
	.min = sizeof(struct knit_command_worker),
	.max = sizeof(struct knit_command_worker),
	.every_ms = POLL_MS,
	.start = worker_start,
	.poll = worker_poll,
	.stop = worker_stop,
};
