// SPDX-License-Identifier: BSD-3-Clause
#include "options.h"
#include "share.h"
#include "system/command/levels.h"
#include "system/config/config.h"
#include "system/config/config_keys.h"
#include "system/rundir/rundir.h"

#include <rte_common.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void usage(FILE *out)
{
	fputs("usage: knit-primary [options] --config FILE\n"
	      "       knit-primary --config FILE --check | --check-config\n"
	      "       knit-primary --config FILE --reserve-hugepages\n"
	      "       knit-primary --restore PREFIX\n"
	      "\n"
	      "Creates the ports, memory and kernel interfaces that FILE describes, and serves\n"
	      "them until SIGINT or SIGTERM. SIGHUP makes it read FILE again, as `knit reload`\n"
	      "does. Workers and control attach with knit-worker and knit-control.\n"
	      "\n"
	      "  -c, --config FILE   configuration (libconfig)\n"
	      "      --check         print what FILE needs and this machine lacks, with remedies;\n"
	      "                      change nothing. Exit codes: 0 nothing, 3 FILE is wrong,\n"
	      "                      4 something, 6 another rte_kni is loaded, 7 prefix is taken\n"
	      "      --json          --check: as an object of JSON, in one line\n"
	      "      --check-config  check FILE only; change nothing\n"
	      "      --reserve-hugepages\n"
	      "                      reserve on each NUMA node the hugepages that FILE needs and\n"
	      "                      are not there; takes none away. Exit codes: 0 all are there,\n"
	      "                      3 FILE is wrong, 4 the kernel has not so many\n"
	      "      --restore PREFIX\n"
	      "                      give the NICs that a primary with that prefix still has\n"
	      "                      bound back to their drivers. Exit codes: 0 done, 7 it runs\n"
	      "  -g, --group GROUP   members of that group, by name or number, may run workers\n"
	      "                      and control without root\n"
	      "  -s, --status        print a status line every second\n"
	      "      --log-level TYPE:LEVEL\n"
	      "                      of one component (knit.port:debug), may be repeated\n"
	      "      --help-config   list all configuration keys\n"
	      "  -V, --version       the version of knit\n"
	      "  -h, --help          this text\n"
	      "\n"
	      "Older spellings: --check FILE, --give-back PREFIX.\n"
	      "\n"
	      "exit codes: 0 ended as asked, 1 failure, 2 command line, 3 configuration,\n"
	      "4 something is missing on this machine, 6 kernel module with another ABI,\n"
	      "7 the prefix is taken, 8 start me again\n",
	      out);
}

/* The same check as EAL's. EAL itself would print its own usage text, and then that it failed. */
static bool level_ok(const char *text)
{
	static const char *const levels[KNIT_LOG_LEVELS] = KNIT_LOG_LEVEL_NAMES;
	const char *level = strrchr(text, ':');
	unsigned int i;

	for (i = 0; level && level != text && i < RTE_DIM(levels); i++)
		if (strcmp(level + 1, levels[i]) == 0 ||
		    (level[1] == (char)('1' + i) && level[2] == '\0'))
			return true;
	fprintf(stderr,
		"knit-primary: --log-level: found \"%s\": TYPE:LEVEL is expected, the level from "
		"emergency (1) to debug (8)\n",
		text);
	return false;
}

static bool add_log_level(struct options *o, const char *text)
{
	unsigned int n;

	if (!level_ok(text))
		return false;
	for (n = 0; o->log_level[n]; n++)
		;
	if (n < MAX_LOG_LEVELS) {
		o->log_level[n] = text;
		return true;
	}
	fprintf(stderr, "knit-primary: --log-level: %d are allowed\n", MAX_LOG_LEVELS);
	return false;
}

int primary_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "group", required_argument, NULL, 'g' },
		{ "status", no_argument, NULL, 's' },
		{ "check", optional_argument, NULL, 'M' },
		{ "check-config", no_argument, NULL, 'C' },
		{ "json", no_argument, NULL, 'J' },
		{ "reserve-hugepages", no_argument, NULL, 'P' },
		{ "restore", required_argument, NULL, 'R' },
		{ "give-back", required_argument, NULL, 'R' },
		{ "exit-code", required_argument, NULL, 'E' },
		{ "log-level", required_argument, NULL, 'L' },
		{ "help-config", no_argument, NULL, 'H' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	o->exit_code = -1;
	while ((c = getopt_long(argc, argv, "c:g:sVh", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 'g':
			if (primary_group(optarg, &o->group))
				return KNIT_EXIT_USAGE;
			break;
		case 's':
			o->status = true;
			break;
		case 'C':
			o->check_config = true;
			break;
		case 'L':
			if (!add_log_level(o, optarg))
				return KNIT_EXIT_USAGE;
			break;
		case 'M':
			o->config = optarg ? optarg : o->config;
			o->check_host = true;
			break;
		case 'J':
			o->json = true;
			break;
		case 'P':
			o->reserve = true;
			break;
		case 'R':
			o->restore = optarg;
			break;
		case 'E':
			o->exit_code = atoi(optarg);
			break;
		case 'H':
			knit_config_help(stdout);
			return KNIT_EXIT_OK;
		case 'V':
			puts("knit-primary " KNIT_VERSION);
			return KNIT_EXIT_OK;
		case 'h':
			usage(stdout);
			return KNIT_EXIT_OK;
		default:
			usage(stderr);
			return KNIT_EXIT_USAGE;
		}
	}
	if (o->check_host && o->config == NULL && optind < argc) /* --check FILE */
		o->config = argv[optind++];
	if (o->restore && knit_check_prefix(o->restore) && optind == argc)
		return -1;
	if (o->json && !o->check_host) {
		fputs("knit-primary: --json needs --check\n", stderr);
		return KNIT_EXIT_USAGE;
	}
	if (o->config == NULL || o->restore || optind != argc) {
		fputs("knit-primary: --config FILE is needed, and nothing else\n", stderr);
		usage(stderr);
		return KNIT_EXIT_USAGE;
	}
	return -1;
}
