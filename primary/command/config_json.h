/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_CONFIG_JSON_H
#define KNIT_PRIMARY_CONFIG_JSON_H

#include "system/config/config_keys.h"

#include <json-c/json.h>

/* All keys that could stand in a file with this content; groups are objects, lists are arrays. */
struct json_object *config_json(const struct knit_config *c);

/* What tells elements of a list apart, their name or id; NULL: nothing does. */
const struct knit_key *config_json_identity(const struct knit_key *list);

/* False: the element is an empty place (config_place.h). */
bool config_json_there(const struct knit_key *list, const void *element);

/*
 * That of one key; base: its group. Ports and interfaces have their names. NULL: it has no value,
 * and would not be in a file.
 */
struct json_object *config_json_value(const struct knit_config *c, const struct knit_key *key,
				      const void *base);

#endif
