// SPDX-License-Identifier: BSD-3-Clause
#include "monitor.h"

#include "command.h"
#include "event/event.h"
#include "system/process/exit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The data of a client is the number of the last event that it has. */
static void monitor_start(struct primary *p, struct command_client *c, const void *request,
			  size_t len)
{
	const struct knit_command_monitor *asked = request;
	uint64_t last = event_last(), *has = malloc(sizeof(*has));
	char json[40];
	const struct command_part parts[] = {
		{ &last, sizeof(last) },
		{ json,
		  snprintf(json, sizeof(json), "{\"start\":\"%016" PRIx64 "\"}", event_start()) },
	};

	(void)p;
	(void)len;
	if (has == NULL) {
		command_end(c, KNIT_EXIT_FAILURE, "no memory");
		return;
	}
	*has = asked->since == KNIT_COMMAND_NO_EVENT ? last : asked->since;
	if (*has > last || (asked->start && asked->start != event_start()))
		*has = 0; /* it is of another start of the primary */
	*command_data(c) = has;
	command_send(c, KNIT_COMMAND_EVENT, parts, 2);
}

static void monitor_poll(struct primary *p, struct command_client *c)
{
	uint64_t *has = *command_data(c), next;
	struct command_part parts[2];
	bool sent = true;
	char *json;

	(void)p;
	while (has && sent && (json = event_after(*has, &next)) != NULL) {
		parts[0] = (struct command_part){ &next, sizeof(next) };
		parts[1] = (struct command_part){ json, strlen(json) };
		sent = command_send(c, KNIT_COMMAND_EVENT, parts, 2);
		if (sent)
			*has = next;
		free(json);
	}
}

static void monitor_stop(struct primary *p, struct command_client *c)
{
	(void)p;
	free(*command_data(c));
}

const struct command command_monitor = {
	.type = KNIT_COMMAND_MONITOR,
	.min = sizeof(struct knit_command_monitor),
	.max = sizeof(struct knit_command_monitor),
	.start = monitor_start,
	.poll = monitor_poll,
	.stop = monitor_stop,
};
