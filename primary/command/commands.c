// SPDX-License-Identifier: BSD-3-Clause
#include "commands.h"

#include "command.h"
#include "log_level.h"
#include "monitor.h"
#include "reload.h"
#include "show_config.h"
#include "watch.h"
#include "worker.h"

#include <stddef.h>

/* A new command is an entry here and a type in system/command/wire.h. */
static const struct command *const table[] = {
	&command_show_config,
	&command_log_level,
	&command_monitor,
	&command_reload,
	&watch_command,
	&command_worker,
	NULL,
};

int commands_start(struct primary *p)
{
	return command_start(p, table);
}

void commands_stop(void)
{
	command_stop();
}
