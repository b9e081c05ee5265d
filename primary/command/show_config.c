// SPDX-License-Identifier: BSD-3-Clause
#include "show_config.h"

#include "command.h"
#include "config_json.h"

static void show_config_start(struct primary *p, struct command_client *c, const void *request,
			      size_t len)
{
	struct json_object *conf;

	/* A change in two steps frees what was in force before the first one. */
	pthread_mutex_lock(&p->places);
	conf = config_json(p->conf);
	pthread_mutex_unlock(&p->places);
	command_end_json(c, conf);
}

const struct command command_show_config = {
	.type = KNIT_COMMAND_CONFIG,
	.start = show_config_start,
};
