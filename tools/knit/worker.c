// SPDX-License-Identifier: BSD-3-Clause
#include "system/command/worker.h"
#include "command.h"
#include "knit.h"
#include "system/process/exit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const orders[] = {
	[KNIT_WORKER_PARK] = "park",
	[KNIT_WORKER_RESUME] = "resume",
	[KNIT_WORKER_RESTART] = "restart",
	[KNIT_WORKER_REPLACE] = "replace",
};

/* What has been done, as the last word of a sentence. */
static const char *const done[] = {
	[KNIT_WORKER_PARK] = "is parked",
	[KNIT_WORKER_RESUME] = "goes on",
};

static void print_obeyed(const struct options *o, const struct knit_command_worker *asked,
			 const struct knit_command_obeyed *told)
{
	bool restart = asked->order == KNIT_WORKER_RESTART;
	bool replace = asked->order == KNIT_WORKER_REPLACE;
	struct json_object *object;

	if (!o->json && restart)
		printf("worker %" PRIu32 ": process %" PRIu32 " ended after %" PRIu32
		       " ms, process %" PRIu32 " attached after %" PRIu32 " ms\n",
		       asked->id, told->pid, told->left_ms, told->successor, told->attached_ms);
	else if (!o->json && replace)
		printf("worker %" PRIu32 ": process %" PRIu32 " took over from process %" PRIu32
		       ", without packets for %" PRIu32 " us\n",
		       asked->id, told->successor, told->pid, told->gap_us);
	else if (!o->json)
		printf("worker %" PRIu32 ": process %" PRIu32 " %s\n", asked->id, told->pid,
		       done[asked->order]);
	if (!o->json)
		return;
	object = json_object_new_object();
	json_object_object_add(object, "worker", json_object_new_uint64(asked->id));
	json_object_object_add(object, "order", json_object_new_string(orders[asked->order]));
	json_object_object_add(object, "pid", json_object_new_uint64(told->pid));
	if (replace) {
		json_object_object_add(object, "successor",
				       json_object_new_uint64(told->successor));
		json_object_object_add(object, "gap_us", json_object_new_uint64(told->gap_us));
	}
	if (restart) {
		json_object_object_add(object, "left_ms", json_object_new_uint64(told->left_ms));
		json_object_object_add(object, "successor",
				       json_object_new_uint64(told->successor));
		json_object_object_add(object, "attached_ms",
				       json_object_new_uint64(told->attached_ms));
	}
	print_json(o, object);
}

static int await_answer(const struct options *o, const struct knit_command_worker *asked,
			struct command_call *call)
{
	const struct knit_command_head *head;
	size_t len;
	int code;

	while ((head = command_next(call, true, &len, &code)) != NULL) {
		if (head->type != KNIT_COMMAND_OBEYED || len < sizeof(struct knit_command_obeyed))
			return fail(KNIT_EXIT_MISMATCH, "the primary's answer is none to an order");
		print_obeyed(o, asked, (const struct knit_command_obeyed *)head);
	}
	return code;
}

static int give(const struct options *o, const struct knit_command_worker *asked)
{
	struct command_call *call;
	struct client *c;
	int code;

	c = client_open(o->prefix, &code);
	if (c == NULL)
		return code;
	call = command_call(c, KNIT_COMMAND_WORKER, asked, sizeof(*asked), &code);
	if (call) {
		code = await_answer(o, asked, call);
		command_close(call);
	}
	client_close(c);
	return code;
}

int worker_main(const struct options *o, int argc, char **argv)
{
	struct knit_command_worker asked = { .wait_ms = (uint32_t)(o->timeout * 1000) };
	uint32_t order = KNIT_WORKER_PARK;
	unsigned long long id;
	char *end;

	if (argc != 3)
		return fail(KNIT_EXIT_USAGE, "worker: park, resume, restart or replace, and the id "
					     "of a worker, are expected");
	while (order <= KNIT_WORKER_REPLACE && strcmp(argv[1], orders[order]) != 0)
		order++;
	if (order > KNIT_WORKER_REPLACE)
		return fail(KNIT_EXIT_USAGE,
			    "worker: found \"%s\": park, resume, restart or replace is expected",
			    argv[1]);
	asked.order = order;
	id = strtoull(argv[2], &end, 10);
	asked.id = (uint32_t)id;
	if (argv[2][0] < '0' || argv[2][0] > '9' || *end || id > UINT32_MAX)
		return fail(KNIT_EXIT_USAGE,
			    "worker: found \"%s\": the id of a worker is expected, a number",
			    argv[2]);
	return give(o, &asked);
}
