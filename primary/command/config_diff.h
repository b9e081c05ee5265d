/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_CONFIG_DIFF_H
#define KNIT_PRIMARY_CONFIG_DIFF_H

#include "system/config/config_keys.h"

#include <json-c/json.h>

/*
 * What differs between the configuration that runs, in which everything is at its place, and
 * another one. Ports and interfaces are the same if their names are, workers if their ids are; the
 * order in the file does not matter. The rules of a worker are one value.
 */
struct config_diff {
	struct json_object *changes; /* an array, see docs/RUNNING.md */
	unsigned int n;
	unsigned int n_start; /* those that count from the next start on */
	uint64_t ports_again; /* places of ports that have to be made anew, a bit each */
	uint64_t ifaces_again;
};

/* Any thread that may read both. The changes are the caller's. */
struct config_diff config_diff(const struct knit_config *running, const struct knit_config *wanted);

/* Adds that this interface has to be made anew, because of its queue pairs. */
void config_diff_again(struct config_diff *d, const char *iface, unsigned int place);

/*
 * A copy of c, which is placed, without those ports and interfaces, and without rules that name
 * them. Free with free(). NULL: no memory.
 */
struct knit_config *config_without(const struct knit_config *c, uint64_t ports, uint64_t ifaces);

#endif
