// SPDX-License-Identifier: BSD-3-Clause
#include "knit.h"
#include "system/process/exit.h"
#include "system/process/stdfds.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static int version_main(const struct options *o, int argc, char **argv);

static const struct command commands[] = {
	{ "show", "[ports | interfaces | workers | control]",
	  "what runs, and its counters\n"
	  "(also: show port NAME, interface NAME, worker ID: everything about one)",
	  show_main },
	{ "top", "", "rates of all, live; --once for programs", top_main },
	{ "drops", "", "each way to lose a packet that lost one, and what to do", drops_main },
	{ "check", "FILE", "what the machine lacks for a configuration, with remedies",
	  check_main },
	{ "bind", "[ARGUMENTS]", "NICs and their drivers; as knit-bind", bind_main, .other = true },
	{ "version", "", "the version of knit", version_main },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int version_main(const struct options *o, int argc, char **argv)
{
	if (argc > 1)
		return fail(KNIT_EXIT_USAGE, "version: it has no arguments");
	printf("knit " KNIT_VERSION "\n");
	return KNIT_EXIT_OK;
}

/* Further lines of a help text stand below the first one. */
static void print_command(const struct command *c)
{
	const char *at = c->help, *end;
	int width = printf("  %s %s", c->name, c->arguments);

	if (width > 24)
		printf("\n%*s", 26, "");
	else
		printf("%*s", 26 - width, "");
	for (; (end = strchr(at, '\n')) != NULL; at = end + 1)
		printf("%.*s\n%*s", (int)(end - at), at, 26, "");
	printf("%s\n", at);
}

static void print_usage(void)
{
	size_t i;

	puts("usage: knit [OPTIONS] COMMAND [ARGUMENTS]\n"
	     "\n"
	     "Shows and explains a running knit. It only reads, but for `bind`.\n");
	for (i = 0; i < COMMANDS; i++)
		print_command(&commands[i]);
	puts("\n"
	     "  -P, --prefix PREFIX  eal.prefix of the system; default: the only one that runs\n"
	     "  -j, --json           JSON, in one line\n"
	     "  -p, --pretty         JSON, in several lines\n"
	     "  -a, --all            drops: also those that lost nothing\n"
	     "  -1, --once           top: one look, as text\n"
	     "  -s, --seconds N      top, drops: how long to look for the rate; default 1. drops:\n"
	     "                       0: no rate\n"
	     "  -V, --version        the version of knit\n"
	     "  -h, --help           this text\n"
	     "\n"
	     "exit codes: 0 done, 1 failure, 2 command line, 4 permission, 5 no primary, or it\n"
	     "does not answer; check and bind: those of knit-primary and knit-bind");
}

static bool parse_seconds(const char *text, double *seconds)
{
	char *end;

	*seconds = strtod(text, &end);
	if (end != text && *end == '\0' && *seconds >= 0 && *seconds <= 3600)
		return true;
	fail(0, "--seconds: found \"%s\": a number from 0 to 3600 is expected", text);
	return false;
}

/*
 * Options in front of the command, or (all) among its arguments, which then are at argv[optind].
 * False: the program ends with *code.
 */
static bool parse(struct options *o, bool all, int argc, char **argv, int *code)
{
	static const struct option options[] = {
		{ "prefix", required_argument, NULL, 'P' },
		{ "json", no_argument, NULL, 'j' },
		{ "pretty", no_argument, NULL, 'p' },
		{ "all", no_argument, NULL, 'a' },
		{ "once", no_argument, NULL, '1' },
		{ "seconds", required_argument, NULL, 's' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL },
	};
	const char *letters = all ? "P:jpa1s:Vh" : "+P:jpa1s:Vh";
	int opt;

	*code = KNIT_EXIT_USAGE;
	optind = 0; /* begins anew */
	while ((opt = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		switch (opt) {
		case 'P':
			o->prefix = optarg;
			break;
		case 'p':
			o->pretty = true;
			o->json = true;
			break;
		case 'j':
			o->json = true;
			break;
		case 'a':
			o->all = true;
			break;
		case '1':
			o->once = true;
			break;
		case 's':
			if (!parse_seconds(optarg, &o->seconds))
				return false;
			break;
		case 'V':
			*code = version_main(o, 1, argv);
			return false;
		case 'h':
			print_usage();
			*code = KNIT_EXIT_OK;
			return false;
		default:
			return false;
		}
	}
	return true;
}

static int run(const struct command *c, struct options *o, int argc, char **argv)
{
	int code;

	if (!c->other) {
		if (!parse(o, true, argc, argv, &code))
			return code;
		argv[--optind] = (char *)c->name;
		argc -= optind;
		argv += optind;
	}
	code = c->run(o, argc, argv);
	if ((fflush(stdout) || ferror(stdout)) && code == 0)
		code = fail(KNIT_EXIT_FAILURE, "standard output: %s", strerror(errno));
	return code;
}

int main(int argc, char **argv)
{
	struct options o = { .seconds = 1 };
	size_t i;
	int code;

	code = knit_stdfds_fill();
	if (code)
		return code;
	if (!parse(&o, false, argc, argv, &code))
		return code;
	if (optind == argc)
		return fail(KNIT_EXIT_USAGE, "a command is expected; --help lists them");
	for (i = 0; i < COMMANDS; i++)
		if (strcmp(argv[optind], commands[i].name) == 0)
			return run(&commands[i], &o, argc - optind, argv + optind);
	return fail(KNIT_EXIT_USAGE, "no such command: %s; --help lists them", argv[optind]);
}
