// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "log_level.h"

#include "command.h"
#include "event/event.h"
#include "kni/base/log.h"
#include "process/levels.h"
#include "system/command/levels.h"
#include "system/process/exit.h"

#include <string.h>

static void set_type(struct primary *p, const struct command_client *c, unsigned int i,
		     uint32_t level)
{
	static const char *const names[KNIT_LOG_LEVELS] = KNIT_LOG_LEVEL_NAMES;

	levels_set(p, i, level);
	EVENT(LOG_LEVEL, EV(knit_log_types[i].name), EV(names[level - 1]), EV(command_pid(c)));
}

/* A message for each type: they fit into an empty socket. */
static void send_type(const struct primary *p, struct command_client *c, unsigned int i)
{
	uint32_t level = rte_log_get_level((uint32_t)*knit_log_types[i].type);
	uint32_t changed = p->topo->log_level[i] != 0;
	const char *name = knit_log_types[i].name;
	const struct command_part parts[] = {
		{ &level, sizeof(level) },
		{ &changed, sizeof(changed) },
		{ name, strlen(name) },
	};

	command_send(c, KNIT_COMMAND_LOG_TYPE, parts, RTE_DIM(parts));
}

static void log_level_start(struct primary *p, struct command_client *c, const void *request,
			    size_t len)
{
	struct knit_command_log_level asked;
	unsigned int i, n = 0;

	memcpy(&asked, request, len);
	asked.type[sizeof(asked.type) - 1] = '\0';
	if (asked.level > KNIT_LOG_LEVELS) {
		command_end(c, KNIT_EXIT_USAGE, "log level %u: 1 to %d are possible", asked.level,
			    KNIT_LOG_LEVELS);
		return;
	}
	for (i = 0; i < KNIT_LOG_TYPES; i++) {
		if (!levels_match(i, asked.type))
			continue;
		n++;
		if (asked.level)
			set_type(p, c, i, asked.level);
		send_type(p, c, i);
	}
	if (n)
		command_end(c, KNIT_EXIT_OK, NULL);
	else
		command_end(c, KNIT_EXIT_FAILURE,
			    "there is no log type \"%s\"; `knit log level` lists them", asked.type);
}

const struct command command_log_level = {
	.type = KNIT_COMMAND_LOG_LEVEL,
	.min = sizeof(struct knit_command_log_level),
	.max = sizeof(struct knit_command_log_level),
	.start = log_level_start,
};
