// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "reload.h"

#include "command.h"
#include "config_diff.h"
#include "event/event.h"
#include "kni/base/log.h"
#include "kni/private.h"
#include "process/change.h"
#include "process/levels.h"
#include "system/command/levels.h"
#include "system/config/config_place.h"
#include "system/process/exit.h"
#include "system/text/json_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How often the client's answer is looked for. */
#define POLL_MS 5

/* The reload that is under way. It goes on if its client leaves. */
static struct {
	struct command_client *client; /* NULL: nobody waits */
	bool running;
	bool dry_run;
	char file[256];
	char log_level[16]; /* before */
	struct config_diff diff;
} now;

static bool wanted_by_signal; /* SIGHUP; atomic */

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

static void add_number(struct json_object *told, const char *name, uint64_t value)
{
	json_object_object_add(told, name, json_object_new_int64((int64_t)value));
}

static struct json_object *workers_of(uint32_t set)
{
	struct json_object *all = json_object_new_array();
	int i;

	for (i = 0; i < KNIT_MAX_WORKERS; i++)
		if (set >> i & 1)
			json_object_array_add(all, json_object_new_int(i));
	return all;
}

static struct json_object *ports_of(const struct knit_topo *t, uint64_t set)
{
	struct json_object *all = json_object_new_array();
	unsigned int i;

	for (i = 0; i < KNIT_MAX_PORTS; i++)
		if (set >> i & 1)
			json_object_array_add(all, json_object_new_string(t->ports[i].name));
	return all;
}

/* What was found in the file, or between it and what runs: `errors` or `changes`. */
static struct json_object *answer_of(const char *file, bool applied, const char *what,
				     struct json_object *found)
{
	struct json_object *told = json_object_new_object();

	json_object_object_add(told, "file", knit_json_text(file));
	json_object_object_add(told, "applied", json_object_new_boolean(applied));
	json_object_object_add(told, what, found);
	return told;
}

static void answer_change(struct primary *p, const struct change *c)
{
	struct json_object *told;

	told = answer_of(now.file, c->result == 0 && !now.dry_run, "changes", now.diff.changes);
	if (c->result < 0) {
		json_object_object_add(told, "failed", knit_json_text(c->why));
	} else {
		json_object_object_add(told, "paused_workers", workers_of(c->cost.parked));
		json_object_object_add(told, "paused_ports", ports_of(p->topo, c->cost.set_up));
		if (!now.dry_run)
			add_number(told, "pause_us", c->cost.pause_us);
	}
	if (now.client)
		command_end_json(now.client, told);
	else
		json_object_put(told);
}

static void tell_log(const struct change *c)
{
	if (c->result == 0)
		EVENT(RELOADED, EV(now.file), EV(now.diff.n));
	else
		EVENT(RELOAD_FAILED, EV(now.file), EV(c->why));
}

/* The change that was given is done. */
static void settle(struct primary *p, const struct change *c)
{
	if (!now.dry_run) {
		tell_log(c);
		if (c->result == 0 && strcmp(now.log_level, p->conf->eal.log_level) != 0)
			set_levels(p, p->conf->eal.log_level);
	}
	answer_change(p, c);
	change_forget();
	now.running = false;
	now.client = NULL;
}

/* Those that have fewer queue pairs than workers will serve them. They are made anew. */
static int find_narrow_ifaces(const struct primary *p, const struct knit_config *wanted, FILE *err)
{
	struct knit_plan *plan = malloc(sizeof(*plan));
	const struct knit_topo_iface *iface;
	unsigned int i;
	int ret;

	if (plan == NULL)
		return -ENOMEM;
	ret = knit_plan_make(plan, wanted, err);
	for (i = 0; i < KNIT_MAX_CONF_IFACES && ret == 0; i++) {
		iface = &p->topo->ifaces[i];
		if (iface->there && wanted->ifaces[i].there &&
		    knit_plan_pairs(plan, i) > iface->kni->n_pairs)
			config_diff_again(&now.diff, iface->name, i);
	}
	free(plan);
	return ret;
}

/* The request for a change from what runs to `wanted`, which becomes the request's. */
static int make_request(const struct primary *p, struct knit_config *wanted, FILE *err,
			struct change_request *r)
{
	struct knit_places taken;
	int ret;

	*r = (struct change_request){ .wanted = wanted };
	knit_places_of(&taken, p->conf);
	ret = knit_config_place(wanted, &taken, err);
	if (ret == 0)
		ret = find_narrow_ifaces(p, wanted, err);
	if (ret < 0 || (now.diff.ports_again == 0 && now.diff.ifaces_again == 0))
		return ret;
	r->without = config_without(p->conf, now.diff.ports_again, now.diff.ifaces_again);
	r->back = config_without(p->conf, 0, 0);
	if (r->without && r->back)
		return 0;
	fprintf(err, "no memory\n");
	return -ENOMEM;
}

/* `wanted` is the reload's. Errors go to err. */
static int begin(struct primary *p, struct knit_config *wanted, FILE *err)
{
	struct change_request r;
	int ret;

	snprintf(now.file, sizeof(now.file), "%s", wanted->file);
	snprintf(now.log_level, sizeof(now.log_level), "%s", p->conf->eal.log_level);
	ret = make_request(p, wanted, err, &r);
	if (ret == 0 && change_give(&r, now.dry_run)) {
		now.running = true;
		return 0;
	}
	change_request_free(&r);
	return ret < 0 ? ret : -EBUSY;
}

static struct json_object *lines_of(char *text)
{
	struct json_object *lines = json_object_new_array();
	char *save, *line;

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		json_object_array_add(lines, knit_json_text(line));
	return lines;
}

/* Nothing differs, or something can't be had without a start. */
static void answer_at_once(struct command_client *c, const char *file)
{
	bool applied = now.diff.n == 0 && !now.dry_run;

	command_end_json(c, answer_of(file, applied, "changes", now.diff.changes));
}

/* Uses wanted up. What goes to err is for the client, too. 0: there is or will be an answer. */
static int reload(struct primary *p, struct command_client *c, struct knit_config *wanted,
		  FILE *err)
{
	int ret;

	now.diff = config_diff(p->conf, wanted);
	if (now.diff.n == 0 || now.diff.n_start) {
		answer_at_once(c, wanted->file);
		free(wanted);
		return 0;
	}
	now.client = c;
	ret = begin(p, wanted, err);
	if (ret == 0)
		return 0;
	now.client = NULL;
	json_object_put(now.diff.changes);
	return ret;
}

static void reload_start(struct primary *p, struct command_client *c, const void *request,
			 size_t len)
{
	struct knit_command_reload asked;
	struct knit_config *wanted;
	char *errors = NULL;
	const char *file;
	bool fits, done;
	size_t size;
	FILE *err;

	memcpy(&asked, request, len);
	asked.file[sizeof(asked.file) - 1] = '\0';
	if (command_uid(c) != 0) {
		command_end(c, KNIT_EXIT_RESOURCES, "only root may have a file read");
		return;
	}
	if (now.running) {
		command_end(c, KNIT_EXIT_RESOURCES,
			    "another reload is under way, and waits for workers or devices");
		return;
	}
	now.dry_run = asked.dry_run;
	file = asked.file[0] ? asked.file : p->file;
	err = open_memstream(&errors, &size);
	if (err == NULL) {
		command_end(c, KNIT_EXIT_FAILURE, "no memory");
		return;
	}
	wanted = knit_config_load(file, err);
	fits = wanted && knit_plan_fits(wanted, err);
	if (!fits)
		free(wanted);
	done = fits && reload(p, c, wanted, err) == 0;
	fclose(err);
	if (!done)
		command_end_json(c, answer_of(file, false, "errors", lines_of(errors)));
	free(errors);
}

/* What `knit reload` would print goes to the log. */
static void reload_unasked(struct primary *p)
{
	struct knit_config *wanted = knit_config_load(p->file, stderr);

	now.dry_run = false;
	if (wanted == NULL || !knit_plan_fits(wanted, stderr)) {
		free(wanted);
		EVENT(RELOAD_FAILED, EV(p->file), EV("the file has errors"));
		return;
	}
	now.diff = config_diff(p->conf, wanted);
	if (now.diff.n && now.diff.n_start == 0) {
		if (begin(p, wanted, stderr) == 0)
			return;
		EVENT(RELOAD_FAILED, EV(now.file), EV("the file has errors"));
	} else {
		if (now.diff.n_start)
			EVENT(RELOAD_FAILED, EV(p->file), EV("a change in it needs a start"));
		else
			log_notice("%s: nothing differs from what runs", p->file);
		free(wanted);
	}
	json_object_put(now.diff.changes);
}

static void reload_round(struct primary *p)
{
	const struct change *c = now.running ? change_done() : NULL;

	if (c)
		settle(p, c);
	if (!now.running && __atomic_exchange_n(&wanted_by_signal, false, __ATOMIC_ACQ_REL))
		reload_unasked(p);
}

void command_reload_wanted(void)
{
	__atomic_store_n(&wanted_by_signal, true, __ATOMIC_RELEASE);
	command_kick();
}

static void reload_poll(struct primary *p, struct command_client *c)
{
	(void)c;
	reload_round(p);
}

static void reload_stop(struct primary *p, struct command_client *c)
{
	(void)p;
	if (now.client == c)
		now.client = NULL;
}

const struct command command_reload = {
	.type = KNIT_COMMAND_RELOAD,
	.min = sizeof(struct knit_command_reload),
	.max = sizeof(struct knit_command_reload),
	.every_ms = POLL_MS,
	.start = reload_start,
	.poll = reload_poll,
	.stop = reload_stop,
	.round = reload_round,
};
