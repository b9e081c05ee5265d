// SPDX-License-Identifier: BSD-3-Clause
#include "options.h"

#include "system/config/config_keys.h"
#include "worker.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"usage: knit-worker [--prefix PREFIX] --id N [--standby] [-- EAL ARGUMENTS]\n"
	"\n"
	"Moves packets between the ports and interfaces of worker N. It may be stopped, killed\n"
	"and started again at any time.\n"
	"\n"
	"  -p, --prefix PREFIX  eal.prefix of the primary; default \"" KNIT_DEFAULT_PREFIX "\"\n"
	"  -i, --id N           number of the worker in its configuration, 0 to 15\n"
	"  -s, --standby        if another process is worker N: stand by, and take over when that\n"
	"                       one is gone, or when `knit worker replace N` tells it to\n"
	"  -V, --version        the version of knit\n"
	"  -h, --help           this text\n"
	"\n"
	"EAL arguments beyond those that the primary chooses:\n" KNIT_EXTRA_ARGS "\n"
	"Exit codes: 0 ended as asked, 1 failure, 2 command line or no such worker, 4 resources\n"
	"or permission, 5 no primary, 6 other DPDK, ABI or mempool drivers, 7 the domain is\n"
	"taken, 8 start me again.\n";

static bool parse_id(const char *text, uint32_t *id)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || end == text || *end || text[0] < '0' || text[0] > '9' ||
	    value >= KNIT_MAX_WORKERS) {
		fprintf(stderr,
			"knit-worker: --id: found \"%s\": a number from 0 to %d is expected\n",
			text, KNIT_MAX_WORKERS - 1);
		return false;
	}
	*id = value;
	return true;
}

static int fail_usage(const char *what)
{
	fprintf(stderr, "knit-worker: %s; see --help\n", what);
	return KNIT_EXIT_USAGE;
}

int knit_worker_options(struct knit_worker *w, int argc, char **argv)
{
	static const struct option options[] = {
		{ "prefix", required_argument, NULL, 'p' }, { "id", required_argument, NULL, 'i' },
		{ "standby", no_argument, NULL, 's' },	    { "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },	    { NULL },
	};
	struct knit_secondary *s = &w->secondary;
	bool have_id = false;
	int opt;

	s->prefix = KNIT_DEFAULT_PREFIX;
	s->role = KNIT_ROLE_WORKER;
	while ((opt = getopt_long(argc, argv, "+p:i:sVh", options, NULL)) != -1) {
		switch (opt) {
		case 'p':
			s->prefix = optarg;
			break;
		case 'i':
			if (!parse_id(optarg, &s->id))
				return KNIT_EXIT_USAGE;
			have_id = true;
			break;
		case 's':
			s->standby = true;
			break;
		case 'V':
			puts("knit-worker " KNIT_VERSION);
			return KNIT_EXIT_OK;
		case 'h':
			fputs(usage, stdout);
			return KNIT_EXIT_OK;
		default:
			return fail_usage("unknown option, or one without its value");
		}
	}
	if (!have_id)
		return fail_usage("--id is missing");
	if (!knit_check_prefix(s->prefix))
		return fail_usage("--prefix: 1 to 31 letters, digits, - and _ are expected");
	if (optind < argc && strcmp(argv[optind - 1], "--") != 0)
		return fail_usage("arguments for EAL come after \"--\"");
	s->n_extra = argc - optind;
	s->extra = argv + optind;
	w->id = s->id;
	return -1;
}
