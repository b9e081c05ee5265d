// SPDX-License-Identifier: BSD-3-Clause
#include "worker.h"

#include "command.h"
#include "process/order.h"
#include "system/command/worker.h"
#include "system/process/exit.h"

#include <rte_cycles.h>

#include <errno.h>
#include <string.h>

#define POLL_MS 2
#define LEAVE_MS 5000 /* a worker that was told to end takes milliseconds */

/* The order that is on its way; there is one at a time. */
static struct {
	struct command_client *client; /* NULL: none */
	struct knit_command_worker asked;
	struct knit_topo_worker *worker;
	struct order_answer answer;
	bool obeyed;
	uint64_t begun; /* timer cycles */
	uint32_t left_ms;
} state;

static uint32_t ms_passed(void)
{
	return (uint32_t)((rte_get_timer_cycles() - state.begun) / (rte_get_timer_hz() / 1000));
}

static void worker_start(struct primary *p, struct command_client *c, const void *request,
			 size_t len)
{
	struct knit_command_worker asked;
	struct knit_topo_worker *w;

	memcpy(&asked, request, len);
	w = knit_topo_worker(p->topo, asked.id);
	if (asked.order < KNIT_WORKER_PARK || asked.order > KNIT_WORKER_RESTART ||
	    asked.wait_ms > KNIT_WORKER_WAIT_MAX) {
		command_end(c, KNIT_EXIT_USAGE, "order %u with %u ms: there is none such",
			    asked.order, asked.wait_ms);
	} else if (w == NULL) {
		command_end(c, KNIT_EXIT_FAILURE, "there is no worker %u", asked.id);
	} else if (state.client || !order_give(asked.order, w - p->topo->workers)) {
		command_end(c, KNIT_EXIT_RESOURCES,
			    "another order about a worker is being carried out: one can at a time");
	} else {
		state.client = c;
		state.asked = asked;
		state.worker = w;
		state.obeyed = false;
		state.left_ms = 0;
		state.begun = rte_get_timer_cycles();
	}
}

static void tell_obeyed(struct command_client *c, uint32_t successor)
{
	const struct knit_command_obeyed told = {
		.pid = state.answer.pid,
		.left_ms = state.left_ms,
		.successor = successor,
		.attached_ms = successor ? ms_passed() : 0,
	};
	const struct command_part part = { &told.pid, sizeof(told) - sizeof(told.head) };

	if (command_send(c, KNIT_COMMAND_OBEYED, &part, 1))
		command_end(c, KNIT_EXIT_OK, NULL);
}

/* A restart is done when the next process has attached. */
static void await_successor(struct command_client *c)
{
	const struct knit_topo_worker *w = state.worker;
	uint32_t now = __atomic_load_n(&w->state, __ATOMIC_ACQUIRE);
	bool next = w->generation != state.answer.generation;
	uint32_t pid = state.answer.pid;

	if (state.left_ms == 0 && (next || now == KNIT_PROCESS_FREE || now == KNIT_PROCESS_DEAD))
		state.left_ms = RTE_MAX(ms_passed(), 1U);
	if (next && now == KNIT_PROCESS_ATTACHED)
		tell_obeyed(c, w->pid);
	else if (state.left_ms == 0 && ms_passed() >= LEAVE_MS)
		command_end(c, KNIT_EXIT_FAILURE,
			    "worker %u: process %u was told to end, and has not within %d ms",
			    w->id, pid, LEAVE_MS);
	else if (state.left_ms && ms_passed() >= state.asked.wait_ms)
		command_end(c, KNIT_EXIT_FAILURE,
			    "worker %u: process %u ended after %u ms, and no other one has "
			    "attached within %u ms: start knit-worker --id %u",
			    w->id, pid, state.left_ms, state.asked.wait_ms, w->id);
}

static void worker_poll(struct primary *p, struct command_client *c)
{
	(void)p;
	if (state.client != c)
		return;
	if (!state.obeyed && order_done(&state.answer)) {
		state.obeyed = true;
		if (state.answer.result < 0)
			command_end(c, KNIT_EXIT_FAILURE, "%s", state.answer.why);
	}
	if (!state.obeyed)
		return;
	if (state.asked.order == KNIT_WORKER_RESTART)
		await_successor(c);
	else
		tell_obeyed(c, 0);
}

/* What was ordered is done even if nobody wants to know any more. */
static void worker_stop(struct primary *p, struct command_client *c)
{
	(void)p;
	if (state.client == c)
		state.client = NULL;
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
