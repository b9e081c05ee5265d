// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "reload.h"

#include "command.h"
#include "config_diff.h"
#include "event/event.h"
#include "kni/base/doorbell.h"
#include "kni/base/log.h"
#include "process/levels.h"
#include "system/command/levels.h"
#include "system/process/exit.h"
#include "system/text/json_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Workers read these words in their loop. */
static void tell_workers(const struct primary *p)
{
	const struct knit_conf_worker *conf;
	struct knit_topo_worker *w;
	unsigned int i;

	for (i = 0; i < p->conf->n_workers; i++) {
		conf = &p->conf->workers[i];
		w = &p->topo->workers[i];
		__atomic_store_n(&w->burst, conf->burst, __ATOMIC_RELAXED);
		__atomic_store_n(&w->idle, (uint32_t)conf->idle, __ATOMIC_RELAXED);
		knit_doorbell_ring(w->doorbell);
	}
}

static void set_levels(struct primary *p, const char *name)
{
	static const char *const names[KNIT_LOG_LEVELS] = KNIT_LOG_LEVEL_NAMES;
	uint32_t level = 0;
	unsigned int i;

	while (level < KNIT_LOG_LEVELS && strcmp(names[level], name) != 0)
		level++;
	for (i = 0; i < KNIT_LOG_TYPES; i++)
		levels_set(p, i, level + 1);
}

static void apply(struct primary *p, const struct knit_config *wanted, const struct config_diff *d)
{
	bool levels = strcmp(p->conf->eal.log_level, wanted->eal.log_level) != 0;

	config_apply_live(p->conf, wanted);
	p->conf->hash = wanted->hash;
	p->topo->config_hash = wanted->hash;
	if (levels)
		set_levels(p, p->conf->eal.log_level);
	tell_workers(p);
	EVENT(RELOADED, EV(wanted->file), EV(d->n));
}

/* What was found in the file, or between it and what runs: `errors` or `changes`. */
static void answer(struct command_client *c, const char *file, bool applied, const char *what,
		   struct json_object *found)
{
	struct json_object *told = json_object_new_object();

	json_object_object_add(told, "file", knit_json_text(file));
	json_object_object_add(told, "applied", json_object_new_boolean(applied));
	json_object_object_add(told, what, found);
	command_end_json(c, told);
}

static void reload(struct primary *p, struct command_client *c, const struct knit_config *wanted,
		   bool dry_run)
{
	struct config_diff d = config_diff(p->conf, wanted);
	bool applied = !dry_run && d.n_start == 0;

	if (applied && d.n)
		apply(p, wanted, &d);
	answer(c, wanted->file, applied, "changes", d.changes);
}

static struct json_object *lines_of(char *text)
{
	struct json_object *lines = json_object_new_array();
	char *save, *line;

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		json_object_array_add(lines, knit_json_text(line));
	return lines;
}

static void reload_start(struct primary *p, struct command_client *c, const void *request,
			 size_t len)
{
	struct knit_command_reload asked;
	struct knit_config *wanted;
	char *errors = NULL;
	const char *file;
	bool fits;
	size_t size;
	FILE *err;

	memcpy(&asked, request, len);
	asked.file[sizeof(asked.file) - 1] = '\0';
	if (command_uid(c) != 0) {
		command_end(c, KNIT_EXIT_RESOURCES, "only root may have a file read");
		return;
	}
	file = asked.file[0] ? asked.file : p->conf->file;
	err = open_memstream(&errors, &size);
	wanted = err ? knit_config_load(file, err) : NULL;
	fits = wanted && knit_plan_fits(wanted, err);
	if (err)
		fclose(err);
	if (fits)
		reload(p, c, wanted, asked.dry_run);
	else if (errors)
		answer(c, file, false, "errors", lines_of(errors));
	else
		command_end(c, KNIT_EXIT_FAILURE, "no memory");
	free(wanted);
	free(errors);
}

const struct command command_reload = {
	.type = KNIT_COMMAND_RELOAD,
	.min = sizeof(struct knit_command_reload),
	.max = sizeof(struct knit_command_reload),
	.start = reload_start,
};
