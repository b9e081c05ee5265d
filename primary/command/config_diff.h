/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_CONFIG_DIFF_H
#define KNIT_PRIMARY_CONFIG_DIFF_H

#include "system/config/config_keys.h"

#include <json-c/json.h>

/*
 * What differs between the configuration that runs and another one. Ports and interfaces are the
 * same if their names are, workers if their ids are; the order in the file does not matter. The
 * rules of a worker are one value.
 */
struct config_diff {
	struct json_object *changes; /* an array, see docs/RUNNING.md */
	unsigned int n;
	unsigned int n_start; /* those that count from the next start on */
};

/* Any thread that may read both. The changes are the caller's. */
struct config_diff config_diff(const struct knit_config *running, const struct knit_config *wanted);

/* Command thread: takes over what is live. The order of lists may differ. */
void config_apply_live(struct knit_config *running, const struct knit_config *wanted);

#endif
