/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_CONFIG_READ_H
#define KNIT_CONFIG_READ_H

#include "config.h"
#include "config_keys.h"
#include "config_source.h"

#include <libconfig.h>

/* Loading one file. An error is printed and counted, and reading goes on to find the next one. */
struct knit_conf_load {
	struct knit_config *conf;
	const config_setting_t *root;
	const struct knit_conf_source *src;
	FILE *err;
	unsigned int errors;
};

/*
 * Prints "FILE:LINE: path.of.key: found X: TEXT" about a key of a group. A key that is not there
 * is "found nothing", at the group's line; key NULL is the group itself.
 */
__attribute__((format(printf, 4, 5))) void knit_conf_error(struct knit_conf_load *load,
							   const config_setting_t *group,
							   const char *key, const char *fmt, ...);

/* The same about a setting, with X given. */
__attribute__((format(printf, 4, 5))) void knit_conf_error_found(struct knit_conf_load *load,
								 const config_setting_t *at,
								 const char *found, const char *fmt,
								 ...);

/*
 * Reads the keys of a group into base, a zeroed struct: defaults for what is not given; a key that
 * must be given and is not, or is wrong, leaves bytes of 0xff in numbers.
 */
void knit_conf_read_group(struct knit_conf_load *load, const config_setting_t *setting,
			  const struct knit_group *group, void *base);

/* Stores a setting into a member; false with the error printed. All types but GROUP and LIST. */
bool knit_conf_read_value(struct knit_conf_load *load, const config_setting_t *setting,
			  const struct knit_key *key, void *member);

/* Stores key->def, or marks a key that has none. All types but GROUP and LIST. */
void knit_conf_default(const struct knit_key *key, void *member);

/* What one key alone cannot show: duplicates, limits that depend on others, missing partners. */
void knit_conf_check(struct knit_conf_load *load);
void knit_conf_check_rules(struct knit_conf_load *load, unsigned int worker);

/* Element i of a top-level list: the group behind conf->ports[i] and so on. */
const config_setting_t *knit_conf_elem(const struct knit_conf_load *load, const char *list,
				       unsigned int i);

#endif
