// SPDX-License-Identifier: BSD-3-Clause
#include "exporter.h"

#include <json-c/json.h>

#include <stdio.h>

static const char *const types[] = {
	[KNIT_METRIC_COUNTER] = "counter", [KNIT_METRIC_GAUGE] = "gauge",
	[KNIT_METRIC_TEXT] = "text",	   [KNIT_METRIC_NUMBER] = "number",
	[KNIT_METRIC_MBITS] = "gauge",	   [KNIT_METRIC_CYCLES] = "counter",
	[KNIT_METRIC_MICROS] = "counter",
};

static const char *const levels[] = {
	[KNIT_DROP_NORMAL] = "normal",
	[KNIT_DROP_LOSS] = "loss",
	[KNIT_DROP_FAULT] = "fault",
};

static void add(struct json_object *to, const char *name, const char *text)
{
	json_object_object_add(to, name, json_object_new_string(text));
}

static struct json_object *describe(const struct knit_metrics *k, const struct knit_metric *m)
{
	struct json_object *one = json_object_new_object();
	const char *type = types[m->type];
	char name[128] = "";

	if (m->type == KNIT_METRIC_TEXT)
		snprintf(name, sizeof(name), "knit%s%s_info", k->word[0] ? "_" : "", k->word);
	else if (m->type != KNIT_METRIC_NUMBER)
		snprintf(name, sizeof(name), "knit_%s%s%s%s", k->word, k->word[0] ? "_" : "",
			 m->metric, type[0] == 'c' ? "_total" : "");
	add(one, "object", k->plural);
	add(one, "telemetry", m->name);
	add(one, "metric", name);
	add(one, "label", k->word);
	add(one, "type", type);
	add(one, "unit", m->unit);
	add(one, "help", m->help);
	if (m->reason) {
		add(one, "reason", m->reason);
		add(one, "advice", m->advice);
		add(one, "level", levels[m->level]);
	}
	return one;
}

void exporter_list(void)
{
	struct json_object *all = json_object_new_array();
	size_t kind, i;

	for (kind = 0; kind < KNIT_METRIC_KINDS; kind++)
		for (i = 0; i < knit_metrics[kind].n; i++)
			json_object_array_add(
				all, describe(&knit_metrics[kind], &knit_metrics[kind].row[i]));
	puts(json_object_to_json_string_ext(all, JSON_C_TO_STRING_PRETTY |
							 JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(all);
}
