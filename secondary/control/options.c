// SPDX-License-Identifier: BSD-3-Clause
#include "options.h"

#include "control.h"
#include "system/config/config_keys.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
	"usage: knit-control [--prefix PREFIX] [-- EAL ARGUMENTS]\n"
	"\n"
	"Answers what the kernel asks of knit's interfaces: link, MTU, MAC, promiscuous and\n"
	"multicast changes are carried out on the ports behind them. One runs beside each\n"
	"primary, and may be stopped, killed and started again at any time.\n"
	"\n"
	"  -p, --prefix PREFIX  eal.prefix of the primary; default \"" KNIT_DEFAULT_PREFIX "\"\n"
	"  -V, --version        the version of knit\n"
	"  -h, --help           this text\n"
	"\n"
	"EAL arguments beyond those that the primary chooses:\n" KNIT_EXTRA_ARGS "\n"
	"Exit codes: 0 ended as asked, 1 failure, 2 command line, 4 resources or permission,\n"
	"5 no primary or it went away, 6 other version than the primary, 7 there is one already,\n"
	"8 to be started again.\n";

static int fail_usage(const char *what, const char *found)
{
	fprintf(stderr, "knit-control: %s%s (--help shows what is allowed)\n", what, found);
	return KNIT_EXIT_USAGE;
}

int control_options(struct control *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "prefix", required_argument, NULL, 'p' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL },
	};
	int opt;

	c->secondary.prefix = KNIT_DEFAULT_PREFIX;
	while ((opt = getopt_long(argc, argv, "+p:Vh", options, NULL)) != -1) {
		switch (opt) {
		case 'p':
			c->secondary.prefix = optarg;
			break;
		case 'V':
			puts("knit-control " KNIT_VERSION);
			return KNIT_EXIT_OK;
		case 'h':
			fputs(help, stdout);
			return KNIT_EXIT_OK;
		default:
			return KNIT_EXIT_USAGE;
		}
	}
	if (optind < argc && strcmp(argv[optind - 1], "--") != 0)
		return fail_usage("unexpected argument: ", argv[optind]);
	if (!knit_check_prefix(c->secondary.prefix))
		return fail_usage(
			"--prefix: up to 31 letters, digits, - and _ are expected: found ",
			c->secondary.prefix);
	c->secondary.role = KNIT_ROLE_CONTROL;
	c->secondary.n_extra = argc - optind;
	c->secondary.extra = argv + optind;
	/* EAL parses its own arguments with the same getopt. */
	optind = 1;
	return -1;
}
