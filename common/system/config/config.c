// SPDX-License-Identifier: BSD-3-Clause
#include "config.h"
#include "config_read.h"

#include <stdlib.h>
#include <string.h>

/* libconfig knows the line but not the setting; the line may be the one after the mistake. */
static void syntax_error(const struct knit_conf_load *load, const config_t *cfg)
{
	struct knit_conf_place place = knit_conf_source_place(load->src, config_error_line(cfg));
	const char *text = config_error_text(cfg);
	const char *allowed = "\"key = value;\" is expected, with all brackets closed";

	text = text ? text : "an error";
	if (strstr(text, "duplicate"))
		allowed = "a key may be given once per group";
	else if (strstr(text, "mismatched"))
		allowed = "all values in [ ] must be of one type";
	fprintf(load->err, "%s:%u: syntax: found %s: %s\n", place.file, place.line, text, allowed);
}

static void mark_there(struct knit_config *c)
{
	unsigned int i;

	for (i = 0; i < c->n_ports; i++)
		c->ports[i].there = true;
	for (i = 0; i < c->n_ifaces; i++)
		c->ifaces[i].there = true;
	for (i = 0; i < c->n_workers; i++)
		c->workers[i].there = true;
}

static bool load_text(struct knit_conf_load *load)
{
	config_t cfg;
	bool ok;

	config_init(&cfg);
	ok = config_read_string(&cfg, load->src->text);
	if (ok) {
		load->root = config_root_setting(&cfg);
		knit_conf_read_group(load, load->root, &knit_conf_root, load->conf);
		mark_there(load->conf);
		knit_conf_check(load);
	} else {
		syntax_error(load, &cfg);
	}
	config_destroy(&cfg);
	return ok && load->errors == 0;
}

struct knit_config *knit_config_load(const char *file, FILE *err)
{
	struct knit_config *conf = calloc(1, sizeof(*conf));
	struct knit_conf_source *src = calloc(1, sizeof(*src));
	struct knit_conf_load load = { .conf = conf, .src = src, .err = err };
	bool ok = false;

	if (!conf || !src) {
		fprintf(err, "%s:0: file: found no memory to read it\n", file);
	} else if (strlen(file) >= sizeof(conf->file)) {
		fprintf(err,
			"%s:0: file: found a path of %zu characters: at most %zu are expected\n",
			file, strlen(file), sizeof(conf->file) - 1);
	} else if (knit_conf_source_read(src, file, err) == 0) {
		strcpy(conf->file, file);
		memcpy(conf->included, src->files, sizeof(conf->included));
		conf->hash = src->hash;
		ok = load_text(&load);
	}
	if (src)
		knit_conf_source_free(src);
	free(src);
	if (ok)
		return conf;
	free(conf);
	return NULL;
}
