// SPDX-License-Identifier: BSD-3-Clause
#include "options.h"
#include "config.h"
#include "rundir.h"

#include <getopt.h>
#include <stdio.h>

static void usage(FILE *out)
{
	fputs("usage: knit-primary [options] --config FILE\n"
	      "\n"
	      "Creates the ports, memory and kernel interfaces that FILE describes, and serves\n"
	      "them until SIGINT or SIGTERM. Workers and control attach with knit-worker and\n"
	      "knit-control.\n"
	      "\n"
	      "  -c, --config FILE   configuration (libconfig)\n"
	      "      --check-config  read and check FILE, touch nothing, exit\n"
	      "  -s, --status        print a status line every second\n"
	      "      --help-config   list all configuration keys\n"
	      "  -h, --help          this text\n"
	      "\n"
	      "exit codes: 0 ended as asked, 1 failure, 2 command line, 3 configuration,\n"
	      "4 something is missing on this machine, 7 the prefix is taken, 8 start me again\n",
	      out);
}

int primary_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "status", no_argument, NULL, 's' },
		{ "check-config", no_argument, NULL, 'C' },
		{ "help-config", no_argument, NULL, 'H' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:sh", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 's':
			o->status = true;
			break;
		case 'C':
			o->check = true;
			break;
		case 'H':
			knit_config_help(stdout);
			return KNIT_EXIT_OK;
		case 'h':
			usage(stdout);
			return KNIT_EXIT_OK;
		default:
			usage(stderr);
			return KNIT_EXIT_USAGE;
		}
	}
	if (o->config == NULL || optind != argc) {
		fputs("knit-primary: --config FILE is needed, and nothing else\n", stderr);
		usage(stderr);
		return KNIT_EXIT_USAGE;
	}
	return -1;
}
