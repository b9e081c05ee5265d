// SPDX-License-Identifier: BSD-3-Clause
#include "exporter.h"
#include "system/process/exit.h"

#include <getopt.h>
#include <stdio.h>

#define DEFAULT_LISTEN "127.0.0.1:9845"
#define DEFAULT_PREFIX "knit"

static const char usage[] =
	"usage: knit-exporter [--prefix PREFIX] [--listen ADDRESS:PORT]\n"
	"       knit-exporter --list\n"
	"\n"
	"Tells Prometheus what a running knit counts and measures: http://ADDRESS:PORT/metrics,\n"
	"as OpenMetrics or as text, as the client wants. It asks the primary for each scrape,\n"
	"and says knit_up 0 while there is none, or it stands still. It needs root, or the group\n"
	"that the primary was given by --group.\n"
	"\n"
	"  -P, --prefix PREFIX        eal.prefix of the primary; default \"" DEFAULT_PREFIX "\"\n"
	"  -l, --listen ADDRESS:PORT  where; default " DEFAULT_LISTEN ". [::]:9845 is all\n"
	"                             addresses of this machine, 0 any free port\n"
	"      --list                 all metrics, as JSON\n"
	"  -V, --version              the version of knit\n"
	"  -h, --help                 this text\n"
	"\n"
	"Exit codes: 0 ended as asked, 1 failure, 2 command line, 4 the address can't be had.\n";

static int fail_usage(const char *what, const char *text)
{
	fprintf(stderr, "knit-exporter: %s%s; see --help\n", what, text);
	return KNIT_EXIT_USAGE;
}

int exporter_options(struct exporter_options *o, int argc, char **argv)
{
	static const struct option options[] = {
		{ "prefix", required_argument, NULL, 'P' },
		{ "listen", required_argument, NULL, 'l' },
		{ "list", no_argument, NULL, 'L' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL },
	};
	int opt;

	*o = (struct exporter_options){ .listen = DEFAULT_LISTEN, .prefix = DEFAULT_PREFIX };
	while ((opt = getopt_long(argc, argv, "P:l:Vh", options, NULL)) != -1) {
		switch (opt) {
		case 'P':
			o->prefix = optarg;
			break;
		case 'l':
			o->listen = optarg;
			break;
		case 'L':
			o->list = true;
			break;
		case 'V':
			puts("knit-exporter " KNIT_VERSION);
			return KNIT_EXIT_OK;
		case 'h':
			fputs(usage, stdout);
			return KNIT_EXIT_OK;
		default:
			return fail_usage("unknown option, or one without its value", "");
		}
	}
	return optind < argc ? fail_usage("it has no arguments: ", argv[optind]) : -1;
}
