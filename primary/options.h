/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_OPTIONS_H
#define KNIT_OPTIONS_H

#include <stdbool.h>
#include <sys/types.h>

#define MAX_LOG_LEVELS 8

struct options {
	const char *config;
	bool status;				   /* --status */
	bool check_config;			   /* --check-config */
	bool check_host;			   /* --check */
	bool json;				   /* --json: --check for programs */
	bool reserve;				   /* --reserve-hugepages */
	const char *restore;			   /* --restore: a prefix */
	gid_t group;				   /* --group; 0: none */
	int exit_code;				   /* --exit-code: what --restore exits with */
	const char *log_level[MAX_LOG_LEVELS + 1]; /* --log-level, NULL behind the last */
};

/*
 * -1: continue. Otherwise the process ends with that exit code: help was printed, or the command
 * line is wrong.
 */
int primary_options(int argc, char **argv, struct options *o);

#endif
